//===- Warp.h - A warp and its block while a kernel runs ------------------------------------------------*- C++ -*-===//

#ifndef TX_TEST_GPU_EMULATOR_WARP_H
#define TX_TEST_GPU_EMULATOR_WARP_H

#include "Code.h"
#include "Emulator.h"
#include "Memory.h"

#include <cstring>
#include <deque>

namespace ptx {

constexpr unsigned kLanes = 32;

/// Calls `f(lane)` for the lanes of a mask.
template <typename F> inline void forLanes(uint32_t lanes, F f) {
  if (lanes == ~0u) {
    for (unsigned lane = 0; lane < kLanes; ++lane)
      f(lane);
    return;
  }
  for (; lanes; lanes &= lanes - 1)
    f(static_cast<unsigned>(__builtin_ctz(lanes)));
}

/// A slot's low bits as a T, and back; those above mean nothing.
template <typename T> inline T unpack(uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
template <typename T> inline uint64_t pack(T value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}

class Block;

class Warp {
public:
  Warp(Block &block, unsigned index);

  void start(uint32_t lanes);
  /// Until all lanes have exited or wait at a barrier.
  void run();
  bool isDone() const { return live == 0; }
  bool isAtBarrier() const { return barrier >= 0; }
  void passBarrier();
  uint32_t liveLanes() const { return live; }

  uint64_t *slot(uint32_t index) { return &registers[size_t(index) * kLanes]; }
  /// Memory of an access, checked and recorded.
  uint8_t *access(const Instruction &instruction, unsigned lane, Space space, uint64_t address, unsigned bytes,
                  Use use);
  uint64_t addressOf(const Instruction &instruction, unsigned lane, unsigned which = 0) {
    const Address &address = instruction.addresses[which];
    return (slot(address.base)[lane] & address.mask) + static_cast<uint64_t>(address.offset);
  }
  [[noreturn]] void fail(const Instruction &instruction, unsigned lane, const std::string &message);

  /// An asynchronous copy that has not arrived.
  struct Copy {
    uint64_t to;
    std::array<uint8_t, 16> bytes;
    unsigned size;
  };
  /// Of each lane: groups that are complete, oldest first, and the open one.
  struct Copies {
    std::deque<std::vector<Copy>> groups;
    std::vector<Copy> open;
  };
  std::array<Copies, kLanes> copies;

  int barrier = -1;             // the one at which the warp waits
  uint64_t barrierThreads = 0;  // how many it waits for, 0: all
  std::vector<uint32_t> clocks; // of each of the block's warps, as far as this one has met it
  Block &block;
  const unsigned index;

private:
  void step(uint32_t group, uint32_t at, uint32_t stop);
  void go(uint32_t lanes, uint32_t to);
  bool meet(uint32_t at, uint32_t lanes);
  void execute(const Instruction &instruction, uint32_t lanes);
  void requireWritten(const Instruction &instruction, uint32_t slotIndex, uint32_t lanes);
  uint32_t lanesAt(uint32_t at) const;
  [[noreturn]] void failDivergent();

  std::vector<uint64_t> registers;
  std::vector<std::array<uint32_t, 2>> written; // of each slot's halves: the lanes that have a value
  std::array<uint32_t, kLanes> pcs = {};
  uint32_t live = 0, waiting = 0;
};

/// A block, one after another of a launch.
class Block {
public:
  Block(const Kernel &kernel, const Launch &launch, Memory &memory, bool findsRaces);
  void run(std::array<unsigned, 3> place, uint32_t number);

  const Kernel &kernel;
  const Launch &launch;
  Memory &memory;
  const bool findsRaces;
  std::vector<uint8_t> shared, parameters;
  Shadow sharedShadow;
  std::vector<uint8_t> pendingCopies; // for each byte of shared memory
  size_t pendingCount = 0;            // copies on their way
  std::array<unsigned, 3> place = {};
  uint32_t number = 0; // of the block in its grid
  unsigned threads;
  uint64_t executed = 0;
  uint64_t moved[2] = {0, 0}; // bytes of global memory, by Use

private:
  /// A barrier's last meeting.
  struct Meeting {
    std::vector<unsigned> members; // warps
    std::vector<uint32_t> clocks;  // that they went on with
  };
  bool releaseBarriers();
  void meet(const std::vector<Warp *> &members);
  [[noreturn]] void failAt(int barrier, const std::string &message) const;
  std::vector<Warp> warps;
  std::array<Meeting, 16> meetings;
};

} // namespace ptx

#endif // TX_TEST_GPU_EMULATOR_WARP_H
