//===- KernelSchedule.cpp - How a GPU kernel is laid out ------------------===//

#include "KernelSchedule.h"

#include <algorithm>

using namespace tx::simt;

const std::vector<GpuArchitecture> &tx::simt::getArchitectures() {
  static const std::vector<GpuArchitecture> architectures = {
      {"sm_80", 80, 108, 48 << 10, 65536, 2048},  // A100
      {"sm_86", 86, 82, 48 << 10, 65536, 1536},   // RTX 3090
      {"sm_89", 89, 128, 48 << 10, 65536, 1536},  // RTX 4090
      {"sm_90", 90, 132, 48 << 10, 65536, 2048},  // H100, H200
      {"sm_100", 100, 148, 48 << 10, 65536, 2048}, // B200
      {"sm_120", 120, 170, 48 << 10, 65536, 1536}, // RTX 5090
  };
  return architectures;
}

const GpuArchitecture *tx::simt::findArchitecture(std::string_view name) {
  for (const GpuArchitecture &architecture : getArchitectures())
    if (architecture.name == name)
      return &architecture;
  return nullptr;
}

static int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

unsigned tx::simt::chooseLanes(const KernelShape &shape) {
  unsigned lanes = std::min(kAccessBytes / shape.elementBytes, 8u);
  while (lanes > 1 && (shape.alignedColumns % lanes || shape.columns % lanes))
    lanes /= 2;
  return lanes;
}

KernelSchedule tx::simt::scheduleRows(const KernelShape &shape, const GpuArchitecture &architecture) {
  KernelSchedule schedule;
  schedule.lanes = chooseLanes(shape);
  constexpr unsigned kThreads = 256;
  // With a quarter of its threads a multiprocessor still has enough loads in
  // flight; three quarters of their registers hold what passes share.
  const unsigned registers = architecture.registers / (architecture.threads / 4) * 3 / 4;
  const int64_t columnBlocks = ceilDiv(shape.columns, 64);
  const unsigned share = schedule.threadsPerColumnBlock(), elements = 4 * schedule.lanes;

  int64_t sums = 1;
  while (sums < std::min(columnBlocks, kSumBlocks))
    sums *= 2;
  const unsigned most = shape.hasReductions ? std::min<int64_t>(kThreads, share * sums) : kThreads;

  // Threads that have nothing to do cost as much as those that have; a second
  // warp costs a barrier, taken as 1/8 of the row.
  int64_t leastCost = INT64_MAX;
  for (unsigned threads = share; threads <= most; threads *= 2) {
    int64_t steps = ceilDiv(columnBlocks, threads / share);
    if (shape.hasReductions && steps * elements * std::max(shape.keptValues, 1u) > registers)
      continue;
    int64_t cost = steps * threads * (shape.hasReductions && threads > kWarp ? 9 : 8);
    if (cost <= leastCost) { // of equals the one with fewer elements for a thread
      leastCost = cost;
      schedule.threadsPerRow = threads;
      schedule.isResident = shape.hasReductions || steps == 1;
    }
  }
  if (leastCost == INT64_MAX) {
    schedule.threadsPerRow = most;
    schedule.isResident = false;
  }
  if (shape.hasReductions)
    schedule.sumsPerThread = sums / schedule.columnBlocksAtOnce();
  bool meetAtBarriers = shape.hasReductions && schedule.threadsPerRow > kWarp;
  schedule.threads = meetAtBarriers ? schedule.threadsPerRow : kThreads;
  // Few rows: rather more blocks than full ones.
  while (schedule.threads > std::max(schedule.threadsPerRow, kWarp) &&
         ceilDiv(shape.rows * schedule.threadsPerRow, schedule.threads) < architecture.multiprocessors)
    schedule.threads /= 2;
  schedule.units = shape.rows;
  schedule.unitsPerBlock = schedule.threads / schedule.threadsPerRow;
  return schedule;
}

KernelSchedule tx::simt::scheduleColumns(const KernelShape &shape, const GpuArchitecture &architecture) {
  KernelSchedule schedule;
  schedule.lanes = chooseLanes(shape);
  schedule.threads = 256;
  // A sector of memory at least; wider while every multiprocessor has a stripe.
  constexpr unsigned kSectorBytes = 32;
  schedule.threadsPerStripe = std::max(1u, kSectorBytes / (schedule.lanes * shape.elementBytes));
  while (schedule.threadsPerStripe < kWarp &&
         ceilDiv(shape.columns, 2 * schedule.stripe()) >= architecture.multiprocessors)
    schedule.threadsPerStripe *= 2;
  schedule.units = ceilDiv(shape.columns, schedule.stripe());
  schedule.unitsPerBlock = 1;
  return schedule;
}
