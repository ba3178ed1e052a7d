//===- FileTest.cpp - Files that misbehave --------------------------------===//

#include "Console.h"
#include "File.h"
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
  return static_cast<size_t>(std::distance(
      std::filesystem::directory_iterator(folder), {}));
}

TEST_F(FileTest, OnlyRegularFilesAreRead) {
  expectError(ExitCode::BadInput, "it is a folder",
              [&] { InputFile f(folder); });
  ASSERT_EQ(::mkfifo(file("pipe").c_str(), 0600), 0);
  expectError(ExitCode::BadInput, "no regular file",
              [&] { InputFile f(file("pipe")); });
  expectError(ExitCode::Io, "No such file",
              [&] { InputFile f(file("none")); });
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

TEST_F(FileTest, WhatAKilledWriterLeftIsWrittenOver) {
  std::string path = write("out", "old");
  write("out.tx-tmp", "the half of a file that was longer than the new one");
  AtomicFile atomic(path);
  expectError(ExitCode::Io, "another run writes it",
              [&] { AtomicFile second(path); });
  atomic.write("new", 3);
  atomic.commit();
  EXPECT_EQ(read(path), "new");
  EXPECT_EQ(filesIn(folder), 1u);
  // The lock went with the name.
  AtomicFile next(path);
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
}

TEST_F(FileTest, SpecialTargetsAreRefused) {
  ASSERT_EQ(::mkfifo(file("pipe").c_str(), 0600), 0);
  expectError(ExitCode::Io, "no regular file",
              [&] { AtomicFile f(file("pipe")); });
  expectError(ExitCode::Io, "no regular file", [&] { AtomicFile f(folder); });
  expectError(ExitCode::Io, "cannot be written",
              [&] { AtomicFile f(file("none/out")); });
  expectError(ExitCode::Io, "no regular file",
              [&] { Log log("/dev/null"); });
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
    expectError(ExitCode::Io, "another run writes it",
                [&] { OutputLock second(file("model.safetensors")); });
    OutputLock other(file("other.safetensors"));
  }
  OutputLock again(file("model.safetensors"));
  expectError(ExitCode::Io, "cannot be written",
              [&] { OutputLock lock(file("none/model")); });
}

TEST_F(FileTest, OneFileHasManyNames) {
  std::string path = write("real", "x");
  std::filesystem::create_symlink(path, file("link"));
  EXPECT_TRUE(isSameFile(path, file("link")));
  EXPECT_TRUE(isSameFile(path, folder + "/./real"));
  EXPECT_FALSE(isSameFile(path, write("other", "x")));
  EXPECT_FALSE(isSameFile(file("none"), file("none")));
  EXPECT_FALSE(isSameFile("", path));
}

TEST_F(FileTest, LogLinesAreWholeAndLocked) {
  {
    Log log(file("log.jsonl"));
    log.write(JsonLine().integer("step", 1).number("loss", 0.1));
    expectError(ExitCode::Io, "another run writes it",
                [&] { Log second(file("log.jsonl")); });
    // Written before the log is closed.
    EXPECT_EQ(read(file("log.jsonl")), "{\"step\": 1, \"loss\": 0.1}\n");
  }
  Log log(file("log.jsonl"));
  log.write(JsonLine().text("a", "x\"\n\xff"));
  EXPECT_EQ(read(file("log.jsonl")),
            "{\"step\": 1, \"loss\": 0.1}\n{\"a\": \"x\\\"\\n\\ufffd\"}\n");
}

TEST(JsonLine, NumbersKeepTheirBits) {
  EXPECT_EQ(JsonLine().number("x", 1.0 / 3).str(),
            "{\"x\": 0.3333333333333333}");
  EXPECT_EQ(JsonLine().number("x", 0.1f).str(), "{\"x\": 0.1}");
  EXPECT_EQ(JsonLine().number("x", double(NAN)).str(), "{\"x\": null}");
  EXPECT_EQ(JsonLine().number("x", 1e300).str(), "{\"x\": 1e+300}");
}

TEST(Printable, NoLineBreaksNoBrokenText) {
  EXPECT_EQ(printable("a\nb\x1b[31m"), "a?b?[31m");
  EXPECT_EQ(printable("\xc3\xa4\xff"), "\xc3\xa4?");
  EXPECT_EQ(printable(std::string(100, 'x'), 3), "xxx...");
}

TEST(HumanBytes, Units) {
  EXPECT_EQ(humanBytes(12), "12 bytes");
  EXPECT_EQ(humanBytes(1536), "1.50 KiB");
  EXPECT_EQ(humanBytes(3.0 * (1 << 30)), "3.00 GiB");
}

} // namespace
