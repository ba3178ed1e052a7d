//===- Collectives.cpp - What threads of a warp or block do together ----------------------------------------------===//

#include "Lanes.h"

using namespace ptx;

namespace {

enum Direction : uint8_t { Up, Down, Butterfly, Index };

// Slots: result, whether the source is in range; value, b, c, members.
void shuffle(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  uint64_t *results = warp.slot(instruction.slots[0]), *inRange = warp.slot(instruction.slots[1]);
  const uint64_t *values = warp.slot(instruction.slots[2]), *b = warp.slot(instruction.slots[3]),
                 *c = warp.slot(instruction.slots[4]);
  uint64_t before[kLanes];
  std::memcpy(before, values, sizeof before);
  forLanes(lanes, [&](unsigned lane) {
    const unsigned distance = b[lane] & 31, clamp = c[lane] & 31, segment = c[lane] >> 8 & 31;
    const unsigned least = lane & segment, most = least | (clamp & ~segment);
    int from = 0;
    bool isIn = false;
    switch (instruction.variant) {
    case Up:
      from = static_cast<int>(lane) - static_cast<int>(distance);
      isIn = from >= static_cast<int>(most);
      break;
    case Down:
      from = static_cast<int>(lane + distance);
      isIn = from <= static_cast<int>(most);
      break;
    case Butterfly:
      from = static_cast<int>(lane ^ distance);
      isIn = from <= static_cast<int>(most);
      break;
    default:
      from = static_cast<int>(least | (distance & ~segment));
      isIn = from <= static_cast<int>(most);
    }
    if (!isIn)
      from = static_cast<int>(lane);
    if (!(lanes >> from & 1))
      warp.fail(instruction, lane, "reads a register of lane " + std::to_string(from) + ", which does not take part");
    results[lane] = before[from] & 0xffffffff;
    inRange[lane] = isIn;
  });
}

// Slots: result; predicate, members.
template <int kind> void vote(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  uint32_t ballot = 0;
  forLanes(lanes, [&](unsigned lane) { ballot |= uint32_t(warp.slot(instruction.slots[1])[lane] & 1) << lane; });
  const uint64_t result = kind == 0   ? ballot != 0
                          : kind == 1 ? ballot == lanes
                          : kind == 2 ? ballot == 0 || ballot == lanes
                                      : ballot;
  forLanes(lanes, [&](unsigned lane) { warp.slot(instruction.slots[0])[lane] = result; });
}

template <typename T, T (*f)(T, T)> void reduce(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  const uint64_t *values = warp.slot(instruction.slots[1]);
  T result = unpack<T>(values[__builtin_ctz(lanes)]);
  forLanes(lanes & (lanes - 1), [&](unsigned lane) { result = f(result, unpack<T>(values[lane])); });
  forLanes(lanes, [&](unsigned lane) { warp.slot(instruction.slots[0])[lane] = pack(result); });
}
template <typename T> T sum(T a, T b) { return static_cast<T>(uint32_t(a) + uint32_t(b)); }
template <typename T> T least(T a, T b) { return a < b ? a : b; }
template <typename T> T most(T a, T b) { return a > b ? a : b; }
uint32_t bitAnd(uint32_t a, uint32_t b) { return a & b; }
uint32_t bitOr(uint32_t a, uint32_t b) { return a | b; }
uint32_t bitXor(uint32_t a, uint32_t b) { return a ^ b; }

/// Orders the memory of all of the warp's threads, if all are there.
void meetInWarp(Warp &warp, const Instruction &, uint32_t lanes) {
  if (lanes == warp.liveLanes())
    ++warp.clocks[warp.index];
}

// Slots: barrier, threads (0: all of the block).
void meetInBlock(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  const uint64_t *ids = warp.slot(instruction.slots[0]), *threads = warp.slot(instruction.slots[1]);
  const auto first = static_cast<unsigned>(__builtin_ctz(lanes));
  forLanes(lanes, [&](unsigned lane) {
    if (uint32_t(ids[lane]) != uint32_t(ids[first]) || uint32_t(ids[lane]) > 15)
      warp.fail(instruction, lane,
                "names barrier " + std::to_string(uint32_t(ids[lane])) +
                    ": the same one of 0 to 15 for all threads of a warp");
    if (threads[lane] % kLanes)
      warp.fail(instruction, lane, "waits for a number of threads that is no multiple of a warp");
  });
  warp.barrier = static_cast<int>(ids[first]);
  warp.barrierThreads = uint32_t(threads[first]);
}

void readMask(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  forLanes(lanes, [&](unsigned lane) { warp.slot(instruction.slots[0])[lane] = lanes; });
}

} // namespace

void ptx::addCollectives(Table &table) {
  const std::pair<const char *, Direction> directions[] = {
      {"up", Up}, {"down", Down}, {"bfly", Butterfly}, {"idx", Index}};
  for (auto [name, direction] : directions)
    table[std::string("shfl.sync.") + name + ".b32"] = {shuffle, 2, 4, Control::Members, direction};
  table["vote.sync.any.pred"] = {vote<0>, 1, 2, Control::Members};
  table["vote.sync.all.pred"] = {vote<1>, 1, 2, Control::Members};
  table["vote.sync.uni.pred"] = {vote<2>, 1, 2, Control::Members};
  table["vote.sync.ballot.b32"] = {vote<3>, 1, 2, Control::Members};
  table["redux.sync.add.u32"] = {reduce<uint32_t, sum<uint32_t>>, 1, 2, Control::Members};
  table["redux.sync.add.s32"] = {reduce<int32_t, sum<int32_t>>, 1, 2, Control::Members};
  table["redux.sync.min.u32"] = {reduce<uint32_t, least<uint32_t>>, 1, 2, Control::Members};
  table["redux.sync.min.s32"] = {reduce<int32_t, least<int32_t>>, 1, 2, Control::Members};
  table["redux.sync.max.u32"] = {reduce<uint32_t, most<uint32_t>>, 1, 2, Control::Members};
  table["redux.sync.max.s32"] = {reduce<int32_t, most<int32_t>>, 1, 2, Control::Members};
  table["redux.sync.and.b32"] = {reduce<uint32_t, bitAnd>, 1, 2, Control::Members};
  table["redux.sync.or.b32"] = {reduce<uint32_t, bitOr>, 1, 2, Control::Members};
  table["redux.sync.xor.b32"] = {reduce<uint32_t, bitXor>, 1, 2, Control::Members};
  table["bar.warp.sync"] = {meetInWarp, 0, 1, Control::Members};
  for (const char *name :
       {"bar.sync", "barrier.sync", "barrier.sync.aligned", "barrier.cta.sync", "barrier.cta.sync.aligned"})
    table[name] = {meetInBlock, 0, 2, Control::Barrier};
  table["activemask.b32"] = {readMask, 1, 0};
}
