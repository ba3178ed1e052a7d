//===- KernelSchedule.cpp - How a GPU kernel is laid out ----------------------------------------------------------===//

#include "KernelSchedule.h"

#include <algorithm>
#include <numeric>

using namespace tx::simt;

const std::vector<GpuArchitecture> &tx::simt::getArchitectures() {
  static const std::vector<GpuArchitecture> architectures = {
      {"sm_80", 80, 108, 48 << 10, 65536, 2048, 163 << 10},   // A100
      {"sm_86", 86, 82, 48 << 10, 65536, 1536, 99 << 10},     // RTX 3090
      {"sm_89", 89, 128, 48 << 10, 65536, 1536, 99 << 10},    // RTX 4090
      {"sm_90", 90, 132, 48 << 10, 65536, 2048, 227 << 10},   // H100, H200
      {"sm_100", 100, 148, 48 << 10, 65536, 2048, 227 << 10}, // B200
      {"sm_120", 120, 170, 48 << 10, 65536, 1536, 99 << 10},  // RTX 5090
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
  // A kernel that keeps a row in registers, or reads many rows, holds several sets of 32 bf16 numbers in a thread if
  // vectors have 8 lanes. With 4 lanes and twice the threads, the threads wait less for each other.
  constexpr unsigned kMany = 3;
  const unsigned most = shape.hasReductions || shape.rowOperands >= kMany ? 4 : 8;
  unsigned lanes = std::min(kAccessBytes / shape.elementBytes, most);
  while (lanes > 1 && (shape.alignedColumns % lanes || shape.columns % lanes))
    lanes /= 2;
  return lanes;
}

/// The most blocks of 64 columns that a row's threads take in one step: those that 256 threads hold with vectors of 4,
/// 2 or 1 lanes.
static int64_t mostBlocksAtOnce(int64_t columns) { return 16 * std::gcd<int64_t>(columns, 4); }

/// How many partial sums a row's reduction keeps, each over some blocks of 64 columns. They fix the order of additions,
/// so their number depends on the row's width alone. A row that 256 threads take in one step has a sum for each block;
/// wider rows take up to four steps. Rows that would take more steps get twice the threads: fewer rows are then in
/// flight, so that what a later pass reads again is still in the L2 cache. With 1024 threads ptxas spilled registers.
static int64_t countSums(int64_t columns) {
  constexpr int64_t kMostSteps = 4;
  const int64_t blocks = ceilDiv(columns, 64);
  const int64_t usual = mostBlocksAtOnce(columns);
  if (blocks > kMostSteps * usual)
    return 2 * usual;
  int64_t sums = 1;
  while (sums < std::min(blocks, usual))
    sums *= 2;
  return sums;
}

int64_t tx::simt::countRowParts(const KernelShape &shape, const GpuArchitecture &architecture) {
  if (ceilDiv(shape.columns, 64) > mostBlocksAtOnce(shape.columns))
    return 0; // the threads do not hold such a row in registers: sharing a kernel would not save reading it again
  KernelShape aligned = shape;
  aligned.hasReductions = true;
  // The threads that a multiprocessor is assumed to run at once, whatever else the kernel computes.
  constexpr int64_t kThreads = 512;
  const int64_t threadsPerRow = scheduleRows(aligned, architecture).threadsPerRow;
  const int64_t units = architecture.multiprocessors * std::max<int64_t>(1, kThreads / threadsPerRow);
  // A part costs two rows of f32 sums, which are written and read again; each of its rows saves reading two rows of
  // operands.
  constexpr int64_t kLeastRows = 8;
  return ceilDiv(shape.rows, std::max(kLeastRows, ceilDiv(shape.rows, units)));
}

KernelSchedule tx::simt::scheduleRows(const KernelShape &shape, const GpuArchitecture &architecture) {
  KernelSchedule schedule;
  schedule.lanes = chooseLanes(shape);
  constexpr unsigned kThreads = 256;
  const int64_t columnBlocks = ceilDiv(shape.columns, 64);
  const unsigned share = schedule.threadsPerColumnBlock();
  if (shape.hasReductions) {
    const int64_t sums = countSums(shape.columns);
    schedule.threadsPerRow = std::min<int64_t>(sums * share, 2 * kThreads);
    schedule.sumsPerThread = sums / schedule.columnBlocksAtOnce();
    constexpr unsigned kNumbersAtOnce = 16;
    schedule.roundsAtOnce = std::max(1u, kNumbersAtOnce / (4 * schedule.lanes * schedule.sumsPerThread));
    // A multiprocessor that runs a quarter of its threads still has enough loads in flight. Of the registers that each
    // thread then has, three quarters may hold the values that passes share.
    const unsigned registers = architecture.registers / (architecture.threads / 4) * 3 / 4;
    const int64_t steps = ceilDiv(columnBlocks, schedule.columnBlocksAtOnce());
    schedule.isResident = shape.rowSums || steps * 4 * schedule.lanes * std::max(shape.keptValues, 1u) <= registers;
    if (!schedule.isResident)
      schedule.blocks = std::max(1u, architecture.threads / 2 / schedule.threadsPerRow);
  } else {
    // Choose the number of threads for which steps times threads is least: idle threads cost as much as busy ones.
    int64_t leastCost = INT64_MAX;
    for (unsigned threads = share; threads <= kThreads; threads *= 2) {
      int64_t steps = ceilDiv(columnBlocks, threads / share), cost = steps * threads;
      if (cost <= leastCost) { // at equal cost, more threads with fewer elements each
        leastCost = cost;
        schedule.threadsPerRow = threads;
        schedule.isResident = shape.rowSums || steps == 1;
      }
    }
  }
  bool meetAtBarriers = shape.hasReductions && schedule.threadsPerRow > kWarp;
  schedule.threads = meetAtBarriers ? schedule.threadsPerRow : kThreads;
  if (shape.rowSums) {
    // The row is in registers, so shared memory is free except for what reductions need.
    constexpr unsigned kForReductions = 1 << 10;
    const int64_t most = architecture.sharedBytes - kForReductions;
    const int64_t steps = ceilDiv(columnBlocks, schedule.columnBlocksAtOnce());
    const int64_t bytes = shape.rowSums * steps * 4 * schedule.lanes * sizeof(float);
    while (schedule.threads > std::max(schedule.threadsPerRow, kWarp) && schedule.threads * bytes > most)
      schedule.threads /= 2;
    schedule.areRowSumsShared = schedule.threads * bytes <= most;
  }
  schedule.units = ceilDiv(shape.rows, shape.rowsOfUnit);
  // If there are few units, make blocks smaller until every multiprocessor has one.
  while (schedule.threads > std::max(schedule.threadsPerRow, kWarp) &&
         ceilDiv(schedule.units * schedule.threadsPerRow, schedule.threads) < architecture.multiprocessors)
    schedule.threads /= 2;
  schedule.unitsPerBlock = schedule.threads / schedule.threadsPerRow;
  return schedule;
}

KernelSchedule tx::simt::scheduleColumns(const KernelShape &shape, const GpuArchitecture &architecture) {
  KernelSchedule schedule;
  schedule.lanes = chooseLanes(shape);
  schedule.threads = 256;
  // A stripe is at least one memory sector wide, and wider as long as every multiprocessor still gets a stripe.
  constexpr unsigned kSectorBytes = 32;
  schedule.threadsPerStripe = std::max(1u, kSectorBytes / (schedule.lanes * shape.elementBytes));
  while (schedule.threadsPerStripe < kWarp &&
         ceilDiv(shape.columns, 2 * schedule.stripe()) >= architecture.multiprocessors)
    schedule.threadsPerStripe *= 2;
  schedule.units = ceilDiv(shape.columns, schedule.stripe());
  schedule.unitsPerBlock = 1;
  schedule.rowsAtOnce = std::max(1u, 4 / shape.rowOperands); // about four vectors in flight
  // Let more threads share the rows while the multiprocessors have less than half of the threads that they can run, and
  // each thread keeps enough rows to have several loads in flight. This does not depend on rowsAtOnce: other ops in the
  // kernel must not change the order of sums.
  constexpr unsigned kMostThreads = 512, kLeastRows = 16;
  while (schedule.threads < kMostThreads &&
         schedule.units * schedule.threads < int64_t(architecture.multiprocessors) * architecture.threads / 2 &&
         shape.rows >= kLeastRows * 2 * schedule.rowGroups())
    schedule.threads *= 2;
  return schedule;
}

KernelSchedule tx::simt::scheduleTable(const KernelShape &shape, const GpuArchitecture &architecture) {
  KernelSchedule schedule;
  schedule.lanes = chooseLanes(shape);
  // One vector of columns for each thread, but at least four warps, since the warps also search the tokens.
  const int64_t vectors = ceilDiv(shape.columns, schedule.lanes);
  schedule.threads = std::clamp<int64_t>(ceilDiv(vectors, kWarp) * kWarp, 128, 256);
  // The more rows of the table a block has, the fewer blocks have to read all tokens. The rows' sums must fit the
  // registers.
  constexpr int64_t kSums = 32;
  const int64_t sums = ceilDiv(vectors, schedule.threads) * schedule.lanes;
  schedule.unitsPerBlock = kMostTableRows;
  while (schedule.unitsPerBlock > 1 && (schedule.unitsPerBlock * sums > kSums ||
                                        ceilDiv(shape.rows, schedule.unitsPerBlock) < architecture.multiprocessors))
    schedule.unitsPerBlock /= 2;
  schedule.units = shape.rows;
  return schedule;
}

// With tensor cores: four warps compute 64 x 64 scores, 16 rows each; two blocks then fit a multiprocessor. Without:
// each thread computes R x C scores and sums. Larger parts need fewer loads for a product, so the largest tiles that
// fit are taken.
AttentionSchedule tx::simt::scheduleAttention(const AttentionShape &shape) {
  int64_t most = INT64_MAX;
  for (const GpuArchitecture &architecture : getArchitectures())
    most = std::min<int64_t>(most, architecture.mostSharedBytes);
  struct Rows {
    int64_t own, other;
  };
  AttentionSchedule schedule;
  // The sums of wider heads would not fit a thread's registers.
  schedule.hasTensorCores = shape.elementBytes == 2 && shape.width % 16 == 0 && shape.width <= 128;
  static const std::vector<Rows> simtRows = {{32, 64}, {16, 64}, {32, 32}, {16, 32}, {16, 16}};
  if (shape.width > kWidestHead)
    return schedule;
  for (Rows rows : schedule.hasTensorCores ? std::vector<Rows>{{64, 64}} : simtRows) {
    // Shared memory holds the tiles, the weights that threads exchange (without tensor cores), and in backward row sums
    // and dropout masks.
    int64_t bytes =
        (shape.isBackward ? 2 * rows.own + 2 * rows.other : rows.own + 2 * rows.other) * schedule.rowBytes(shape.width);
    if (!schedule.hasTensorCores)
      bytes += rows.own * (rows.other + 1) * 4;
    if (shape.isBackward)
      bytes += 2 * 4 * std::max(rows.own, rows.other) + 16 * rows.other;
    bytes += 8 * 128; // up to 8 allocations, each aligned to 128 bytes
    if (bytes > most)
      continue;
    schedule.ownRows = rows.own;
    schedule.otherRows = rows.other;
    schedule.columnsOfKeys = schedule.hasTensorCores && shape.width > 64 ? 32 : rows.other;
    schedule.sharedBytes = bytes;
    break;
  }
  schedule.units = shape.batch * shape.heads * ceilDiv(shape.queries, schedule.ownRows);
  if (shape.isBackward) {
    schedule.keyUnits = shape.batch * shape.keyHeads * ceilDiv(shape.keys, schedule.ownRows);
    schedule.units += schedule.keyUnits;
  }
  return schedule;
}
