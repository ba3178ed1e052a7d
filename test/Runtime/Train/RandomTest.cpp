//===- RandomTest.cpp - The generator is the published one --------------------------------------------------------===//

#include "train/Random.h"
#include "TestFiles.h"

#include <cmath>

using namespace txrt;
using namespace txrt::train;

namespace {

// From the Random123 distribution's known-answer file.
TEST(Random, PhiloxKnownAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}), (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, StreamsDiffer) {
  RandomStream a(1, "data"), b(1, "init"), c(2, "data"), again(1, "data");
  EXPECT_EQ(a.bits(7), again.bits(7));
  EXPECT_NE(a.bits(7), a.bits(8));
  EXPECT_NE(a.bits(7), b.bits(7));
  EXPECT_NE(a.bits(7), c.bits(7));
}

TEST(Random, BelowStaysBelowAndReachesAll) {
  RandomStream stream(3, "x");
  int seen[5] = {};
  for (uint64_t i = 0; i < 1000; ++i) {
    ASSERT_LT(stream.below(i, 5), 5u);
    ++seen[stream.below(i, 5)];
  }
  for (int count : seen)
    EXPECT_NEAR(count, 200, 60);
  EXPECT_EQ(stream.below(9, 1), 0u);
  EXPECT_LT(stream.below(9, ~uint64_t(0)), ~uint64_t(0));
}

TEST(Random, NormalsHaveTheRightMoments) {
  RandomStream stream(4, "x");
  double sum = 0, squares = 0, fourth = 0;
  const int count = 100000;
  for (int i = 0; i < count; ++i)
    for (double value : stream.normals(static_cast<uint64_t>(i))) {
      ASSERT_TRUE(std::isfinite(value));
      sum += value;
      squares += value * value;
      fourth += value * value * value * value;
    }
  EXPECT_NEAR(sum / (2 * count), 0.0, 0.01);
  EXPECT_NEAR(squares / (2 * count), 1.0, 0.02);
  EXPECT_NEAR(fourth / (2 * count), 3.0, 0.1);
}

} // namespace
