//===- InputLimitsTest.cpp - Hostile inputs stop before the parsers -----------------------------------------------===//

#include "FrontendTest.h"

#include "tx/Frontend/HuggingFace.h"
#include "tx/Support/InputLimits.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"

#include <random>
#include <sys/stat.h>

using namespace tx;

static std::string repeat(llvm::StringRef text, int times) {
  std::string result;
  for (int i = 0; i < times; ++i)
    result += text;
  return result;
}

static std::string jsonError(const std::string &text) { return take(checkJsonLimits(text, "f.json")).message; }
static std::string mlirError(const std::string &text) { return take(checkMlirLimits(text, "f.mlir")).message; }

namespace {
/// A file of the test's own, removed at its end.
struct TemporaryFile {
  explicit TemporaryFile(llvm::StringRef extension, llvm::StringRef content = "") {
    llvm::SmallString<128> name;
    int fd;
    EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("tx-frontend", extension, fd, name));
    llvm::raw_fd_ostream(fd, /*shouldClose=*/true) << content;
    path = name.str();
  }
  ~TemporaryFile() { llvm::sys::fs::remove(path); }
  std::string path;
};
} // namespace

TEST(InputLimits, JsonNesting) {
  EXPECT_EQ(jsonError("\n" + repeat("[", 1000000)), "f.json:2: nested more than 64 levels deep");
  EXPECT_EQ(jsonError(repeat("{\"a\":", 65)), "f.json:1: nested more than 64 levels deep");
  EXPECT_EQ(jsonError(repeat("[", 64) + repeat("]", 64)), "");
  EXPECT_EQ(jsonError("{\"a\": \"" + repeat("[", 1000) + "\\\"" + repeat("{", 1000) + "\"}"), "");
}

// llvm::json takes a NUL for the end.
TEST(InputLimits, JsonIsText) {
  EXPECT_EQ(jsonError(std::string("{}\n\0{}", 6)), "f.json:2: it has a NUL byte, after 3 bytes: JSON is text");
}

TEST(InputLimits, MessagesSteerNoTerminal) {
  EXPECT_EQ(escapeControls("a\x1b[31mb\nc\td\r\x7f"), "a\\x1b[31mb\\nc\\td\\x0d\\x7f");
  EXPECT_EQ(escapeControls("grün …"), "grün …"); // UTF-8 stays
  EXPECT_EQ(escapeControls("\xc2\x9b"
                           "1m"),
            "\\xc2\\x9b1m");                           // a control character of Latin-1
  EXPECT_EQ(escapeControls("\xff\xc3"), "\\xff\\xc3"); // no UTF-8
}

TEST(InputLimits, JsonKeysOnce) {
  EXPECT_EQ(jsonError("{\"n_layer\": 1,\n \"n_layer\": 2}"),
            "f.json:2: the key \"n_layer\" is there twice; leave one out");
  EXPECT_EQ(jsonError(R"({"a": {"b": 1}, "c": {"b": 1}, "d": [{"b": 1}, {"b": "b"}]})"), "");
  EXPECT_HOLDS(jsonError(R"({"n_layer": 1, "n_laye\u0072": 2})"), "has an escape");
}

TEST(InputLimits, MlirNesting) {
  for (const char *bracket : {"(", "[", "{", "tuple<"})
    EXPECT_EQ(mlirError("module " + repeat(bracket, 100000)), "f.mlir:1: nested more than 256 levels deep") << bracket;
  EXPECT_EQ(mlirError(repeat("func.func @f() -> (i32) {}\n", 10000)), "");
  EXPECT_EQ(mlirError("// " + repeat("(", 1000) + "\n" + "\"" + repeat("(", 1000) + "\""), "");
}

// A chain of aliases is one deep attribute.
TEST(InputLimits, MlirAliases) {
  for (const char *format :
       {"#a{0} = [#a{1}]\n", "!a{0} = tuple<!a{1}>\n", "#a{0} = loc(callsite(\"f\" at #a{1}))\n"}) {
    std::string text = llvm::formatv(format[0] == '#' ? "#a0 = []\n" : "!a0 = i1\n");
    for (int i = 1; i < 1000; ++i)
      text += llvm::formatv(format, i, i - 1).str();
    EXPECT_HOLDS(mlirError(text), "nested more than 256 levels deep");
  }
  // Many aliases side by side are not deep.
  std::string text = "#a0 = 1\n";
  for (int i = 1; i < 1000; ++i)
    text += llvm::formatv("#a{0} = [#a0]\n", i).str();
  EXPECT_EQ(mlirError(text), "");
}

// The parser recurses with the operators of an affine expression.
TEST(InputLimits, MlirAffineExpressions) {
  EXPECT_EQ(mlirError("module attributes {a.b = affine_map<(d0) -> (d0" + repeat("+d0", 1000000) + ")>} {}"),
            "f.mlir:1: affine_map has no place in a model");
}

TEST(InputLimits, FilesThatAreNone) {
  EXPECT_EQ(failureOf({"/dev/null/config.json"}).exitCode, 7);
  TemporaryFile file("json");
  llvm::sys::fs::remove(file.path);
  ASSERT_EQ(mkfifo(file.path.c_str(), 0600), 0);
  Failure failure = failureOf({file.path});
  EXPECT_EQ(failure.exitCode, 7);
  EXPECT_HOLDS(failure.message, ", not a regular file; give the file itself");

  TemporaryFile large("json", repeat(" ", (1 << 20) + 1));
  EXPECT_HOLDS(failureOf({large.path}).message, "it has 1048577 bytes; at most 1048576 are read");
}

static Failure loadingOf(std::vector<llvm::StringRef> arguments) {
  CompileOptions options = parsed(std::move(arguments));
  mlir::MLIRContext context;
  auto module = loadModel(context, options);
  return module ? Failure{"", 0} : take(module.takeError());
}

TEST(InputLimits, ModulesThatDoNotVerify) {
  TemporaryFile overflow("mlir", "func.func @f(%x: tensor<4294967296x4294967296xf32>) -> () {\n"
                                 "  %y = tx.gelu %x in <\"x\"> : tensor<4294967296x4294967296xf32>\n  return\n}\n");
  Failure failure = loadingOf({overflow.path});
  EXPECT_EQ(failure.exitCode, 1);
  EXPECT_HOLDS(failure.message, ":2:8: 'tx.gelu' op has a tensor of more than 2^56 elements");

  TemporaryFile garbage("mlir", "this is no module");
  EXPECT_HOLDS(loadingOf({garbage.path}).message, garbage.path + ":1:1: ");
  TemporaryFile empty("mlir");
  EXPECT_EQ(loadingOf({empty.path}).exitCode, 0);
}

TEST(InputLimits, BytecodeNeedsAFlag) {
  TemporaryFile bytecode("mlir", llvm::StringRef("ML\xefR\x0d", 5));
  EXPECT_HOLDS(loadingOf({bytecode.path}).message, "--allow-bytecode");
  EXPECT_EQ(loadingOf({bytecode.path, "--allow-bytecode"}).exitCode, 1);
}

// Whatever is cut out of or changed in a config: an answer, and no crash.
TEST(InputLimits, MutatedConfigs) {
  const std::string text = R"({"model_type": "gpt2", "n_layer": 2, "n_embd": 64, "n_head": 2, "n_inner": null,
    "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1, "tie_word_embeddings": true, "summary_type": "x"})";
  std::mt19937 random(1);
  for (int round = 0; round < 20000; ++round) {
    std::string mutant = text;
    for (unsigned edits = 1 + random() % 4; edits-- > 0 && !mutant.empty();) {
      size_t at = random() % mutant.size();
      switch (random() % 3) {
      case 0:
        mutant.erase(at, 1 + random() % 8);
        break;
      case 1:
        mutant[at] = static_cast<char>(random());
        break;
      default:
        mutant.insert(at, 1, "{}[]\",:0e-."[random() % 11]);
      }
    }
    std::vector<std::string> notes;
    llvm::Expected<ModelConfig> config = parseHuggingFaceConfig(mutant, "m.json", notes);
    if (!config)
      EXPECT_EQ(take(config.takeError()).exitCode, 1);
    else if (llvm::Error error = resolve(*config))
      EXPECT_EQ(take(std::move(error)).exitCode, 1);
  }
}
