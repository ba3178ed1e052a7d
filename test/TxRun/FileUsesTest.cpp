//===- FileUsesTest.cpp - No file has two uses that harm each other -----------------------------------------------===//

#include "FileUses.h"
#include "Options.h"
#include "TestFiles.h"

#include <sys/stat.h>
#include <unistd.h>

using namespace txrun;

namespace {

enum Access { Reads, Writes };

/// A flag that names a file, and how a command line with it looks.
struct NamingFlag {
  const char *who;    // in messages
  const char *flag;   // null: the artifact
  const char *before; // what the value begins with
  Access access;
  bool isFunction; // goes with --function, else with --train-iters
  bool isCuda = false;
};

/// Every flag that names a file. A new one is missed by TableIsWhole.
const NamingFlag namingFlags[] = {
    {"the artifact", nullptr, "", Reads, false},
    {"--data-path", "--data-path", "", Reads, false},
    {"--valid-data-path", "--valid-data-path", "", Reads, false},
    {"--load", "--load", "", Reads, false},
    {"--input a", "--input", "a=", Reads, true},
    {"--save", "--save", "", Writes, false},
    {"--dump-gradients", "--dump-gradients", "", Writes, false},
    {"--trace", "--trace", "", Writes, false},
    {"--log", "--log", "", Writes, false},
    {"--output b", "--output", "b=", Writes, true},
    {"--tuning-cache", "--tuning-cache", "", Writes, false, true},
    {"--memory-snapshot-path", "--memory-snapshot-path", "", Writes, false},
};

class FileUsesTest : public FolderTest {
protected:
  void SetUp() override {
    FolderTest::SetUp();
    existing = write("file", "x");
    write("artifact", "x");
    write("data", "x");
    std::filesystem::create_symlink("file", file("link"));
    std::filesystem::create_hard_link(existing, file("hard"));
    std::filesystem::create_symlink("new", file("dangling"));
    std::filesystem::create_symlink(folder, file("folder"));
  }

  /// A command line with these flags, each with a value.
  Options options(const std::vector<std::pair<const NamingFlag *, std::string>> &flags) {
    bool isFunction = false, hasArtifact = false, hasData = false, isCuda = false;
    std::vector<std::string> arguments;
    for (const auto &[naming, value] : flags) {
      isFunction |= naming->isFunction;
      isCuda |= naming->isCuda;
      hasArtifact |= !naming->flag;
      if (naming->who == std::string("--memory-snapshot-path"))
        arguments.push_back("--record-memory-history");
      hasData |= naming->flag && naming->flag == std::string("--data-path");
      if (naming->flag)
        arguments.push_back(naming->flag);
      arguments.push_back(naming->before + value);
    }
    if (!hasArtifact)
      arguments.push_back(file("artifact"));
    if (isFunction) {
      arguments.insert(arguments.end(), {"--function", "f"});
    } else {
      arguments.insert(arguments.end(), {"--train-iters", "1"});
      if (!hasData)
        arguments.insert(arguments.end(), {"--data-path", file("data")});
    }
    if (isCuda)
      arguments.insert(arguments.end(), {"--backend", "cuda", "--tune"});
    return parseOptions(arguments);
  }

  std::string existing;
};

/// Whether both can stand on one command line.
bool goTogether(const NamingFlag &a, const NamingFlag &b) {
  auto isFree = [](const NamingFlag &naming) {
    const std::string who = naming.who;
    return who == "the artifact" || who == "--load" || who == "--log" || who == "--dump-gradients" ||
           who == "--tuning-cache";
  };
  return a.isFunction == b.isFunction || isFree(a) || isFree(b);
}

TEST_F(FileUsesTest, EveryPairByEveryName) {
  int refused = 0;
  for (const NamingFlag &a : namingFlags)
    for (const NamingFlag &b : namingFlags) {
      if (&a >= &b || !goTogether(a, b))
        continue;
      const bool isContinued = a.who == std::string("--load") && b.who == std::string("--save");
      for (const auto &[first, second] :
           {std::pair("file", "file"), std::pair("file", "./file"), std::pair("file", "link"),
            std::pair("link", "file"), std::pair("hard", "file"), std::pair("file", "folder/file"),
            std::pair("folder/hard", "link"), std::pair("new", "dangling"), std::pair("folder/new", "./new")}) {
        SCOPED_TRACE(std::string(a.who) + " " + first + ", " + b.who + " " + second);
        const Options both = options({{&a, file(first)}, {&b, file(second)}});
        if ((a.access == Reads && b.access == Reads) || isContinued) {
          EXPECT_NO_THROW(refuseSharedFiles(fileUses(both, 1)));
          continue;
        }
        ++refused;
        for (const char *who : {a.who, b.who})
          expectError(TXRT_USAGE, who, [&] { refuseSharedFiles(fileUses(both, 1)); });
      }
      // Two files are two files; a folder lies beside them.
      const Options apart = options({{&a, existing}, {&b, write("other", "x")}});
      EXPECT_NO_THROW(refuseSharedFiles(fileUses(apart, 1)));
    }
  EXPECT_GT(refused, 200);
}

TEST_F(FileUsesTest, RelativeAndAbsoluteNames) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder);
  const Options both = options({{&namingFlags[5], "new"}, {&namingFlags[8], file("new")}});
  expectError(TXRT_USAGE, "--save and --log would both write it", [&] { refuseSharedFiles(fileUses(both, 1)); });
  std::filesystem::current_path(before);
}

TEST_F(FileUsesTest, OneFileOfTwoRanks) {
  auto refuse = [&](const char *output, const char *other, int ranks) {
    const Options some = parseOptions(
        {file("artifact"), "--function", "f", "--output", "y=" + file(output), "--output", "z=" + file(other)});
    refuseSharedFiles(fileUses(some, ranks));
  };
  EXPECT_NO_THROW(refuse("y{rank}", "z{rank}", 3));
  EXPECT_NO_THROW(refuse("y{rank}", "y3", 3));
  expectError(TXRT_USAGE, "--output y of rank 2 and --output z", [&] { refuse("y{rank}", "y2", 3); });
  // One flag, two ranks, through a link.
  std::filesystem::create_symlink("0", file("1"));
  expectError(TXRT_USAGE, "of rank 0 and --output y of rank 1", [&] { refuse("{rank}", "z", 2); });
}

TEST_F(FileUsesTest, StandardOutputIntoAFileThatIsWritten) {
  const Options log = options({{&namingFlags[8], existing}});
  EXPECT_NO_THROW(refuseSharedFiles(fileUses(log, 1)));
  std::fflush(stdout);
  const int before = ::dup(STDOUT_FILENO);
  const std::string path = existing;
  FILE *stream = std::fopen(path.c_str(), "a");
  ::dup2(::fileno(stream), STDOUT_FILENO);
  std::string said;
  try {
    refuseSharedFiles(fileUses(log, 1));
  } catch (const Failure &error) {
    said = error.what();
  }
  ::dup2(before, STDOUT_FILENO);
  ::close(before);
  std::fclose(stream);
  EXPECT_NE(said.find("--log and standard output would both write it"), std::string::npos) << said;
}

// A flag whose help calls its value a file stands in the table.
TEST_F(FileUsesTest, TableIsWhole) {
  std::istringstream help(helpText());
  int found = 0;
  for (std::string line; std::getline(help, line);) {
    if (line.compare(0, 4, "  --") ||
        (line.find(" FILE") == std::string::npos && line.find("=FILE") == std::string::npos &&
         line.find("|FILE") == std::string::npos && line.find(".txa") == std::string::npos))
      continue;
    const std::string flag = line.substr(2, line.find(' ', 2) - 2);
    ++found;
    bool isKnown = flag == "--verify-recompute" || flag == "--write-device"; // do not go with --train-iters
    for (const NamingFlag &naming : namingFlags)
      isKnown |= naming.flag && flag == naming.flag;
    EXPECT_TRUE(isKnown) << flag;
    // No flag takes an empty name, or a stream for a file.
    for (const char *name : {"", "-"})
      expectError(TXRT_USAGE, flag + ": '", [&] {
        const bool isPair = line.find("=FILE") != std::string::npos;
        parseOptions({"s", flag, (isPair ? "a=" : "") + std::string(name)});
      });
  }
  EXPECT_EQ(found, 13);
  for (const char *name : {"", "-"})
    expectError(TXRT_USAGE, "is no artifact", [&] { parseOptions({name, "--bench"}); });
}

TEST_F(FileUsesTest, AnIndexBesideTheDataIsReadToo) {
  write("ids.bin", "x");
  const Options some = options({{&namingFlags[1], file("ids.bin")}, {&namingFlags[5], file("ids.idx")}});
  expectError(TXRT_USAGE, "--save would overwrite --data-path's index", [&] { refuseSharedFiles(fileUses(some, 1)); });
}

TEST_F(FileUsesTest, FilesOfFoldersOfWeights) {
  std::filesystem::create_directories(file("m"));
  for (const char *name : {"m/model-00001-of-00002.safetensors", "m/model.safetensors.index.json"})
    write(name, "x");
  auto refuse = [&](const std::vector<std::pair<const NamingFlag *, std::string>> &flags, const std::string &part) {
    expectError(TXRT_USAGE, part, [&] { refuseSharedFiles(fileUses(options(flags), 1)); });
  };
  const NamingFlag *load = &namingFlags[3], *save = &namingFlags[5], *log = &namingFlags[8];
  for (const char *source : {"m", "m/", "m/model.safetensors.index.json"}) {
    EXPECT_NO_THROW(refuseSharedFiles(fileUses(options({{load, file(source)}, {save, file("m")}}), 1)));
    refuse({{load, file(source)}, {log, file("m/model-00001-of-00002.safetensors")}}, "--log would overwrite --load");
  }
  for (const char *name : {"config.json", "model.safetensors", "tx-optimizer.safetensors"})
    refuse({{save, file("m")}, {log, file("m/") + name}}, "--save and --log would both write it");
  refuse({{save, file("n")}, {log, file("n")}}, "--save and --log would both write it");
}

TEST_F(FileUsesTest, TheTwinIsKept) {
  const Options twin = parseOptions({file("artifact"), "--verify-recompute", existing, "--log", file("hard")});
  expectError(TXRT_USAGE, "--log would overwrite --verify-recompute", [&] { refuseSharedFiles(fileUses(twin, 1)); });
}

} // namespace
