//===- TileProducts.h - Products of tiles by a block ----------------------------------------------------*- C++ -*-===//
//
// A block of threads has its own tile of rows and goes over tiles of other rows. With tensor cores and without them it
// computes the same products; they differ in which elements each thread holds. So the algorithm asks:
//
//   Weights scores = products.multiply(own, slice);       // own slice^T
//   for (unsigned i = 0; i < products.rows.size(); ++i)
//     ... scores[products.at(i, j)] is of row products.rows[i] of the own tile
//   products.accumulate(sums, scores, slice);             // sums += scores slice
//
// A slice is the part of the other tile whose scores a thread holds at once.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_CONVERSION_GPU_TILEPRODUCTS_H
#define TX_LIB_CONVERSION_GPU_TILEPRODUCTS_H

#include "BlockEmitter.h"
#include "KernelSchedule.h"

#include <memory>

namespace tx::simt {

/// Some rows of one head in global memory: `row` is the number of the first row in the buffer, `left` is how many rows
/// exist from there on, `column` is the head's first column. All are indices.
struct Panel {
  const emit::Buffer *buffer;
  emit::Number row, left, column;
};

/// Some rows of one head in shared memory, at the constant `offset` plus `begin` bytes (null: 0).
struct SharedTile {
  int64_t offset, rows, rowBytes;
  emit::Number begin = {};

  /// The part of the tile with rows [number * count, (number + 1) * count); `number` is i32.
  SharedTile slice(emit::Number number, int64_t count) const {
    return {offset, count, rowBytes, number * static_cast<double>(count * rowBytes)};
  }
  emit::Number from(emit::Number at) const { return begin.value ? at + begin : at; }
};

/// The elements of a tile that one thread holds, row by row.
using Weights = llvm::SmallVector<emit::Number>;

class TileProducts {
public:
  /// `sliceRows`: the number of rows of a slice. `width`: the columns of a head.
  TileProducts(BlockEmitter &e, const AttentionSchedule &schedule, int64_t width, int64_t sliceRows)
      : sliceRows(sliceRows), e(e), schedule(schedule), width(width) {}
  virtual ~TileProducts() = default;

  /// Describes one of a thread's columns of weights: its number is `lanes[lane]` + 16 * `sixteen`. `lanes[lane]` is
  /// below 16, so that columns of the same lane share the random words of dropout.
  struct Column {
    unsigned lane, sixteen;
  };
  const int64_t sliceRows;
  llvm::SmallVector<emit::Number> rows;  ///< i32: the thread's rows of the own tile
  llvm::SmallVector<emit::Number> lanes; ///< i32: see Column
  llvm::SmallVector<Column> columns;
  /// How many columns of sums a thread has in each of its rows.
  unsigned sumColumns = 0;
  /// True for one of the threads that share a row.
  emit::Number isFirstOfRow;

  size_t at(size_t row, size_t column) const { return row * columns.size() + column; }
  Weights zeroSums() { return Weights(rows.size() * sumColumns, e.constant(0.0, e.f32())); }

  SharedTile allocate(int64_t rows) {
    int64_t rowBytes = schedule.rowBytes(width);
    return {e.allocate(rows * rowBytes), rows, rowBytes};
  }
  /// Begins to load rows into shared memory; rows that do not exist become zeros.
  virtual void load(const Panel &from, const SharedTile &to) = 0;
  /// Waits until the loads of all threads have arrived and all threads are here.
  virtual void wait() = 0;
  virtual Weights multiply(const SharedTile &own, const SharedTile &slice) = 0;
  /// Adds weights times slice to the sums. Other threads may still read the slice when this returns.
  virtual void accumulate(llvm::MutableArrayRef<emit::Number> sums, const Weights &weights,
                          const SharedTile &slice) = 0;
  /// Combines one number from each of the threads that share a row.
  virtual emit::Number combineRow(emit::Number number, ThreadEmitter::Combine combine) = 0;
  /// Stores the rows that exist. May overwrite `tile`.
  virtual void store(const Weights &sums, const Panel &to, const SharedTile &tile) = 0;

protected:
  BlockEmitter &e;
  const AttentionSchedule schedule;
  const int64_t width;
};

/// Products by tensor cores (m16n8k16) on bf16; `width` must be a multiple of 16.
std::unique_ptr<TileProducts> createMmaProducts(BlockEmitter &e, const AttentionSchedule &schedule, int64_t width,
                                                int64_t sliceRows);
/// Products by fused multiply-adds in f32.
std::unique_ptr<TileProducts> createSimtProducts(BlockEmitter &e, const AttentionSchedule &schedule, int64_t width,
                                                 int64_t sliceRows);

} // namespace tx::simt

#endif // TX_LIB_CONVERSION_GPU_TILEPRODUCTS_H
