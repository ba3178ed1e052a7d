//===- Overlap.h - Collectives among launches that touch their bytes ----------------------------------------------===//

#ifndef TEST_RUNTIME_OVERLAP_H
#define TEST_RUNTIME_OVERLAP_H

#include "CollectiveCases.h"
#include "TestArtifact.h"

/// One entry on 60 floats each: A and B (persistent, at 0 and 256) and T (transient). Each kind of conflict is in it: a
/// launch that reads or writes what a collective writes, one that writes what a collective reads, and collectives that
/// follow others, or launches, at once.
inline TestArtifact overlapArtifact(int ranks) {
  TestArtifact a;
  a.segments[TXRT_SEGMENT_PERSISTENT] = 768;
  a.segments[TXRT_SEGMENT_TRANSIENT] = 256;
  a.elf = testKernels();
  const uint32_t weigh = a.kernel("weigh", 2, 1), bump = a.kernel("bump", 1, 2);
  constexpr auto persistent = TXRT_SEGMENT_PERSISTENT;
  constexpr auto transient = TXRT_SEGMENT_TRANSIENT;
  auto buffer = [&](txrt_segment segment, uint64_t offset, bool writes) {
    a.buffer(segment, TXRT_DTYPE_F32, offset, 240, writes);
  };
  // `awaited`: the launch that this one waits for; -1: none.
  auto wait = [&](int awaited) {
    if (awaited >= 0)
      a.waitFor(static_cast<uint32_t>(awaited));
  };
  auto addBump = [&](txrt_segment segment, uint64_t offset, int awaited) {
    buffer(segment, offset, true);
    a.kernelLaunch("bump", bump, 1, 60, 7, {1, 2});
    wait(awaited);
  };
  auto addWeigh = [&](txrt_segment from, uint64_t fromOffset, txrt_segment to, uint64_t toOffset, int awaited) {
    buffer(from, fromOffset, false);
    buffer(to, toOffset, true);
    a.kernelLaunch("weigh", weigh, 2, 60, 7, {0});
    wait(awaited);
  };
  auto addReduce = [&](uint64_t from, uint64_t to, const char *name, int awaited) {
    buffer(persistent, from, false);
    buffer(persistent, to, true);
    a.collectiveLaunch(name, launchOf(TXRT_ALL_REDUCE, ranks, 1, 60));
    wait(awaited);
  };
  addBump(persistent, 0, -1);                   // 0: A += 3
  addReduce(0, 0, "A", 0);                      // 1: A = sum of A
  addBump(persistent, 256, -1);                 // 2: B += 3
  addBump(persistent, 0, 1);                    // 3: A += 3
  addReduce(0, 0, "A", 3);                      // 4: A = sum of A
  addReduce(256, 512, "B", -1);                 // 5: C = sum of B; launch 4 has waited for B, too
  addWeigh(persistent, 0, transient, 0, 4);     // 6: T = weights A
  addBump(persistent, 256, 5);                  // 7: B += 3
  addWeigh(persistent, 512, persistent, 0, -1); // 8: A = weights C; launch 7 has waited for C
  addReduce(0, 0, "A", 8);                      // 9: A = sum of A
  a.entry("mix", 0);
  return a;
}

/// What A, B and T are afterwards, on every rank `rank`, from A = B = rank + i.
inline std::vector<float> overlapResult(int ranks, int rank) {
  std::vector<float> all;
  const float n = float(ranks), sum = n * (n - 1) / 2;
  for (int which = 0; which < 3; ++which)
    for (int i = 0; i < 60; ++i) {
      const float weight = 0.5f + float(i % 8);
      const float a = n * (n * float(i) + sum + 3 * n + 3);
      const float c = n * float(i) + sum + 3 * n;
      all.push_back(which == 0 ? n * weight * c : which == 1 ? float(rank + i + 6) : weight * a);
    }
  return all;
}

#endif // TEST_RUNTIME_OVERLAP_H
