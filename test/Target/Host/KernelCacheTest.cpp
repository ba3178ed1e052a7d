//===- KernelCacheTest.cpp - A kernel is compiled once, and never by mistake
//---------------------------------------===//

#include "../../../lib/Target/Host/HostCompilation.h"

#include "KernelText.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

using tx::host::KernelCache;

namespace {

std::string kernel(const std::string &name, const std::string &op = "tx.gelu %x") {
  return "step.kernel @" + name + " row [4, 24] (%x: tensor<4x24xf32>) {\n  %y = " + op +
         " in <\"\"> : tensor<4x24xf32>\n  step.yield %y : tensor<4x24xf32>\n}\n";
}
const std::string kOther = "tx.add %x, %x";

std::string read(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write(const std::string &path, const std::string &content) {
  std::ofstream(path, std::ios::binary).write(content.data(), content.size());
}

class Cache : public testing::Test {
protected:
  void SetUp() override {
    llvm::SmallString<128> path;
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("tx-kernel-cache", path));
    folder = path.str().str();
  }
  void TearDown() override { (void)llvm::sys::fs::remove_directories(folder); }

  /// Compiles with the cache; what was diagnosed is in `diagnostics`.
  tx::HostKernels compile(KernelCache &cache, const std::string &kernels, const std::string &cpu = "x86-64-v3") {
    diagnostics.clear();
    mlir::OwningOpRef<mlir::ModuleOp> module;
    tx::step::ProgramOp program = txtest::parseKernels(kernels, module, diagnostics);
    EXPECT_TRUE(program) << diagnostics;
    txtest::DiagnosticsAsText handler(diagnostics);
    auto result = tx::host::compileHostKernels(program, {cpu, {}}, cache);
    EXPECT_TRUE(mlir::succeeded(result)) << diagnostics;
    return mlir::succeeded(result) ? std::move(*result) : tx::HostKernels();
  }

  std::vector<std::string> files() {
    std::vector<std::string> result;
    std::error_code error;
    for (llvm::sys::fs::directory_iterator at(folder, error), end; at != end && !error; at.increment(error))
      result.push_back(at->path());
    return result;
  }

  std::string folder, diagnostics;
};

::testing::AssertionResult has(KernelCache &cache, unsigned missed, unsigned inMemory, unsigned inFolder) {
  KernelCache::Counts counts = cache.getCounts();
  if (counts.missed == missed && counts.inMemory == inMemory && counts.inFolder == inFolder)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << counts.missed << " missed, " << counts.inMemory << " in memory, "
                                       << counts.inFolder << " in the folder";
}

TEST_F(Cache, KernelsThatDifferInNamesAreCompiledOnce) {
  KernelCache cache("g", "");
  tx::HostKernels both = compile(cache, kernel("a") + kernel("b"));
  EXPECT_TRUE(has(cache, 1, 1, 0));
  ASSERT_EQ(both.functions.size(), 2u);
  EXPECT_EQ(both.functions[0].name, "a");
  EXPECT_EQ(both.functions[1].name, "b");
  EXPECT_NE(both.functions[0].entry, both.functions[1].entry);
  compile(cache, kernel("c") + kernel("d", kOther));
  EXPECT_TRUE(has(cache, 2, 2, 0));
}

TEST_F(Cache, AFolderServesOtherProcesses) {
  const std::string kernels = kernel("a") + kernel("b", kOther);
  KernelCache none("g", ""), first("g", folder), second("g", folder);
  tx::HostKernels expected = compile(none, kernels);
  EXPECT_EQ(compile(first, kernels).object, expected.object);
  EXPECT_TRUE(has(first, 2, 0, 0));
  EXPECT_EQ(compile(second, kernels).object, expected.object);
  EXPECT_TRUE(has(second, 0, 0, 2));
}

TEST_F(Cache, AnotherCpuOrGeneratorIsAMiss) {
  KernelCache first("g", folder), cpu("g", folder), generator("h", folder);
  compile(first, kernel("a"));
  compile(cpu, kernel("a"), "x86-64-v4");
  EXPECT_TRUE(has(cpu, 1, 0, 0));
  compile(generator, kernel("a"));
  EXPECT_TRUE(has(generator, 1, 0, 0));
}

/// What GeneratorIdentity.cmake writes of these libraries.
std::string hashOf(const std::vector<std::string> &libraries, const std::string &output) {
  std::vector<std::string> arguments = {TX_CMAKE,
                                        "-D",
                                        "OUTPUT=" + output,
                                        "-D",
                                        "LIBRARIES=" + llvm::join(libraries, ","),
                                        "-P",
                                        std::string(TX_SOURCE_DIR) + "/lib/Target/Host/GeneratorIdentity.cmake"};
  EXPECT_EQ(llvm::sys::ExecuteAndWait(TX_CMAKE, llvm::SmallVector<llvm::StringRef>(arguments.begin(), arguments.end())),
            0);
  return read(output);
}

TEST_F(Cache, AChangeOfTheGeneratorIsAMiss) {
  llvm::SmallVector<llvm::StringRef> parts;
  llvm::StringRef(TX_GENERATOR_LIBRARIES).split(parts, ',');
  std::vector<std::string> libraries(parts.begin(), parts.end());
  ASSERT_GE(libraries.size(), 6u);
  const std::string identity = tx::host::getGeneratorIdentity(), output = folder + "/hash.cpp";
  std::string now = hashOf(libraries, output);
  size_t begin = now.find('"') + 1;
  ASSERT_NE(identity.find(now.substr(begin, now.rfind('"') - begin)), std::string::npos)
      << "the library hash that was compiled in is another: " << identity;
  ASSERT_TRUE(llvm::StringRef(identity).starts_with("LLVM 22."));

  KernelCache first(identity, folder);
  compile(first, kernel("a"));
  for (std::string &library : libraries) {
    // One byte in the middle, as any other constant in the code would change.
    std::string content = read(library), original = library;
    ASSERT_GT(content.size(), 1000u) << library;
    content[content.size() / 2] ^= 1;
    library = folder + "/changed.a";
    write(library, content);
    std::string changed = hashOf(libraries, output);
    EXPECT_NE(changed, now) << original;
    KernelCache other(changed, folder);
    compile(other, kernel("a"));
    EXPECT_TRUE(has(other, 1, 0, 0)) << original;
    library = original;
  }
}

TEST_F(Cache, DamagedFilesAreMissesAndAreWrittenAgain) {
  KernelCache first("g", folder);
  tx::HostKernels expected = compile(first, kernel("a"));
  ASSERT_EQ(files().size(), 1u);
  const std::string path = files().front(), good = read(path);
  auto check = [&](const std::string &content, const std::string &what) {
    write(path, content);
    KernelCache cache("g", folder);
    EXPECT_EQ(compile(cache, kernel("a")).object, expected.object) << what;
    EXPECT_TRUE(has(cache, 1, 0, 0)) << what;
    EXPECT_EQ(read(path), good) << what;
  };
  for (size_t size : {size_t(0), size_t(7), size_t(15), size_t(16), good.size() / 2, good.size() - 1})
    check(good.substr(0, size), "cut to " + std::to_string(size));
  check(good + "x", "longer");
  for (size_t at = 0; at < good.size(); at += 97) {
    std::string changed = good;
    changed[at] ^= 4;
    check(changed, "byte " + std::to_string(at));
  }
}

TEST_F(Cache, AFolderOfOthersIsNotUsed) {
  namespace fs = llvm::sys::fs;
  ASSERT_FALSE(fs::setPermissions(folder, fs::all_all));
  KernelCache open("g", folder);
  compile(open, kernel("a"));
  EXPECT_NE(diagnostics.find("can be written to by others, and what lies there is code"), std::string::npos)
      << diagnostics;
  EXPECT_TRUE(files().empty());
  compile(open, kernel("b"));
  EXPECT_EQ(diagnostics, "") << "said twice";
}

TEST_F(Cache, AFileInPlaceOfTheFolder) {
  write(folder + "/file", "");
  for (const char *path : {"/file", "/file/below"}) {
    KernelCache cache("g", folder + path);
    compile(cache, kernel("a"));
    EXPECT_NE(diagnostics.find("it is not used"), std::string::npos) << path << ": " << diagnostics;
  }
}

} // namespace
