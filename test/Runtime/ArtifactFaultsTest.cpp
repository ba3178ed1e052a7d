// Damage: no damaged artifact is opened, and none crashes the reader.

#include "TestArtifact.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <sys/stat.h>
#include <unistd.h>

TEST(ArtifactFaults, SmallArtifactOpens) {
  txrt_error error = openError(smallArtifact().bytes());
  EXPECT_EQ(error.code, TXRT_OK) << error.message;
}

TEST(ArtifactFaults, TruncationAtEveryLength) {
  std::vector<uint8_t> whole = smallArtifact().bytes();
  for (size_t length = 0; length < whole.size(); ++length) {
    std::vector<uint8_t> part(whole.begin(), whole.begin() + long(length));
    ASSERT_EQ(openError(part).code, TXRT_BAD_INPUT) << length << " bytes";
  }
  whole.push_back(0);
  EXPECT_STREQ(openError(whole).message, ("test.txa: has bytes added: " + std::to_string(whole.size() - 1) +
                                          " bytes were written, " + std::to_string(whole.size()) + " are here")
                                             .c_str());
}

// The same with a valid length and digest: the sections no longer fit.
TEST(ArtifactFaults, SealedTruncation) {
  std::vector<uint8_t> whole = smallArtifact().bytes();
  for (size_t length = sizeof(txrt_header); length < whole.size(); ++length) {
    std::vector<uint8_t> part(whole.begin(), whole.begin() + long(length));
    seal(part);
    ASSERT_EQ(openError(part).code, TXRT_BAD_INPUT) << length << " bytes";
  }
}

TEST(ArtifactFaults, EveryBitFlip) {
  std::vector<uint8_t> bytes = smallArtifact().bytes();
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    bytes[bit / 8] ^= uint8_t(1 << bit % 8);
    ASSERT_EQ(openError(bytes).code, TXRT_BAD_INPUT) << "bit " << bit;
    bytes[bit / 8] ^= uint8_t(1 << bit % 8);
  }
}

// Arbitrary bytes under a valid digest. Many are harmless (text, flops, code); none may crash the reader or the making
// of a session (run this under ASan).
TEST(ArtifactFaults, SealedMutations) {
  const std::vector<uint8_t> whole = smallArtifact().bytes();
  std::mt19937 random(7);
  const uint64_t values[] = {0,           1, 0x7f, 0x80, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff,
                             ~uint64_t(0)};
  int refused = 0;
  constexpr int rounds = 20000;
  for (int round = 0; round < rounds; ++round) {
    std::vector<uint8_t> bytes = whole;
    for (unsigned change = random() % 3 + 1; change; --change) {
      size_t width = size_t(1) << random() % 4;
      size_t at = sizeof(txrt_header) + random() % (bytes.size() - 64 - 8);
      uint64_t value = random() % 2 ? values[random() % 10] : random();
      memcpy(&bytes[at / width * width], &value, width);
    }
    seal(bytes);
    txrt_artifact *artifact;
    txrt_error error;
    if (txrt_artifact_open_memory(bytes.data(), bytes.size(), nullptr, &artifact, &error) != TXRT_OK) {
      ++refused;
      ASSERT_EQ(error.code, TXRT_BAD_INPUT) << error.message;
      continue;
    }
    // Sizes in the manifest may now be larger, but a digit or two at most.
    txrt_options options = {};
    options.threads = 1;
    txrt_session *session;
    if (txrt_session_create(artifact, &options, &session, &error) == TXRT_OK)
      txrt_session_destroy(session);
    txrt_artifact_close(artifact);
  }
  EXPECT_GT(refused, rounds / 10);
}

// Random bytes in every table item, one table at a time.
TEST(ArtifactFaults, SealedRandomTables) {
  std::mt19937 random(11);
  auto scramble = [&](void *data, size_t size) {
    auto *bytes = static_cast<uint8_t *>(data);
    for (size_t i = 0; i < size; ++i)
      bytes[i] = static_cast<uint8_t>(random());
  };
  for (int round = 0; round < 500; ++round) {
    TestArtifact a = smallArtifact();
    switch (round % 4) {
    case 0:
      scramble(a.entries.data(), a.entries.size() * sizeof(txrt_entry));
      a.manifest = smallArtifact().manifestText();
      break;
    case 1:
      scramble(a.launches.data(), a.launches.size() * sizeof(txrt_launch));
      break;
    case 2:
      scramble(a.buffers.data(), a.buffers.size() * sizeof(txrt_buffer));
      break;
    case 3:
      scramble(a.kernels.data(), a.kernels.size() * sizeof(txrt_kernel));
      break;
    }
    ASSERT_EQ(openError(a.bytes()).code, TXRT_BAD_INPUT);
  }
}

namespace {
/// A file in the test's working folder, removed at the end.
struct TemporaryFile {
  explicit TemporaryFile(const std::vector<uint8_t> &bytes) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  ~TemporaryFile() { unlink(path.c_str()); }
  std::string path = "artifact-faults-" + std::to_string(getpid()) + ".txa";
};

txrt_error openPath(const std::string &path) {
  txrt_error error = {};
  txrt_artifact *artifact;
  if (txrt_artifact_open(path.c_str(), &artifact, &error) == TXRT_OK)
    txrt_artifact_close(artifact);
  return error;
}
} // namespace

TEST(ArtifactFaults, Files) {
  std::vector<uint8_t> bytes = smallArtifact().bytes();
  TemporaryFile file(bytes);
  EXPECT_EQ(openPath(file.path).code, TXRT_OK);

  txrt_error error = openPath("no-such-file.txa");
  EXPECT_EQ(error.code, TXRT_IO);
  EXPECT_STREQ(error.message, "no-such-file.txa: cannot be opened: No such file or directory");
  error = openPath("/");
  EXPECT_EQ(error.code, TXRT_BAD_INPUT);
  EXPECT_STREQ(error.message, "/: is no regular file; it is a folder: name a file in it");

  // Opening a FIFO that nobody writes must not wait.
  std::string fifo = "artifact-faults-" + std::to_string(getpid()) + ".fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(openPath(fifo).code, TXRT_BAD_INPUT);
  unlink(fifo.c_str());
}

// A sparse file of 2 GiB is refused by its size, without being read.
TEST(ArtifactFaults, TooLarge) {
  TemporaryFile file({});
  ASSERT_EQ(truncate(file.path.c_str(), off_t(2) << 30), 0);
  txrt_error error = openPath(file.path);
  EXPECT_EQ(error.code, TXRT_BAD_INPUT);
  EXPECT_NE(strstr(error.message, "2.00 GiB long"), nullptr) << error.message;
}

TEST(ArtifactFaults, NullArguments) {
  txrt_error error;
  EXPECT_EQ(txrt_artifact_open(nullptr, nullptr, &error), TXRT_USAGE);
  EXPECT_EQ(txrt_artifact_open_memory(nullptr, 4, nullptr, nullptr, nullptr), TXRT_USAGE);
  EXPECT_EQ(txrt_session_create(nullptr, nullptr, nullptr, &error), TXRT_USAGE);
}
