// Which launch waits for which collective: on programs made by hand, and on random ones against the definition.

#include "core/Dependences.h"

#include <gtest/gtest.h>

#include <random>

using namespace txrt;

namespace {

struct Touch {
  uint32_t segment;
  uint64_t offset, bytes;
  bool writes;
};

/// A program of buffers alone.
struct Launches {
  void add(txrt_launch_kind kind, const std::vector<Touch> &touches) {
    txrt_launch launch = {};
    launch.kind = kind;
    launch.first_buffer = static_cast<uint32_t>(buffers.size());
    launch.buffer_count = static_cast<uint32_t>(touches.size());
    for (const Touch &t : touches)
      buffers.push_back({t.segment, TXRT_DTYPE_F32, t.offset, t.bytes, t.writes, 0});
    launches.push_back(launch);
  }
  /// In place, of [offset, offset + 64).
  void reduce(uint64_t offset) { add(TXRT_LAUNCH_COLLECTIVE, {{0, offset, 64, false}, {0, offset, 64, true}}); }
  void read(uint64_t offset) { add(TXRT_LAUNCH_KERNEL, {{0, offset, 64, false}}); }
  void write(uint64_t offset) { add(TXRT_LAUNCH_KERNEL, {{0, offset, 64, true}}); }
  void endEntry() {
    const uint32_t first = entries.empty() ? 0 : entries.back().first_launch + entries.back().launch_count;
    entries.push_back({0, first, static_cast<uint32_t>(launches.size()) - first, 0});
  }

  std::vector<uint32_t> waits() {
    if (entries.empty())
      endEntry();
    txrt_program program = {};
    program.entries = entries.data();
    program.entry_count = static_cast<uint32_t>(entries.size());
    program.launches = launches.data();
    program.launch_count = static_cast<uint32_t>(launches.size());
    program.buffers = buffers.data();
    program.segment_base[1] = 1 << 20;
    return findWaits(program);
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

  std::vector<txrt_launch> launches;
  std::vector<txrt_buffer> buffers;
  std::vector<txrt_entry> entries;
};

using Waits = std::vector<uint32_t>;

} // namespace

TEST(Dependences, TheFirstThatTouchesWaits) {
  Launches p;
  p.write(0);
  p.reduce(0); // 1
  p.write(64);
  p.read(32);
  p.read(0);
  EXPECT_EQ(p.waits(), (Waits{0, 0, 0, 2, 0}));
}

TEST(Dependences, OneWaitServesThoseBefore) {
  Launches p;
  p.reduce(0);
  p.reduce(64);
  p.reduce(128);
  p.read(64);
  p.read(0);
  p.read(128);
  EXPECT_EQ(p.waits(), (Waits{0, 0, 0, 2, 0, 3}));
}

// Reading what a collective reads is no conflict; overwriting it is.
TEST(Dependences, ReadersDoNotWaitForReaders) {
  Launches p;
  p.add(TXRT_LAUNCH_COLLECTIVE, {{0, 0, 64, false}, {0, 256, 128, true}});
  p.read(0);
  p.write(0);
  EXPECT_EQ(p.waits(), (Waits{0, 0, 1}));
}

TEST(Dependences, SegmentsAreApart) {
  Launches p;
  p.reduce(0);
  p.add(TXRT_LAUNCH_GEMM, {{1, 0, 64, true}});
  EXPECT_EQ(p.waits(), (Waits{0, 0}));
}

TEST(Dependences, AnEntryWaitsForItsOwn) {
  Launches p;
  p.reduce(0);
  p.endEntry();
  p.read(0);
  p.endEntry();
  EXPECT_EQ(p.waits(), (Waits{0, 0}));
}

// Each conflict is covered by a wait in between, each wait is for a conflict that none before it has covered.
TEST(Dependences, RandomPrograms) {
  std::mt19937 random(1);
  size_t found = 0;
  for (int round = 0; round < 300; ++round) {
    Launches p;
    const int count = 2 + int(random() % 30);
    for (int i = 0; i < count; ++i) {
      std::vector<Touch> touches;
      for (int b = 0, n = 1 + int(random() % 3); b < n; ++b)
        touches.push_back({uint32_t(random() % 2), random() % 16 * 16, 16 + random() % 4 * 16, random() % 2 == 0});
      p.add(random() % 3 ? TXRT_LAUNCH_KERNEL : TXRT_LAUNCH_COLLECTIVE, touches);
    }
    const Waits waits = p.waits();
    uint32_t done = 0; // collectives up to here have been waited for
    for (uint32_t i = 0; i < waits.size(); ++i) {
      uint32_t needed = 0;
      if (p.launches[i].kind != TXRT_LAUNCH_COLLECTIVE)
        for (uint32_t j = 0; j < i; ++j)
          if (p.launches[j].kind == TXRT_LAUNCH_COLLECTIVE && p.conflict(j, i))
            needed = j + 1;
      EXPECT_EQ(waits[i], needed > done ? needed : 0) << round << " launch " << i;
      done = std::max(done, needed);
      found += waits[i] != 0;
    }
  }
  EXPECT_GT(found, 500u);
}
