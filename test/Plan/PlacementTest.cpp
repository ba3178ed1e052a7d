//===- PlacementTest.cpp - place() on small problems ----------------------------------------------------*- C++ -*-===//

#include "TrainingSteps.h"

#include "gtest/gtest.h"

#include <limits>

using namespace tx::plan;
using namespace tx::plan::test;

namespace {

/// The least height, by trying every buffer on every possible support. Only for a handful of buffers.
class BruteForce {
public:
  explicit BruteForce(const std::vector<Buffer> &buffers) : buffers(buffers), offsets(buffers.size(), -1) {}
  int64_t solve() {
    extend(0);
    return best;
  }

private:
  /// In each best packing, pushed down, buffers can be placed one after the other, each as low as those below it allow.
  void extend(int64_t height) {
    if (height >= best)
      return;
    bool all = true;
    for (size_t i = 0; i < buffers.size(); ++i) {
      if (offsets[i] >= 0)
        continue;
      all = false;
      int64_t at = 0;
      for (size_t j = 0; j < buffers.size(); ++j)
        if (offsets[j] >= 0 && buffers[i].lower < buffers[j].upper && buffers[j].lower < buffers[i].upper)
          at = std::max(at, offsets[j] + buffers[j].alignedSize());
      at = (at + buffers[i].alignment - 1) / buffers[i].alignment * buffers[i].alignment;
      offsets[i] = at;
      extend(std::max(height, at + buffers[i].alignedSize()));
      offsets[i] = -1;
    }
    if (all)
      best = height;
  }

  const std::vector<Buffer> &buffers;
  std::vector<int64_t> offsets;
  int64_t best = std::numeric_limits<int64_t>::max();
};

std::vector<Buffer> randomBuffers(Random &random, int count, int64_t times, int64_t sizes, bool mixedAlignment) {
  std::vector<Buffer> buffers;
  for (int i = 0; i < count; ++i) {
    int64_t lower = random.below(times);
    int64_t upper = lower + 1 + random.below(times - lower);
    int64_t alignment = mixedAlignment ? int64_t(1) << random.below(4) : 1;
    buffers.push_back({lower, upper, 1 + random.below(sizes), alignment});
  }
  return buffers;
}

TEST(Placement, NothingToPlace) {
  Placement placement = place({});
  EXPECT_EQ(placement.height, 0);
  EXPECT_EQ(verifyPlacement({}, placement), std::nullopt);
}

// Buffers without bytes take no room, whatever else they ask for.
TEST(Placement, EmptyBuffersTakeNoRoom) {
  std::vector<Buffer> buffers = {{0, 4, 0, 64}, {2, 2, 0, 1 << 20}, {0, 4, 64, 64}};
  Placement placement = place(buffers);
  EXPECT_EQ(placement.height, 64);
  EXPECT_EQ(verifyPlacement(buffers, placement), std::nullopt);
}

// Half-open lifetimes: what ends at 3 and what starts at 3 share their bytes.
TEST(Placement, ReusesBytesAtTheMomentTheyAreFreed) {
  std::vector<Buffer> buffers = {{0, 3, 1000, 8}, {3, 5, 1000, 8}};
  EXPECT_EQ(place(buffers).height, 1000);
}

TEST(Placement, RoundsSizesUpToTheAlignment) {
  std::vector<Buffer> buffers = {{0, 2, 100, 256}, {1, 3, 100, 256}};
  Placement placement = place(buffers);
  EXPECT_EQ(placement.height, 512);
  EXPECT_EQ(placement.lowerBound, 512);
}

TEST(Placement, BadBuffersGiveNoOffsetsAndAReason) {
  std::vector<Buffer> buffers = {{0, 2, 8, 8}, {5, 3, 8, 8}};
  Placement placement = place(buffers);
  EXPECT_TRUE(placement.offsets.empty());
  EXPECT_EQ(verifyPlacement(buffers, placement), "buffer 1 (8 bytes, alive [5, 3)) ends before it starts");
}

TEST(Placement, MatchesBruteForce) {
  Random random(7);
  for (int round = 0; round < 600; ++round) {
    std::vector<Buffer> buffers = randomBuffers(random, 3 + round % 6, 4 + round % 5, 9, round % 3 == 0);
    Placement placement = place(buffers);
    ASSERT_EQ(verifyPlacement(buffers, placement), std::nullopt) << round;
    ASSERT_EQ(placement.height, BruteForce(buffers).solve()) << round;
  }
}

TEST(Placement, IsAFunctionOfTheInput) {
  Random random(11);
  std::vector<Buffer> buffers = randomBuffers(random, 120, 60, 1000, false);
  EXPECT_EQ(place(buffers).offsets, place(buffers).offsets);
}

// A height that is good enough ends the search; less effort never crashes.
TEST(Placement, StopsAtTheCapacity) {
  Random random(13);
  std::vector<Buffer> buffers = randomBuffers(random, 120, 60, 1000, false);
  PlacementOptions loose;
  loose.capacity = 1'000'000;
  Placement quick = place(buffers, loose);
  EXPECT_EQ(quick.method, "greedy");
  EXPECT_EQ(verifyPlacement(buffers, quick), std::nullopt);
  PlacementOptions none;
  none.effort = 0;
  EXPECT_EQ(verifyPlacement(buffers, place(buffers, none)), std::nullopt);
}

} // namespace
