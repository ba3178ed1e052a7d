#include "core/Sha256.h"

#include <gtest/gtest.h>

using namespace txrt;

static std::string hex(const Sha256::Digest &digest) {
  std::string text;
  for (uint8_t byte : digest) {
    const char *digits = "0123456789abcdef";
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

static std::string sha256(const std::string &text) {
  Sha256 sha;
  sha.update(text.data(), text.size());
  return hex(sha.finish());
}

// The examples of FIPS 180-4 and of NIST's validation suite.
TEST(Sha256, PublishedVectors) {
  EXPECT_EQ(sha256(""), "e3b0c44298fc1c149afbf4c8996fb924"
                        "27ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223"
                           "b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), "248d6a61d20638b8e5c026930c3e6039"
                                                                                "a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67"
                                               "f1809a48a497200e046d39ccc7112cd0");
}

// Every way to cut a message around the block size gives the same digest.
TEST(Sha256, PiecesOfAnySize) {
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += static_cast<char>(i * 7);
  for (size_t length = 0; length <= text.size(); ++length)
    for (size_t piece : {1, 3, 55, 56, 63, 64, 65}) {
      Sha256 sha;
      for (size_t at = 0; at < length; at += piece)
        sha.update(text.data() + at, std::min(piece, length - at));
      ASSERT_EQ(hex(sha.finish()), sha256(text.substr(0, length)));
    }
}
