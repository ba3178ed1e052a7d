//===- WaitsTest.cpp - Which launch waits for which: by hand, and random ones against the definition --------------===//

#include "tx/Plan/Waits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

using namespace tx;
using namespace tx::plan;

namespace {

constexpr int kNone = -1;

/// Launches on bytes [at, at + 64).
struct Launches {
  std::vector<LaunchBytes> all;

  void add(Lane lane, std::vector<ByteRange> ranges) { all.push_back({lane, std::move(ranges)}); }
  void read(int64_t at, Lane lane = Lane::Compute) { add(lane, {{0, at, at + 64, false}}); }
  void write(int64_t at, Lane lane = Lane::Compute) { add(lane, {{0, at, at + 64, true}}); }
  /// In place.
  void sum(int64_t at) { add(Lane::Collectives, {{0, at, at + 64, false}, {0, at, at + 64, true}}); }

  /// What each launch waits for in this lane.
  std::vector<int> waitsFor(Lane lane) const {
    std::vector<int> list;
    for (const Waits &waits : findWaits(all))
      list.push_back(waits[static_cast<unsigned>(lane)]);
    return list;
  }
};

using Numbers = std::vector<int>;

} // namespace

TEST(Waits, TheFirstThatTouchesWaits) {
  Launches p;
  p.write(0);
  p.sum(0);
  p.write(64);
  p.read(32);
  p.read(0);
  EXPECT_EQ(p.waitsFor(Lane::Collectives), (Numbers{kNone, kNone, kNone, 1, kNone}));
  EXPECT_EQ(p.waitsFor(Lane::Compute), (Numbers{kNone, 0, kNone, kNone, kNone}));
}

TEST(Waits, OneServesThoseBefore) {
  Launches p;
  for (int64_t at : {0, 64, 128})
    p.sum(at);
  for (int64_t at : {64, 0, 128})
    p.read(at);
  EXPECT_EQ(p.waitsFor(Lane::Collectives), (Numbers{kNone, kNone, kNone, 1, kNone, 2}));
}

// Reading what a collective reads is no conflict; overwriting it is.
TEST(Waits, ReadersDoNotWaitForReaders) {
  Launches p;
  p.add(Lane::Collectives, {{0, 0, 64, false}, {0, 256, 384, true}});
  p.read(0);
  p.write(0);
  EXPECT_EQ(p.waitsFor(Lane::Collectives), (Numbers{kNone, kNone, 0}));
}

TEST(Waits, SegmentsAreApart) {
  Launches p;
  p.sum(0);
  p.add(Lane::Compute, {{1, 0, 64, true}});
  EXPECT_EQ(p.waitsFor(Lane::Collectives), (Numbers{kNone, kNone}));
}

TEST(Waits, EmptyRangesTouchNothing) {
  Launches p;
  p.add(Lane::Collectives, {{0, 32, 32, true}});
  p.write(0);
  p.add(Lane::Collectives, {{0, 32, 32, true}});
  EXPECT_EQ(p.waitsFor(Lane::Collectives), (Numbers{kNone, kNone, kNone}));
  EXPECT_EQ(p.waitsFor(Lane::Compute), (Numbers{kNone, kNone, kNone}));
}

// A copy that has waited for a sum serves whoever waits for the copy.
TEST(Waits, WhatIsWaitedForHasWaitedToo) {
  Launches p;
  p.sum(0);
  p.add(Lane::Copies, {{0, 0, 64, false}, {0, 128, 192, true}});
  p.add(Lane::Compute, {{0, 0, 64, false}, {0, 128, 192, false}});
  EXPECT_EQ(p.waitsFor(Lane::Collectives), (Numbers{kNone, 0, kNone}));
  EXPECT_EQ(p.waitsFor(Lane::Copies), (Numbers{kNone, kNone, 1}));
}

// Each conflict is covered by a wait, and no wait can be left out.
TEST(Waits, AreNeitherTooFewNorTooMany) {
  std::mt19937 random(1);
  auto conflict = [](const LaunchBytes &a, const LaunchBytes &b) {
    for (const ByteRange &x : a.ranges)
      for (const ByteRange &y : b.ranges)
        if (x.segment == y.segment && x.begin < y.end && y.begin < x.end && (x.isWritten || y.isWritten))
          return true;
    return false;
  };
  int found = 0;
  for (int round = 0; round < 300; ++round) {
    Launches p;
    for (int i = 0, count = 2 + random() % 30; i < count; ++i) {
      std::vector<ByteRange> ranges;
      for (int b = 0, n = 1 + random() % 3; b < n; ++b) {
        int64_t begin = random() % 16 * 16;
        ranges.push_back({unsigned(random() % 2), begin, begin + 16 + int64_t(random() % 4) * 16, random() % 2 == 0});
      }
      p.add(static_cast<Lane>(random() % 3), ranges);
    }
    const int count = p.all.size();
    std::vector<Waits> waits = findWaits(p.all);
    // before[a][b]: a is done when b begins.
    std::vector<std::vector<bool>> before(count, std::vector<bool>(count));
    auto close = [&](int b, int last) {
      before[last][b] = true;
      for (int a = 0; a < count; ++a)
        before[a][b] = before[a][b] || before[a][last];
    };
    for (int b = 0; b < count; ++b) {
      for (int a = b - 1; a >= 0; --a)
        if (p.all[a].lane == p.all[b].lane) {
          close(b, a);
          break;
        }
      Numbers latestFirst(waits[b].begin(), waits[b].end());
      std::sort(latestFirst.rbegin(), latestFirst.rend());
      for (int a : latestFirst) {
        if (a < 0)
          continue;
        ++found;
        EXPECT_NE(p.all[a].lane, p.all[b].lane);
        EXPECT_TRUE(conflict(p.all[a], p.all[b])) << round << ": " << b << " waits for " << a << " in vain";
        EXPECT_FALSE(before[a][b]) << round << ": " << b << " waits for " << a << ", which is done";
        close(b, a);
      }
      for (int a = 0; a < b; ++a)
        EXPECT_TRUE(before[a][b] || !conflict(p.all[a], p.all[b])) << round << ": " << b << " begins before " << a;
    }
  }
  EXPECT_GT(found, 1000);
}
