//===- FileTest.cpp - Files that misbehave ------------------------------------------------------------------------===//

#include "File.h"
#include "Console.h"
#include "TestFiles.h"

#include <cmath>
#include <csignal>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace txrun;

namespace {

using FileTest = FolderTest;

size_t filesIn(const std::string &folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST_F(FileTest, OnlyRegularFilesAreRead) {
  expectError(ExitCode::BadInput, "it is a folder", [&] { InputFile f(folder); });
  ASSERT_EQ(::mkfifo(file("pipe").c_str(), 0600), 0);
  expectError(ExitCode::BadInput, "no regular file", [&] { InputFile f(file("pipe")); });
  expectError(ExitCode::Io, "No such file", [&] { InputFile f(file("none")); });
}

TEST_F(FileTest, CommitReplacesWholly) {
  std::string path = write("out", "old old old");
  {
    AtomicFile atomic(path);
    atomic.write("new", 3);
    EXPECT_EQ(read(path), "old old old");
    atomic.commit();
  }
  EXPECT_EQ(read(path), "new");
  EXPECT_EQ(filesIn(folder), 1u);
}

TEST_F(FileTest, WithoutCommitNothingHappens) {
  std::string path = write("out", "old");
  {
    AtomicFile atomic(path);
    atomic.write("new", 3);
  }
  EXPECT_EQ(read(path), "old");
  EXPECT_EQ(filesIn(folder), 1u);
}

// Whatever somebody has beside the output is his, be its name one that other programs use for locks and temporary
// files.
TEST_F(FileTest, WhatLiesBesideStays) {
  std::string path = write("out", "old");
  const char *const others[] = {"out.tx-tmp", "out.lock", "out.tmp", ".out.tmp", "out~", ".tx-run.tmp"};
  for (const char *other : others)
    write(other, "mine");
  std::filesystem::create_directory(file("new.lock"));
  for (const char *name : {"out", "new"}) {
    OutputLock lock(file(name));
    AtomicFile atomic(file(name));
    // Two writers are two files: the last one wins, whole.
    AtomicFile second(file(name));
    atomic.write("new", 3);
    second.write("newer", 5);
    atomic.commit();
    EXPECT_EQ(read(file(name)), "new");
    second.commit();
    EXPECT_EQ(read(file(name)), "newer");
  }
  for (const char *other : others)
    EXPECT_EQ(read(file(other)), "mine") << other;
  EXPECT_EQ(filesIn(folder), 2 + std::size(others) + 1);
}

TEST_F(FileTest, NothingIsSeenBeforeTheEnd) {
  AtomicFile atomic(file("out"));
  atomic.write("new", 3);
  if (filesIn(folder) != 0)
    GTEST_SKIP() << "this file system has no files without a name";
  atomic.commit();
  EXPECT_EQ(filesIn(folder), 1u);
}

TEST_F(FileTest, AReadOnlyTargetStays) {
  std::string path = write("out", "old");
  ASSERT_EQ(::chmod(path.c_str(), 0444), 0);
  expectError(ExitCode::Io, "out: cannot be written: it is read-only", [&] { AtomicFile f(path); });
  expectError(ExitCode::Io, "it is read-only", [&] { OutputLock l(path); });
  expectError(ExitCode::Io, "it is read-only", [&] { Log log(path); });
  std::filesystem::create_symlink("out", file("link"));
  expectError(ExitCode::Io, "it is read-only", [&] { AtomicFile f(file("link")); });
  EXPECT_EQ(read(path), "old");
  EXPECT_EQ(filesIn(folder), 2u);
}

TEST_F(FileTest, WhoMayReadAFileStays) {
  std::string path = write("out", "old");
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  AtomicFile atomic(path);
  atomic.commit();
  struct stat info;
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(FileTest, LinksAreFollowed) {
  std::string path = write("real", "old");
  std::filesystem::create_symlink(path, file("link"));
  {
    AtomicFile atomic(file("link"));
    atomic.write("new", 3);
    atomic.commit();
  }
  EXPECT_TRUE(std::filesystem::is_symlink(file("link")));
  EXPECT_EQ(read(path), "new");
  // A link to nothing: what it leads to is made.
  std::filesystem::create_symlink("later", file("dangling"));
  {
    OutputLock lock(file("dangling"));
    expectError(ExitCode::Io, "another run writes it", [&] { OutputLock second(file("later")); });
    AtomicFile atomic(file("dangling"));
    atomic.write("new", 3);
    atomic.commit();
  }
  EXPECT_TRUE(std::filesystem::is_symlink(file("dangling")));
  EXPECT_EQ(read(file("later")), "new");
  std::filesystem::create_symlink("round", file("round"));
  expectError(ExitCode::Io, "leads to itself", [&] { AtomicFile f(file("round")); });
}

TEST_F(FileTest, SpecialTargetsAreRefused) {
  ASSERT_EQ(::mkfifo(file("pipe").c_str(), 0600), 0);
  expectError(ExitCode::Io, "no regular file", [&] { AtomicFile f(file("pipe")); });
  expectError(ExitCode::Io, "no regular file", [&] { AtomicFile f(folder); });
  expectError(ExitCode::Io, "cannot be written", [&] { AtomicFile f(file("none/out")); });
  expectError(ExitCode::Io, "no regular file", [&] { Log log("/dev/null"); });
}

TEST_F(FileTest, AFailedWriteKeepsTheOldFile) {
  std::string path = write("out", "old");
  rlimit before, small;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  small = before;
  small.rlim_cur = 4096;
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  expectError(ExitCode::Io, "the old file is untouched", [&] {
    AtomicFile atomic(path);
    std::string much(10000, 'x');
    atomic.write(much.data(), much.size());
    atomic.commit();
  });
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(read(path), "old");
  EXPECT_EQ(filesIn(folder), 1u);
}

TEST_F(FileTest, ASecondRunIsKeptOut) {
  {
    OutputLock lock(file("model.safetensors"));
    expectError(ExitCode::Io, "another run writes it", [&] { OutputLock second(file("model.safetensors")); });
    OutputLock other(file("other.safetensors"));
  }
  OutputLock again(file("model.safetensors"));
  expectError(ExitCode::Io, "cannot be written", [&] { OutputLock lock(file("none/model")); });
}

TEST_F(FileTest, LogLinesAreWholeAndLocked) {
  {
    Log log(file("log.jsonl"));
    log.write(JsonLine().integer("step", 1).number("loss", 0.1));
    expectError(ExitCode::Io, "another run writes it", [&] { Log second(file("log.jsonl")); });
    // Written before the log is closed.
    EXPECT_EQ(read(file("log.jsonl")), "{\"step\": 1, \"loss\": 0.1}\n");
  }
  Log log(file("log.jsonl"));
  log.write(JsonLine().text("a", "x\"\n\xff"));
  EXPECT_EQ(read(file("log.jsonl")), "{\"step\": 1, \"loss\": 0.1}\n{\"a\": \"x\\\"\\n\\ufffd\"}\n");
}

// What a crash has cut off is nobody's line but its own.
TEST_F(FileTest, ATornLastLineIsLeftAlone) {
  for (const char *before : {"{\"step\": 1}\n{\"st", "{\"step\": 1}\n", ""}) {
    const std::string path = write("log.jsonl", before);
    {
      Log log(path);
      EXPECT_EQ(read(path), before); // a run that fails adds nothing
      log.write(JsonLine().integer("step", 2));
      log.write(JsonLine().integer("step", 3));
    }
    std::string whole = before;
    if (!whole.empty() && whole.back() != '\n')
      whole += '\n';
    EXPECT_EQ(read(path), whole + "{\"step\": 2}\n{\"step\": 3}\n");
  }
}

TEST(JsonLine, NumbersKeepTheirBits) {
  EXPECT_EQ(JsonLine().number("x", 1.0 / 3).str(), "{\"x\": 0.3333333333333333}");
  EXPECT_EQ(JsonLine().number("x", 0.1f).str(), "{\"x\": 0.1}");
  EXPECT_EQ(JsonLine().number("x", double(NAN)).str(), "{\"x\": null}");
  EXPECT_EQ(JsonLine().number("x", 1e300).str(), "{\"x\": 1e+300}");
}

TEST(Shown, ANanHasNoSign) {
  EXPECT_EQ(format("%g", shown(-double(NAN))), "nan");
  EXPECT_EQ(format("%.2f", shown(-INFINITY)), "-inf");
}

TEST(Printable, NoLineBreaksNoBrokenText) {
  EXPECT_EQ(printable("a\nb\x1b[31m"), "a\\x0ab\\x1b[31m");
  EXPECT_EQ(printable("\xc3\xa4\xff"), "\xc3\xa4\\xff");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");          // ESC [ of the second set
  EXPECT_EQ(printable("\xc0\x9b"), "\\xc0\\x9b");          // ESC, written too long
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae"); // right to left
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80"); // half a pair
  EXPECT_EQ(printable("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80");
  EXPECT_EQ(printable(printable("\x7f")), "\\x7f");
  EXPECT_EQ(printable(std::string(100, 'x'), 3), "xxx...");
}

TEST(HumanBytes, Units) {
  EXPECT_EQ(humanBytes(12), "12 bytes");
  EXPECT_EQ(humanBytes(1536), "1.50 KiB");
  EXPECT_EQ(humanBytes(3.0 * (1 << 30)), "3.00 GiB");
}

} // namespace
