//===- TestFiles.h - A folder for a test's files --------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_TEST_TESTFILES_H
#define TXRT_TEST_TESTFILES_H

#include "core/Failure.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

/// Made for each test, removed after it.
class FolderTest : public ::testing::Test {
protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/tx-run-XXXXXX";
    ASSERT_NE(::mkdtemp(&pattern[0]), nullptr);
    folder = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string file(const std::string &name) const { return folder + "/" + name; }

  std::string write(const std::string &name, const std::string &bytes) const {
    std::ofstream(file(name), std::ios::binary) << bytes;
    return file(name);
  }

  static std::string read(const std::string &path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string folder;
};

/// Expects `work` to throw an Error with the code and with `part` in its one line.
template <typename Work> void expectError(txrt_status code, const std::string &part, Work work) {
  try {
    work();
    ADD_FAILURE() << "no error, wanted: " << part;
  } catch (const txrt::Failure &error) {
    EXPECT_EQ(static_cast<int>(error.code), static_cast<int>(code)) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
        << "wanted: " << part << "\nfound: " << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
  }
}

/// A number's bytes, lowest first.
template <typename T> std::string bytesOf(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(&bytes[0], &value, sizeof value);
  return bytes;
}

#endif // TXRT_TEST_TESTFILES_H
