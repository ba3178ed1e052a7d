//===- CollectiveCases.h - Collectives and what they must give ------------------------------------------*- C++ -*-===//
//
// On numbers whose sums depend on their order.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TEST_RUNTIME_COLLECTIVECASES_H
#define TEST_RUNTIME_COLLECTIVECASES_H

#include "comm/Collectives.h"

#include <cmath>
#include <vector>

/// What rank r of any world has at element i. Sums of such numbers round.
inline float valueAt(int rank, uint64_t i) {
  return std::sin(float(i) * 1.7f + float(rank) * 0.31f) * std::exp2(float(int(i * 7 + uint64_t(rank) * 3) % 21 - 10));
}

inline std::vector<float> operandOf(int rank, uint64_t count) {
  std::vector<float> values(count);
  for (uint64_t i = 0; i < count; ++i)
    values[i] = valueAt(rank, i);
  return values;
}

/// From the left, in the order of ranks.
inline float sumAt(const txrt::Group &group, uint64_t i) {
  float sum = valueAt(group.member(0), i);
  for (int r = 1; r < group.ranks; ++r)
    sum += valueAt(group.member(r), i);
  return sum;
}

inline txrt_collective_launch launchOf(txrt_collective kind, int ranks, int stride, uint64_t count, uint64_t outer = 1,
                                       int peer = 0, bool wraps = false) {
  txrt_collective_launch launch = {};
  launch.collective = kind;
  launch.ranks = static_cast<uint32_t>(ranks);
  launch.stride = static_cast<uint32_t>(stride);
  launch.count = count;
  launch.outer = outer;
  launch.peer = peer;
  launch.wraps = wraps;
  return launch;
}

/// What the definition says rank `rank` gets at element i of its result.
inline float expected(const txrt_collective_launch &c, int rank, uint64_t i) {
  const txrt::Group group = txrt::groupOf(rank, static_cast<int>(c.ranks), static_cast<int>(c.stride));
  const uint64_t ranks = c.ranks, block = c.count / c.outer;
  const auto self = static_cast<uint64_t>(group.index);
  switch (static_cast<txrt_collective>(c.collective)) {
  case TXRT_ALL_REDUCE:
    return sumAt(group, i);
  case TXRT_ALL_GATHER:
    return valueAt(group.member(static_cast<int>(i / block % ranks)), i / (block * ranks) * block + i % block);
  case TXRT_REDUCE_SCATTER: {
    const uint64_t part = block / ranks;
    return sumAt(group, i / part * block + self * part + i % part);
  }
  case TXRT_ALL_TO_ALL: {
    const uint64_t part = block / ranks;
    const uint64_t from = i / part % ranks;
    return valueAt(group.member(static_cast<int>(from)), i / block * block + self * part + i % part);
  }
  case TXRT_BROADCAST:
    return valueAt(group.member(c.peer), i);
  case TXRT_REDUCE:
    return group.index == c.peer ? sumAt(group, i) : 0.0f;
  case TXRT_SEND_RECV: {
    int source = group.index - c.peer;
    if (c.wraps)
      source = (source % group.ranks + group.ranks) % group.ranks;
    else if (source < 0 || source >= group.ranks)
      return 0.0f;
    return valueAt(group.member(source), i);
  }
  }
  return NAN;
}

inline uint64_t resultCount(const txrt_collective_launch &c) {
  return c.collective == TXRT_ALL_GATHER       ? c.count * c.ranks
         : c.collective == TXRT_REDUCE_SCATTER ? c.count / c.ranks
                                               : c.count;
}

#endif // TEST_RUNTIME_COLLECTIVECASES_H
