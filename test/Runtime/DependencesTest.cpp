// Which waits suffice: on programs made by hand, and on random ones against the definition.

#include "core/Dependences.h"
#include "core/Failure.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace txrt;

namespace {

struct Touch {
  uint32_t segment;
  uint64_t offset, bytes;
  bool writes;
};

/// A program of buffers and waits alone.
struct Launches {
  Launches() : strings("launch") {}

  txrt_launch &add(txrt_lane lane, const std::vector<Touch> &touches) {
    txrt_launch launch = {};
    launch.lane = lane;
    launch.first_buffer = static_cast<uint32_t>(buffers.size());
    launch.buffer_count = static_cast<uint32_t>(touches.size());
    for (const Touch &t : touches)
      buffers.push_back({t.segment, TXRT_DTYPE_F32, t.offset, t.bytes, t.writes, 0});
    launches.push_back(launch);
    return launches.back();
  }
  // Of [offset, offset + 64); `wait` is 1 + the index of the launch of the other lane.
  void sum(uint64_t offset, uint32_t wait = 0) {
    add(TXRT_LANE_COLLECTIVES, {{0, offset, 64, false}, {0, offset, 64, true}}).waits[TXRT_LANE_COMPUTE] = wait;
  }
  void read(uint64_t offset, uint32_t wait = 0) {
    add(TXRT_LANE_COMPUTE, {{0, offset, 64, false}}).waits[TXRT_LANE_COLLECTIVES] = wait;
  }
  void write(uint64_t offset, uint32_t wait = 0) {
    add(TXRT_LANE_COMPUTE, {{0, offset, 64, true}}).waits[TXRT_LANE_COLLECTIVES] = wait;
  }
  void endEntry() {
    const uint32_t first = entries.empty() ? 0 : entries.back().first_launch + entries.back().launch_count;
    entries.push_back({0, first, static_cast<uint32_t>(launches.size()) - first, 0});
  }

  /// What is wrong; empty if the waits suffice.
  std::string check() {
    if (entries.empty())
      endEntry();
    txrt_program program = {};
    program.name = "test";
    program.strings = strings.c_str();
    program.entries = entries.data();
    program.entry_count = static_cast<uint32_t>(entries.size());
    program.launches = launches.data();
    program.launch_count = static_cast<uint32_t>(launches.size());
    program.buffers = buffers.data();
    program.segment_base[1] = 1 << 20;
    try {
      checkWaits(program);
    } catch (const Failure &failure) {
      return failure.what();
    }
    return "";
  }
  bool conflict(uint32_t a, uint32_t b) const {
    for (uint32_t i = 0; i < launches[a].buffer_count; ++i)
      for (uint32_t j = 0; j < launches[b].buffer_count; ++j) {
        const txrt_buffer &x = buffers[launches[a].first_buffer + i];
        const txrt_buffer &y = buffers[launches[b].first_buffer + j];
        if (x.segment == y.segment && x.offset < y.offset + y.bytes && y.offset < x.offset + x.bytes &&
            (x.writes || y.writes))
          return true;
      }
    return false;
  }

  std::string strings;
  std::vector<txrt_launch> launches;
  std::vector<txrt_buffer> buffers;
  std::vector<txrt_entry> entries;
};

} // namespace

TEST(Dependences, TheFirstThatTouchesWaits) {
  Launches p;
  p.write(0);
  p.sum(0, 1);
  p.write(64);
  p.read(32, 2);
  p.read(0);
  EXPECT_EQ(p.check(), "");
  p.launches[3].waits[TXRT_LANE_COLLECTIVES] = 0;
  EXPECT_EQ(p.check(), "test: launch 3 (launch) touches bytes of launch 1 (launch), which may not be done by then: of "
                       "lane 'collectives' it waits for no launch");
  p.launches[3].waits[TXRT_LANE_COLLECTIVES] = 2;
  p.launches[1].waits[TXRT_LANE_COMPUTE] = 0;
  EXPECT_EQ(p.check(), "test: launch 1 (launch) touches bytes of launch 0 (launch), which may not be done by then: of "
                       "lane 'compute' it waits for no launch");
}

TEST(Dependences, ALaterWaitServesThoseBefore) {
  Launches p;
  p.sum(0);
  p.sum(64);
  p.sum(128);
  p.read(64, 2);
  p.read(0);
  p.read(128, 3);
  EXPECT_EQ(p.check(), "");
  p.launches[5].waits[TXRT_LANE_COLLECTIVES] = 2;
  EXPECT_NE(p.check().find("launch 5 (launch) touches bytes of launch 2 (launch), which may not be done by then: of "
                           "lane 'collectives' it waits for launch 1 (launch)"),
            std::string::npos);
}

// A collective that has waited for a launch serves whoever waits for the collective.
TEST(Dependences, WhatIsWaitedForHasWaitedToo) {
  Launches p;
  p.sum(0);
  p.add(TXRT_LANE_COPIES, {{0, 0, 64, false}, {0, 128, 64, true}}).waits[TXRT_LANE_COLLECTIVES] = 1;
  p.add(TXRT_LANE_COMPUTE, {{0, 0, 64, false}, {0, 128, 64, false}}).waits[TXRT_LANE_COPIES] = 2;
  EXPECT_EQ(p.check(), "");
}

// Reading what a collective reads is no conflict; overwriting it is.
TEST(Dependences, ReadersDoNotWaitForReaders) {
  Launches p;
  p.add(TXRT_LANE_COLLECTIVES, {{0, 0, 64, false}, {0, 256, 128, true}});
  p.read(0);
  EXPECT_EQ(p.check(), "");
  p.entries.clear();
  p.write(0);
  EXPECT_NE(p.check(), "");
}

TEST(Dependences, SegmentsAreApart) {
  Launches p;
  p.sum(0);
  p.add(TXRT_LANE_COMPUTE, {{1, 0, 64, true}});
  EXPECT_EQ(p.check(), "");
}

TEST(Dependences, AnEntryWaitsForItsOwn) {
  Launches p;
  p.sum(0);
  p.endEntry();
  p.read(0);
  p.endEntry();
  EXPECT_EQ(p.check(), "");
  p.launches[1].waits[TXRT_LANE_COLLECTIVES] = 1;
  EXPECT_EQ(p.check(), "test: launch 1 (launch) waits for launch 0 (launch), which is of another entry");
}

// Waits at random suffice if and only if each conflict is covered.
TEST(Dependences, RandomPrograms) {
  std::mt19937 random(1);
  size_t good = 0, bad = 0;
  for (int round = 0; round < 2000; ++round) {
    Launches p;
    const int count = 2 + int(random() % 12);
    // before[a][b]: a is done when b begins.
    std::vector<std::vector<bool>> before(count, std::vector<bool>(count));
    bool suffices = true;
    for (int b = 0; b < count; ++b) {
      std::vector<Touch> touches;
      for (int i = 0, n = 1 + int(random() % 2); i < n; ++i)
        touches.push_back({uint32_t(random() % 2), random() % 8 * 16, 16 + random() % 3 * 16, random() % 2 == 0});
      txrt_launch &launch = p.add(static_cast<txrt_lane>(random() % TXRT_LANE_COUNT), touches);
      auto close = [&](int a) {
        before[a][b] = true;
        for (int c = 0; c < count; ++c)
          before[c][b] = before[c][b] || before[c][a];
      };
      bool isLast[TXRT_LANE_COUNT] = {true, true, true};
      for (int a = b - 1; a >= 0; --a) {
        const uint32_t lane = p.launches[a].lane;
        if (!std::exchange(isLast[lane], false))
          continue;
        if (lane != launch.lane && random() % 4 == 0)
          continue;
        if (lane != launch.lane)
          launch.waits[lane] = a + 1;
        close(a);
      }
      for (int a = 0; a < b; ++a)
        suffices = suffices && (before[a][b] || !p.conflict(a, b));
    }
    EXPECT_EQ(p.check().empty(), suffices) << round;
    ++(suffices ? good : bad);
  }
  EXPECT_GT(good, 300u);
  EXPECT_GT(bad, 300u);
}
