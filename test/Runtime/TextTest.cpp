//===- TextTest.cpp - Words for messages --------------------------------------------------------------------------===//

#include "core/Text.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace txrt;

namespace {

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

TEST(ReadableBytes, Units) {
  EXPECT_EQ(readableBytes(12), "12 bytes");
  EXPECT_EQ(readableBytes(1536), "1.50 KiB");
  EXPECT_EQ(readableBytes(3.0 * (1 << 30)), "3.00 GiB");
}

} // namespace
