// --tune on the fake library, whose fastest algorithm is a setting; and what becomes of the file.

#include "CudaSession.h"

#include <fstream>
#include <sstream>

#include <sys/stat.h>
#include <unistd.h>

namespace {

/// A file that is gone afterwards.
struct Temporary {
  Temporary() : path(testing::TempDir() + "tx-tuning-" + std::to_string(getpid()) + "/folder/cache.json") {
    remove(path.c_str());
  }
  ~Temporary() { remove(path.c_str()); }
  std::string text() const {
    std::ifstream file(path);
    std::stringstream all;
    all << file.rdbuf();
    return all.str();
  }
  void write(const std::string &text) const { std::ofstream(path) << text; }
  const std::string path;
};

struct TunedSession : Session {
  TunedSession(const Temporary &file, int tune, uint64_t scratch = 8192, txrt_gemm_operand vector = TXRT_GEMM_OPERANDS)
      : Session(productWith(vector, scratch), options(file, tune)) {}
  std::string description() const { return session ? txrt_session_description(session) : error.message; }

private:
  static txrt_options options(const Temporary &file, int tune) {
    warnings().clear();
    txrt_options options = {};
    options.tuning_cache = file.path.c_str();
    options.tune = tune;
    options.warn = warn;
    return options;
  }
};

const char *const tuned = "cuda, Fake GPU (sm_90), cuBLASLt 13.1.0 (1 of 1 products tuned)";
const char *const untuned = "cuda, Fake GPU (sm_90), cuBLASLt 13.1.0";

} // namespace

TEST(CudaTuning, FastestIsKept) {
  Temporary file;
  Setting best("FAKE_CUBLASLT_BEST", "5");
  {
    TunedSession before(file, 0);
    EXPECT_EQ(before.description(), untuned);
    EXPECT_EQ(file.text(), "");
  }
  TunedSession tuning(file, 1);
  EXPECT_EQ(tuning.description(), tuned);
  // Its bytes: the fake numbers its algorithms in the first word.
  EXPECT_NE(file.text().find("\"algorithm\": \"0000000000000005"), std::string::npos) << file.text();
  EXPECT_NE(file.text().find("\"product\": \"nn 4x5x3 ld 3,5,5 f32,f32,f32 align "
                             "64,64,64 scratch 8192\""),
            std::string::npos)
      << file.text();
  TunedSession after(file, 0);
  EXPECT_EQ(after.description(), tuned);
  EXPECT_EQ(warnings(), "");
  // The device's clock shows which one runs: 100 ns when it is the fastest.
  txrt_session_profile(after.session, 1);
  runProduct(after);
  txrt_launch_info info;
  txrt_session_launch_info(after.session, 0, 0, &info, nullptr);
  EXPECT_NEAR(info.seconds, 100e-9, 1e-9);
}

// Scratch is a part of the key, and bounds what is tried.
TEST(CudaTuning, ScratchBoundsTheChoice) {
  Temporary file;
  Setting best("FAKE_CUBLASLT_BEST", "5");
  TunedSession small(file, 1, 512);
  EXPECT_NE(file.text().find("\"0000000000000002"), std::string::npos);
  TunedSession large(file, 0, 8192);
  EXPECT_EQ(large.description(), untuned);
}

// Another GPU or version is another line; a new run of --tune keeps them.
TEST(CudaTuning, OtherMachines) {
  Temporary file;
  {
    TunedSession hopper(file, 1);
  }
  {
    Setting capability("FAKE_CUDA_CAPABILITY", "120");
    TunedSession other(file, 0);
    EXPECT_EQ(other.description(), "cuda, Fake GPU (sm_120), cuBLASLt 13.1.0");
    TunedSession tuning(file, 1);
  }
  {
    Setting version("FAKE_CUBLASLT_VERSION", "130200");
    TunedSession other(file, 0);
    EXPECT_EQ(other.description(), "cuda, Fake GPU (sm_90), cuBLASLt 13.2.0");
  }
  TunedSession hopper(file, 0);
  EXPECT_EQ(hopper.description(), tuned);
  EXPECT_NE(file.text().find("sm_120"), std::string::npos);
}

TEST(CudaTuning, FilesThatAreOfNoUse) {
  Temporary file;
  {
    TunedSession tuning(file, 1);
  }
  const std::string good = file.text();
  std::string unknown = good;
  unknown.replace(unknown.find("000000000000002a"), 16, "000000000000002b");
  std::string cut = good;
  cut.replace(cut.find("000000000000002a"), 16, "2a");
  const std::pair<std::string, const char *> cases[] = {
      {"{\"format\": ", "no tuning cache: is no JSON: parse error at line 1, column 12"},
      {"", "no tuning cache: is no JSON: parse error at line 1, column 1"},
      {"[1, 2]", "no tuning cache: is no object"},
      {"{\"format\": \"tx-artifact\", \"version\": 1}", "another format"},
      {"{\"format\": \"tx-tuning\", \"version\": 2}", "another format"},
      {"{\"format\": \"tx-tuning\", \"version\": 1, \"choices\": [{}]}", "no tuning cache: "},
      {cut, "128 hexadecimal digits"},
      {unknown, "does not take the algorithm for nn 4x5x3"}};
  for (const auto &[text, message] : cases) {
    file.write(text);
    TunedSession s(file, 0);
    EXPECT_EQ(s.description(), untuned) << text;
    EXPECT_NE(warnings().find(message), std::string::npos) << message << ": " << warnings();
  }
  // Nothing hides behind the end that a parser sees.
  file.write(good + std::string(1, '\0') + "more");
  TunedSession behind(file, 0);
  EXPECT_EQ(behind.description(), untuned);
  EXPECT_NE(warnings().find("it has a NUL"), std::string::npos) << warnings();
  // --tune replaces no file that it does not know.
  file.write("my notes\n");
  TunedSession s(file, 1);
  EXPECT_EQ(s.session, nullptr);
  EXPECT_EQ(s.error.code, TXRT_BAD_INPUT);
  EXPECT_EQ(file.text(), "my notes\n");
}

TEST(CudaTuning, ALinkStaysAndAReadOnlyFileToo) {
  Temporary file;
  {
    TunedSession tuning(file, 1);
  }
  const std::string good = file.text(), real = file.path + ".real";
  ASSERT_EQ(rename(file.path.c_str(), real.c_str()), 0);
  ASSERT_EQ(symlink("cache.json.real", file.path.c_str()), 0);
  {
    Setting capability("FAKE_CUDA_CAPABILITY", "120");
    TunedSession other(file, 1);
  }
  struct stat info;
  ASSERT_EQ(lstat(file.path.c_str(), &info), 0);
  EXPECT_TRUE(S_ISLNK(info.st_mode));
  const std::string both = file.text();
  EXPECT_NE(both, good);
  ASSERT_EQ(chmod(real.c_str(), 0444), 0);
  {
    Setting capability("FAKE_CUDA_CAPABILITY", "100");
    TunedSession third(file, 1);
  }
  EXPECT_EQ(file.text(), both);
  remove(real.c_str());
}

// Too little memory beside the arena: a warning, and the library's choice.
TEST(CudaTuning, NoMemoryForOperands) {
  Temporary file;
  Setting free("FAKE_CUDA_FREE", "50331648"); // for the session and the library
  TunedSession s(file, 1);
  EXPECT_EQ(s.description(), untuned);
  EXPECT_NE(warnings().find("no memory beside the arena to tune nn 4x5x3"), std::string::npos) << warnings();
}

// What a product does besides is a part of what is tuned.
TEST(CudaTuning, EpiloguesAreProductsOfTheirOwn) {
  Temporary file;
  TunedSession plain(file, 1);
  EXPECT_EQ(plain.description(), tuned);
  for (auto vector : {TXRT_GEMM_BIAS, TXRT_GEMM_SUMS_B}) {
    EXPECT_EQ(TunedSession(file, 0, 8192, vector).description(), untuned);
    EXPECT_EQ(TunedSession(file, 1, 8192, vector).description(), tuned);
    EXPECT_EQ(TunedSession(file, 0, 8192, vector).description(), tuned);
  }
  for (const char *name : {"bias", "sums_b"})
    EXPECT_NE(file.text().find(std::string("\"product\": \"nn 4x5x3 ld 3,5,5 f32,f32,f32 "
                                           "align 64,64,64 ") +
                               name + " scratch 8192\""),
              std::string::npos)
        << file.text();
}
