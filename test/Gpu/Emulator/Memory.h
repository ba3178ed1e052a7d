//===- Memory.h - Device memory and who accessed it -----------------------------------------------------*- C++ -*-===//
//
// Beside each word of four bytes lies who wrote it last and who read it since: two threads, and of one block, whose
// warps barriers order in parts, each warp. Once a part of a word is accessed alone, this is kept for each byte.
// Threads of a block are ordered by barriers only: each warp has a clock, which a barrier moves on, and knows the
// others' clocks as of their last meeting.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TEST_GPU_EMULATOR_MEMORY_H
#define TX_TEST_GPU_EMULATOR_MEMORY_H

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ptx {

enum class Space : uint8_t { Global, Shared, Parameter, Generic };
enum class Use : uint8_t { Read, Write };

/// A thread at a moment: launch 14 bits, block 20, thread 10, clock 20.
using Moment = uint64_t;
constexpr uint32_t kMaxLaunches = 1u << 14, kMaxBlocks = 1u << 20, kMaxClock = (1u << 20) - 1;
inline Moment momentOf(uint32_t launch, uint32_t block, uint32_t thread, uint32_t clock) {
  return uint64_t(launch) << 50 | uint64_t(block) << 30 | uint64_t(thread) << 20 | clock;
}
inline uint32_t launchOf(Moment moment) { return static_cast<uint32_t>(moment >> 50); }
inline uint32_t blockOf(Moment moment) { return moment >> 30 & (kMaxBlocks - 1); }
inline uint32_t threadOf(Moment moment) { return moment >> 20 & 1023; }
inline uint32_t clockOf(Moment moment) { return moment & kMaxClock; }

/// Who accessed each byte of a piece of memory.
class Shadow {
public:
  explicit Shadow(size_t bytes);
  ~Shadow();
  Shadow(const Shadow &) = delete;
  void clear();

  /// Records an access. Returns an access that may come before or after it, or 0. `clocks`: of the block's warps, as
  /// `now`'s thread knows them.
  Moment record(size_t first, size_t bytes, Use use, Moment now, const uint32_t *clocks) {
    for (size_t i = first, end = first + bytes; i < end;) {
      Accesses &word = words[i / kWord];
      const bool isWhole = i % kWord == 0 && i + kWord <= end && !word.isSplit;
      if (!isWhole && !word.isSplit)
        split(i / kWord);
      if (Moment other = recordOne(isWhole ? word : parts[i], use, now, clocks))
        return other;
      i += isWhole ? kWord : 1;
    }
    return 0;
  }
  /// The first byte of a range that nobody wrote; the range's end if there is none.
  size_t findUnwritten(size_t first, size_t bytes) const {
    size_t i = first;
    while (i < first + bytes) {
      const Accesses &word = words[i / kWord];
      if (!(word.isSplit ? parts[i] : word).writer)
        break;
      i = word.isSplit ? i + 1 : (i / kWord + 1) * kWord;
    }
    return std::min(i, first + bytes);
  }

private:
  static constexpr size_t kWord = 4;
  struct Accesses {
    Moment writer, readers[2];
    uint32_t more;    // where in `pool` there are more readers; 0: nowhere
    uint32_t isSplit; // of a word: its bytes have their own, in `parts`
  };
  /// In `pool`: the launch and block whose readers they are, how many warps have room, and of each warp its last
  /// readers.
  enum { Launch, Block, Warps, First };
  static bool isOrdered(Moment before, Moment now, const uint32_t *clocks) {
    if (launchOf(before) != launchOf(now))
      return true; // kernels follow each other
    if (blockOf(before) != blockOf(now))
      return false;
    return threadOf(before) == threadOf(now) || clocks[threadOf(before) / 32] > clockOf(before);
  }
  Moment recordOne(Accesses &one, Use use, Moment now, const uint32_t *clocks);
  void split(size_t word);
  void addReader(Accesses &one, Moment now);
  Moment findReader(const Accesses &one, Moment now, const uint32_t *clocks) const;

  size_t wordCount;
  Accesses *words, *parts; // of each word; of each byte, where words are split
  std::vector<uint32_t> pool = {0};
};

struct Allocation {
  explicit Allocation(size_t bytes) : bytes(bytes), shadow(bytes) {}
  size_t bytes;
  Shadow shadow;
};

class Memory {
public:
  ~Memory();
  uint64_t allocate(size_t bytes);
  void release(uint64_t address);
  /// What holds all of [address, address + bytes), and where it begins; null if nothing does.
  Allocation *find(uint64_t address, size_t bytes, uint64_t &begin);
  /// "13 bytes behind the end of 1024 bytes at 0x..."
  std::string describe(uint64_t address) const;
  /// The number of the next launch.
  uint32_t nextLaunch();
  uint32_t launch = 0;

private:
  std::map<uint64_t, Allocation> allocations;
  Allocation *last = nullptr;
  uint64_t lastBegin = 0;
};

} // namespace ptx

#endif // TX_TEST_GPU_EMULATOR_MEMORY_H
