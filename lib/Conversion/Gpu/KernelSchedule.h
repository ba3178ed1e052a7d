//===- KernelSchedule.h - How a GPU kernel is laid out --------------------------------------------------*- C++ -*-===//
//
// The one place that decides vector widths, threads and what a block of threads has. Plain C++: no MLIR.
//
//   KernelSchedule schedule = scheduleRows(shape, *findArchitecture("sm_90"));
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_CONVERSION_GPU_KERNELSCHEDULE_H
#define TX_LIB_CONVERSION_GPU_KERNELSCHEDULE_H

#include <cstdint>
#include <string_view>
#include <vector>

namespace tx::simt {

struct GpuArchitecture {
  std::string_view name;    // sm_90
  unsigned capability;      // 90
  unsigned multiprocessors; // of the usual device
  unsigned sharedBytes;     // that a block may have without asking for more
  unsigned registers;       // of a multiprocessor, 32 bits each
  unsigned threads;         // resident on a multiprocessor
  unsigned mostSharedBytes; // that a block may ask for
};

const std::vector<GpuArchitecture> &getArchitectures();
/// By its name; null if there is none of it.
const GpuArchitecture *findArchitecture(std::string_view name);

/// Bytes that one thread moves by one instruction.
constexpr unsigned kAccessBytes = 16;
constexpr unsigned kWarp = 32;
/// Rows of a table that a block of threads may have.
constexpr unsigned kMostTableRows = 8;

/// What a schedule depends on.
struct KernelShape {
  int64_t rows = 1, columns = 1;
  /// The narrowest element among tensors of columns.
  unsigned elementBytes = 4;
  /// Columns from whose multiples vectors may start: rows and bases of all buffers are aligned to as many elements.
  unsigned alignedColumns = 8;
  /// Tensors that are read row by row.
  unsigned rowOperands = 1;
  /// Rows: whether threads of a row must meet.
  bool hasReductions = false;
  /// Rows: values that a thread keeps for each column from a pass to the next.
  unsigned keptValues = 0;
  /// Rows: that a unit has, one after another, and how many sums over them.
  int64_t rowsOfUnit = 1;
  unsigned rowSums = 0;
};

struct KernelSchedule {
  unsigned lanes = 4;     // of a vector
  unsigned threads = 256; // of a block
  int64_t units = 1;      // of the kernel
  int64_t unitsPerBlock = 1;
  /// That share a multiprocessor at least; 0: not said. What ptxas is told: else it saves registers for more of them,
  /// and puts each load of a loop beside its use.
  unsigned blocks = 0;

  // Rows.
  unsigned threadsPerRow = 32;
  /// The row stays in registers: its code is unrolled. Else it is a loop that reads again in each pass.
  bool isResident = true;
  /// Of a row's reduction. Columns alone decide how many sums it has; fewer threads than those have several each.
  unsigned sumsPerThread = 1;
  /// Not resident: rounds of the loop that have their loads on the way together.
  unsigned roundsAtOnce = 1;
  /// Sums over rows are in shared memory, each thread's own; else in registers.
  bool areRowSumsShared = false;

  // Columns.
  unsigned threadsPerStripe = 2; // side by side; the others have other rows
  unsigned rowsAtOnce = 4;       // that a thread loads before it adds them

  /// Threads that share a block of 64 columns.
  unsigned threadsPerColumnBlock() const { return 16 / lanes; }
  /// Blocks of 64 columns that the threads of a row have at once.
  int64_t columnBlocksAtOnce() const { return threadsPerRow / threadsPerColumnBlock(); }
  /// Columns of a stripe.
  int64_t stripe() const { return threadsPerStripe * lanes; }
  unsigned rowGroups() const { return threads / threadsPerStripe; }
};

/// Lanes of vectors: as wide as one access of the narrowest element, where addresses allow and registers would not
/// leave too few threads.
unsigned chooseLanes(const KernelShape &shape);

/// Into how many parts sums over rows are divided, that a kernel of rows has beside its other work; 0: better not.
/// Rows, columns and their element settle it, whatever else the kernel has.
int64_t countRowParts(const KernelShape &shape, const GpuArchitecture &architecture);

KernelSchedule scheduleRows(const KernelShape &shape, const GpuArchitecture &architecture);
KernelSchedule scheduleColumns(const KernelShape &shape, const GpuArchitecture &architecture);
/// Rows of a table that get sums of others; a unit is a row of the table.
KernelSchedule scheduleTable(const KernelShape &shape, const GpuArchitecture &architecture);

/// What the schedule of flash attention depends on.
struct AttentionShape {
  int64_t batch, queries, keys, heads, keyHeads, width;
  unsigned elementBytes;
  bool isBackward;
};

/// Backward's tiles of wider ones would not fit shared memory.
constexpr int64_t kWidestHead = 256;

struct AttentionSchedule {
  /// Products by tensor cores, operands in bf16; else by fused multiply-adds in f32.
  bool hasTensorCores = false;
  unsigned threads = 128;
  /// That share a multiprocessor, so that one computes while another waits: without being told, ptxas spills a few
  /// registers to fit one more.
  unsigned blocks = 2;
  /// Rows of the tile that a block has, and of those that it goes over.
  int64_t ownRows = 64, otherRows = 64;
  /// Blocks of keys have sums of two gradients, and compute so many columns of scores at once.
  int64_t columnsOfKeys = 64;
  /// Backward: the blocks that have keys. They come before those that have queries.
  int64_t keyUnits = 0;
  int64_t units = 0;
  /// No less than what the kernel takes; 0 if heads are too wide.
  int64_t sharedBytes = 0;

  int64_t columnsPadded(int64_t width) const { return (width + 15) / 16 * 16; }
  /// Of a tile in shared memory. Without tensor cores a row is an element longer:
  /// then equal columns of rows lie in different banks.
  int64_t rowBytes(int64_t width) const { return hasTensorCores ? 2 * width : 4 * (columnsPadded(width) + 1); }
};

/// The same for all architectures: an artifact has one form of a kernel.
AttentionSchedule scheduleAttention(const AttentionShape &shape);

} // namespace tx::simt

#endif // TX_LIB_CONVERSION_GPU_KERNELSCHEDULE_H
