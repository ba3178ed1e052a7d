//===- FileTest.cpp - Files that misbehave ------------------------------------------------------------------------===//

#include "core/File.h"
#include "Train/TestFiles.h"
#include "core/OutputFile.h"

#include <csignal>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace txrt;

namespace {

using FileTest = FolderTest;

size_t filesIn(const std::string &folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST_F(FileTest, OnlyRegularFilesAreRead) {
  expectError(TXRT_BAD_INPUT, "it is a folder", [&] { InputFile f(folder); });
  ASSERT_EQ(::mkfifo(file("pipe").c_str(), 0600), 0);
  expectError(TXRT_BAD_INPUT, "no regular file", [&] { InputFile f(file("pipe")); });
  expectError(TXRT_IO, "No such file", [&] { InputFile f(file("none")); });
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
  expectError(TXRT_IO, "out: cannot be written: it is read-only", [&] { AtomicFile f(path); });
  expectError(TXRT_IO, "it is read-only", [&] { OutputLock l(path); });
  std::filesystem::create_symlink("out", file("link"));
  expectError(TXRT_IO, "it is read-only", [&] { AtomicFile f(file("link")); });
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
    expectError(TXRT_IO, "another run writes it", [&] { OutputLock second(file("later")); });
    AtomicFile atomic(file("dangling"));
    atomic.write("new", 3);
    atomic.commit();
  }
  EXPECT_TRUE(std::filesystem::is_symlink(file("dangling")));
  EXPECT_EQ(read(file("later")), "new");
  std::filesystem::create_symlink("round", file("round"));
  expectError(TXRT_IO, "leads to itself", [&] { AtomicFile f(file("round")); });
}

TEST_F(FileTest, SpecialTargetsAreRefused) {
  ASSERT_EQ(::mkfifo(file("pipe").c_str(), 0600), 0);
  expectError(TXRT_IO, "no regular file", [&] { AtomicFile f(file("pipe")); });
  expectError(TXRT_IO, "no regular file", [&] { AtomicFile f(folder); });
  expectError(TXRT_IO, "cannot be written", [&] { AtomicFile f(file("none/out")); });
}

TEST_F(FileTest, AFailedWriteKeepsTheOldFile) {
  std::string path = write("out", "old");
  rlimit before, small;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  small = before;
  small.rlim_cur = 4096;
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  expectError(TXRT_IO, "what was there is untouched", [&] {
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

// On a file system without O_TMPFILE a new file has a name from the begin, and a killed run leaves it.
TEST_F(FileTest, AbandonedFilesAreRemoved) {
  for (const char *name : {".tx-0123456789abcdef.tmp", ".tx-fedcba9876543210.tmp", ".tx-0123456789abcdeX.tmp",
                           ".tx-0123456789abcdef.tmpx", "tx-0123456789abcdef.tmp", ".tx-01.tmp"})
    write(name, "x");
  const int writer = ::open(file(".tx-fedcba9876543210.tmp").c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(writer, LOCK_EX), 0);
  removeAbandoned(folder);
  EXPECT_EQ(filesIn(folder), 5u);
  EXPECT_FALSE(std::filesystem::exists(file(".tx-0123456789abcdef.tmp")));
  ::close(writer);
  removeAbandoned(folder);
  EXPECT_EQ(filesIn(folder), 4u);
}

TEST_F(FileTest, BytesAreRewritten) {
  {
    NewFile made(folder, "shown");
    made.write("0000 and more", 13);
    made.rewrite(0, "1234", 4);
    made.write("!", 1);
    made.flush();
    made.rename(file("out"));
  }
  EXPECT_EQ(read(file("out")), "1234 and more!");
  EXPECT_EQ(filesIn(folder), 1u);
}

TEST_F(FileTest, ASecondRunIsKeptOut) {
  {
    OutputLock lock(file("model.safetensors"));
    expectError(TXRT_IO, "another run writes it", [&] { OutputLock second(file("model.safetensors")); });
    OutputLock other(file("other.safetensors"));
  }
  OutputLock again(file("model.safetensors"));
  expectError(TXRT_IO, "cannot be written", [&] { OutputLock lock(file("none/model")); });
}

} // namespace
