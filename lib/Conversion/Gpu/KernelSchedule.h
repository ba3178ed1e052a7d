//===- KernelSchedule.h - How a GPU kernel is laid out --------------------------------------------------*- C++ -*-===//
//
// Decides how a GPU kernel is laid out: the width of its vectors, the threads of a block, and the units of work of a
// block. No other file decides these. Plain C++: no MLIR.
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
  unsigned multiprocessors; // of the device that is usual for this architecture
  unsigned sharedBytes;     // shared memory that a block may have without asking for more
  unsigned registers;       // 32-bit registers of a multiprocessor
  unsigned threads;         // the most that are resident on a multiprocessor
  unsigned mostSharedBytes; // the most dynamic shared memory that a block may ask for
};

const std::vector<GpuArchitecture> &getArchitectures();
/// The architecture of this name; null if there is none.
const GpuArchitecture *findArchitecture(std::string_view name);

/// The most bytes that a thread loads or stores with one instruction.
constexpr unsigned kAccessBytes = 16;
constexpr unsigned kWarp = 32;
/// The most rows of a table for which one block of threads sums gradients.
constexpr unsigned kMostTableRows = 8;

/// What the schedule of a kernel of rows, columns or a table depends on.
struct KernelShape {
  int64_t rows = 1, columns = 1;
  /// Bytes of the narrowest element type among the tensors that are read or written by columns.
  unsigned elementBytes = 4;
  /// A vector may start at every multiple of this many columns: the rows and the first elements of all buffers are
  /// aligned to it.
  unsigned alignedColumns = 8;
  /// How many tensors the kernel reads row by row.
  unsigned rowOperands = 1;
  /// For rows: whether the kernel reduces rows, so that the threads of a row exchange values.
  bool hasReductions = false;
  /// For rows: how many values for each column a thread keeps from one pass over the row to the next.
  unsigned keptValues = 0;
  /// For rows: how many rows a unit goes over, one after another, and how many sums over these rows it makes.
  int64_t rowsOfUnit = 1;
  unsigned rowSums = 0;
};

struct KernelSchedule {
  unsigned lanes = 4;     // elements of a vector
  unsigned threads = 256; // threads of a block
  int64_t units = 1;      // units of work of the whole kernel
  int64_t unitsPerBlock = 1;
  /// The least number of blocks that share a multiprocessor, as ptxas is told it; 0: ptxas is told nothing. Without it
  /// ptxas saves registers to fit more blocks, and puts each load of a loop directly before its use.
  unsigned blocks = 0;

  // For kernels of rows.
  unsigned threadsPerRow = 32;
  /// Whether the row stays in registers, with unrolled code. Otherwise each pass is a loop that reads the row again.
  bool isResident = true;
  /// How many partial sums each thread has in a row's reduction. The number of a row's partial sums follows from its
  /// columns alone; if there are fewer threads than sums, each thread has several.
  unsigned sumsPerThread = 1;
  /// If the row is not resident: how many rounds of the loop start their loads together.
  unsigned roundsAtOnce = 1;
  /// Whether each thread keeps its sums over rows in its own part of shared memory; otherwise they are in registers.
  bool areRowSumsShared = false;

  // For kernels of columns.
  unsigned threadsPerStripe = 2; // threads side by side in a row; the block's other threads have other rows
  unsigned rowsAtOnce = 4;       // rows that a thread loads before it adds them

  /// Threads that share a block of 64 columns.
  unsigned threadsPerColumnBlock() const { return 16 / lanes; }
  /// How many blocks of 64 columns the threads of a row work on at once.
  int64_t columnBlocksAtOnce() const { return threadsPerRow / threadsPerColumnBlock(); }
  /// The number of columns in a stripe: those of one block of threads.
  int64_t stripe() const { return threadsPerStripe * lanes; }
  unsigned rowGroups() const { return threads / threadsPerStripe; }
};

/// The lanes of a kernel's vectors: one access (kAccessBytes) of the narrowest element, but fewer where addresses are
/// not aligned so far, or where values would take so many registers that too few threads fit.
unsigned chooseLanes(const KernelShape &shape);

/// A kernel of rows may also compute sums over rows. Returns into how many parts of rows these sums are divided; 0 if
/// they should stay a kernel of their own. The result depends on the rows, columns and element size alone, whatever
/// else the kernel computes.
int64_t countRowParts(const KernelShape &shape, const GpuArchitecture &architecture);

KernelSchedule scheduleRows(const KernelShape &shape, const GpuArchitecture &architecture);
KernelSchedule scheduleColumns(const KernelShape &shape, const GpuArchitecture &architecture);
/// For the gradient of a table, whose rows are sums of other rows. A unit is one row of the table.
KernelSchedule scheduleTable(const KernelShape &shape, const GpuArchitecture &architecture);

/// What the schedule of flash attention depends on.
struct AttentionShape {
  int64_t batch, queries, keys, heads, keyHeads, width;
  unsigned elementBytes;
  bool isBackward;
};

/// The widest head that has a schedule. Backward's tiles for wider heads do not fit shared memory.
constexpr int64_t kWidestHead = 256;

struct AttentionSchedule {
  /// Whether tensor cores compute the products, on bf16 operands; otherwise fused multiply-adds in f32 do.
  bool hasTensorCores = false;
  unsigned threads = 128;
  /// How many blocks share a multiprocessor, so that one computes while another waits. If ptxas is not told this
  /// number, it spills a few registers to fit one more block.
  unsigned blocks = 2;
  /// Rows of a block's own tile, and rows of each of the tiles that the block goes over.
  int64_t ownRows = 64, otherRows = 64;
  /// In backward, a block with a tile of keys holds sums of two gradients (dK, dV), so it computes only this many
  /// columns of scores at once.
  int64_t columnsOfKeys = 64;
  /// Backward: the number of blocks with tiles of keys. They come before the blocks with tiles of queries.
  int64_t keyUnits = 0;
  int64_t units = 0;
  /// An upper bound of the kernel's dynamic shared memory; 0 if heads are wider than kWidestHead.
  int64_t sharedBytes = 0;

  int64_t columnsPadded(int64_t width) const { return (width + 15) / 16 * 16; }
  /// Bytes of a tile's row in shared memory. Without tensor cores a row is padded by one element, so that the same
  /// column of different rows lies in different banks.
  int64_t rowBytes(int64_t width) const { return hasTensorCores ? 2 * width : 4 * (columnsPadded(width) + 1); }
};

/// The schedule is the same for all architectures, since an artifact has one form of each kernel.
AttentionSchedule scheduleAttention(const AttentionShape &shape);

} // namespace tx::simt

#endif // TX_LIB_CONVERSION_GPU_KERNELSCHEDULE_H
