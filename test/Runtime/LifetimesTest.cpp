// Who lies where at which launch: on programs made by hand, and on random ones against the definition.

#include "core/Lifetimes.h"
#include "core/Failure.h"
#include "core/MemoryBlocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

using namespace txrt;

namespace {

struct Touch {
  uint64_t offset, bytes;
  bool writes;
  txrt_segment segment = TXRT_SEGMENT_TRANSIENT;
};

/// A program of buffers: 256 bytes of state, 256 of arguments, 1024 of the rest.
struct Launches {
  void add(const std::vector<Touch> &touches) {
    txrt_launch launch = {};
    launch.layer = -1;
    launch.first_buffer = static_cast<uint32_t>(buffers.size());
    launch.buffer_count = static_cast<uint32_t>(touches.size());
    for (const Touch &t : touches)
      buffers.push_back({uint32_t(t.segment), TXRT_DTYPE_F32, t.offset, t.bytes, t.writes, 0});
    launches.push_back(launch);
  }
  void write(uint64_t offset, uint64_t bytes = 64) { add({{offset, bytes, true}}); }
  void read(uint64_t offset, uint64_t bytes = 64) { add({{offset, bytes, false}}); }
  void name(const char *text, txrt_place_kind kind, uint64_t begin, uint64_t bytes) {
    places.push_back({text, kind, 0, begin, begin + bytes});
  }

  const txrt_program &view() {
    entry = {0, 0, static_cast<uint32_t>(launches.size()), 0};
    program = {};
    program.name = "p";
    program.strings = "f";
    program.entries = &entry;
    program.entry_count = 1;
    program.launches = launches.data();
    program.launch_count = entry.launch_count;
    program.buffers = buffers.data();
    program.places = places.data();
    program.place_count = static_cast<uint32_t>(places.size());
    const uint64_t sizes[] = {256, 256, 0, 1024};
    for (int s = 0; s < TXRT_SEGMENT_COUNT; ++s) {
      program.segment_base[s] = program.arena_bytes;
      program.segment_bytes[s] = sizes[s];
      program.arena_bytes += sizes[s];
    }
    return program;
  }

  /// "0x0+64 1-3": offset in the transient segment, bytes, launches.
  std::vector<std::string> lifetimes() {
    std::vector<std::string> texts;
    for (const Lifetime &v : findLifetimes(view(), 0))
      texts.push_back(format("0x%llx+%llu %u-%u", (unsigned long long)(v.begin - program.segment_base[3]),
                             (unsigned long long)(v.end - v.begin), v.first, v.last) +
                      (v.isResult       ? " result " + v.name
                       : v.name.empty() ? ""
                                        : " " + v.name));
    return texts;
  }

  /// The same of the blocks.
  std::vector<std::string> blocks() {
    std::vector<std::string> texts;
    for (const MemoryBlock &b : findBlocks(findLifetimes(view(), 0)))
      texts.push_back(format("0x%llx+%llu %u-%u", (unsigned long long)(b.begin - program.segment_base[3]),
                             (unsigned long long)(b.end - b.begin), b.first, b.last));
    return texts;
  }

  std::vector<txrt_launch> launches;
  std::vector<txrt_buffer> buffers;
  std::vector<txrt_place> places;
  txrt_entry entry = {};
  txrt_program program = {};
};

using Texts = std::vector<std::string>;

std::string mapOf(Launches &launches, const std::string &what) {
  char *text = nullptr;
  size_t size = 0;
  FILE *file = open_memstream(&text, &size);
  std::string result;
  try {
    printMemoryMap(launches.view(), what, file);
  } catch (const Failure &failure) {
    result = failure.what();
  }
  fclose(file);
  result = text + result;
  free(text);
  return result;
}

} // namespace

TEST(Lifetimes, FromTheWriterToTheLastReader) {
  Launches p;
  p.write(0);
  p.read(0);
  p.read(32, 16); // a part
  p.write(64);    // nobody reads it
  p.write(0);     // another value
  p.read(0);
  EXPECT_EQ(p.lifetimes(), (Texts{"0x0+64 0-2", "0x0+64 4-5", "0x40+64 3-3"}));
}

// An allocator knows no overlaps: parts of one tensor are a block, what is written in place of another value is
// another.
TEST(MemoryBlocks, PartsAreOneBlock) {
  Launches p;
  p.write(0, 96);  // columns of one tensor reach over each other
  p.write(32, 96); // until both are read
  p.read(0, 128);
  p.add({{0, 128, false}, {0, 128, true}}); // in place
  p.read(0, 128);
  p.write(256, 64); // nobody reads it
  EXPECT_EQ(p.blocks(), (Texts{"0x0+128 0-3", "0x0+128 3-4", "0x100+64 5-5"}));
}

TEST(MemoryBlocks, WhatFollowsIsAnother) {
  Launches p;
  p.write(0);
  p.read(0);
  p.write(0, 128);
  p.read(0, 128);
  EXPECT_EQ(p.blocks(), (Texts{"0x0+64 0-1", "0x0+128 2-3"}));
}

TEST(Lifetimes, AnUpdateInPlaceIsANewValue) {
  Launches p;
  p.write(0);
  p.add({{0, 64, false}, {0, 64, true}});
  p.read(0);
  EXPECT_EQ(p.lifetimes(), (Texts{"0x0+64 0-1", "0x0+64 1-2"}));
}

TEST(Lifetimes, AProductThatAddsReadsWhatItWrites) {
  Launches p;
  p.write(0);
  p.write(512);
  p.add({{512, 64, false}, {512, 64, false}, {0, 64, true}});
  p.launches.back().kind = TXRT_LAUNCH_GEMM;
  p.launches.back().u.gemm.beta = 1;
  for (uint32_t role = TXRT_GEMM_A; role <= TXRT_GEMM_C; ++role)
    p.launches.back().u.gemm.buffers[role] = role + 1;
  p.read(0);
  EXPECT_EQ(p.lifetimes(), (Texts{"0x0+64 0-2", "0x0+64 2-3", "0x200+64 1-2"}));
}

TEST(Lifetimes, ColumnsOfOneTensorAreValuesOfTheirWriters) {
  Launches p; // rows of 48 bytes, of which each writes 16: extents that interleave
  p.write(0, 112);
  p.write(16, 112);
  p.write(32, 112);
  p.read(0, 144);
  EXPECT_EQ(p.lifetimes(), (Texts{"0x0+112 0-3", "0x10+112 1-3", "0x20+112 2-3"}));
}

TEST(Lifetimes, ArgumentsAndResultsHaveNames) {
  Launches p;
  p.name("x", TXRT_PLACE_ARGUMENT, 256, 64);
  p.name("unused", TXRT_PLACE_ARGUMENT, 320, 64);
  p.name("y", TXRT_PLACE_RESULT, 512, 64);
  p.write(0);
  p.add({{0, 64, false, TXRT_SEGMENT_ARGUMENT}});
  p.write(64);
  EXPECT_EQ(p.lifetimes(), (Texts{"0xffffffffffffff00+64 0-1 x", "0x0+64 0-2 result y", "0x40+64 2-2"}));
}

TEST(Lifetimes, NamesOfState) {
  Launches p;
  p.name("a", TXRT_PLACE_STATE, 0, 64);
  p.name("b", TXRT_PLACE_STATE, 64, 64);
  p.name("c", TXRT_PLACE_STATE, 192, 64);
  auto at = [&](uint64_t offset, uint64_t bytes) {
    return nameOfPlace(p.view(), 0, {TXRT_SEGMENT_PERSISTENT, TXRT_DTYPE_F32, offset, bytes, 0, 0});
  };
  EXPECT_EQ(at(0, 64), "a");
  EXPECT_EQ(at(80, 16), "b");
  EXPECT_EQ(at(32, 224), "a .. c");
  EXPECT_EQ(at(128, 64), "");
}

/// The definition: bytes of a write are needed until the last launch that reads one of them before it is written again.
TEST(Lifetimes, RandomProgramsAgainstTheDefinition) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    Launches p;
    for (int i = 0; i < 30; ++i) {
      const uint64_t offset = random() % 24 * 4, bytes = (random() % 8 + 1) * 4;
      random() % 2 ? p.write(offset, bytes) : p.read(offset, bytes);
    }
    const std::vector<Lifetime> values = findLifetimes(p.view(), 0);
    const uint64_t base = p.program.segment_base[TXRT_SEGMENT_TRANSIENT];
    for (uint32_t i = 0; i < p.launches.size(); ++i) {
      const txrt_buffer &b = p.buffers[i];
      if (!b.writes)
        continue;
      uint32_t last = i;
      for (uint64_t byte = b.offset; byte < b.offset + b.bytes; ++byte)
        for (uint32_t j = i + 1; j < p.launches.size(); ++j) {
          const txrt_buffer &other = p.buffers[j];
          if (byte < other.offset || byte >= other.offset + other.bytes)
            continue;
          if (other.writes)
            break;
          last = std::max(last, j);
        }
      const auto found = std::find_if(values.begin(), values.end(), [&](const Lifetime &v) { return v.first == i; });
      ASSERT_NE(found, values.end());
      EXPECT_EQ(found->begin, base + b.offset);
      EXPECT_EQ(found->last, last) << "launch " << i << " of round " << round;
    }
  }
}

TEST(MemoryMap, SaysWhoIsThereAndWhereMostIsLive) {
  Launches p;
  p.name("w", TXRT_PLACE_STATE, 0, 64);
  p.name("x", TXRT_PLACE_ARGUMENT, 256, 64);
  p.add({{0, 64, false, TXRT_SEGMENT_ARGUMENT}, {0, 64, true}});
  p.add({{0, 64, false}, {0, 64, false, TXRT_SEGMENT_PERSISTENT}, {64, 128, true}});
  p.read(64, 128);
  EXPECT_EQ(mapOf(p, "all"),
            "arena: 1.50 KiB; of them 256 bytes of state, in all entries\n"
            "    at              size      state\n"
            "    persistent+0x0  64 bytes  w\n"
            "entry @f: launches 0 to 2; most is live at launch 1 (f): 192 bytes of transient's 1.00 KiB\n"
            "    at              size       launches  what\n"
            "    argument+0x0    64 bytes   0 to 0    x\n"
            "  * transient+0x0   64 bytes   0 to 1    f32 of f, forward\n"
            "  * transient+0x40  128 bytes  1 to 2    f32 of f, forward\n");
  EXPECT_EQ(mapOf(p, "1"),
            "launch 1 (f): kernel, forward, of entry @f: launches 0 to 2; most is live at launch 1 (f): 192 bytes of "
            "transient's 1.00 KiB\n"
            "    at              size                it reads and writes\n"
            "    transient+0x0   64 bytes   read     f32 of f, forward\n"
            "    persistent+0x0  64 bytes   read     w\n"
            "    transient+0x40  128 bytes  written  f32 of f, forward\n"
            "live at launch 1: 192 bytes of transient's 1.00 KiB\n"
            "    at              size       launches  what\n"
            "    transient+0x0   64 bytes   0 to 1    f32 of f, forward\n"
            "    transient+0x40  128 bytes  1 to 2    f32 of f, forward\n");
  EXPECT_EQ(mapOf(p, "3"), "p: there is no launch 3; there are 0 to 2");
  EXPECT_EQ(mapOf(p, "g"), "p: 'g' is no entry of it, no launch's number and not 'all'; entries: f");
}
