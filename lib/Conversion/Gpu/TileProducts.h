//===- TileProducts.h - Products of tiles by a block ----------------------------------------------------*- C++ -*-===//
//
// A block has a tile of rows of its own and goes over tiles of other rows. What it computes is the same with tensor
// cores and without; where a thread's elements lie differs. So the algorithm asks:
//
//   Weights scores = products.multiply(own, slice);       // own slice^T
//   for (unsigned i = 0; i < products.rows.size(); ++i)
//     ... scores[products.at(i, j)] is of row products.rows[i] of the own tile
//   products.accumulate(sums, scores, slice);             // sums += scores slice
//
// A slice is the part of the other tile whose scores a thread has at once.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_CONVERSION_GPU_TILEPRODUCTS_H
#define TX_LIB_CONVERSION_GPU_TILEPRODUCTS_H

#include "BlockEmitter.h"
#include "KernelSchedule.h"

#include <memory>

namespace tx::simt {

/// Rows of a head in memory: `row` is the first one in the buffer, from which on `left` exist. Indices.
struct Panel {
  const emit::Buffer *buffer;
  emit::Number row, left, column;
};

/// Rows of a head in shared memory: at a constant, and a number of bytes (null: none).
struct SharedTile {
  int64_t offset, rows, rowBytes;
  emit::Number begin = {};

  /// So many rows of it, the number-th; i32.
  SharedTile slice(emit::Number number, int64_t count) const {
    return {offset, count, rowBytes, number * static_cast<double>(count * rowBytes)};
  }
  emit::Number from(emit::Number at) const { return begin.value ? at + begin : at; }
};

/// A thread's elements of a tile, row by row.
using Weights = llvm::SmallVector<emit::Number>;

class TileProducts {
public:
  /// `sliceRows`: of one slice.
  TileProducts(BlockEmitter &e, const AttentionSchedule &schedule, int64_t width, int64_t sliceRows)
      : sliceRows(sliceRows), e(e), schedule(schedule), width(width) {}
  virtual ~TileProducts() = default;

  /// A thread's columns of weights are `lanes[lane]` + 16 `sixteen`. A lane number is below 16, so columns of one lane
  /// share dropout's random words.
  struct Column {
    unsigned lane, sixteen;
  };
  const int64_t sliceRows;
  llvm::SmallVector<emit::Number> rows;  ///< i32, of the own tile
  llvm::SmallVector<emit::Number> lanes; ///< i32
  llvm::SmallVector<Column> columns;
  /// Columns of sums, of each row, that a thread has.
  unsigned sumColumns = 0;
  /// Of the threads that share a row, one.
  emit::Number isFirstOfRow;

  size_t at(size_t row, size_t column) const { return row * columns.size() + column; }
  Weights zeroSums() { return Weights(rows.size() * sumColumns, e.constant(0.0, e.f32())); }

  SharedTile allocate(int64_t rows) {
    int64_t rowBytes = schedule.rowBytes(width);
    return {e.allocate(rows * rowBytes), rows, rowBytes};
  }
  /// Begins to load; rows that do not exist become zeros.
  virtual void load(const Panel &from, const SharedTile &to) = 0;
  /// Until all threads' loads have come, and all threads are here.
  virtual void wait() = 0;
  virtual Weights multiply(const SharedTile &own, const SharedTile &slice) = 0;
  /// Other threads may still use the slice afterwards.
  virtual void accumulate(llvm::MutableArrayRef<emit::Number> sums, const Weights &weights,
                          const SharedTile &slice) = 0;
  /// Combines a number of each thread of a row.
  virtual emit::Number combineRow(emit::Number number, ThreadEmitter::Combine combine) = 0;
  /// Stores rows that exist. The tile's memory may be used for it.
  virtual void store(const Weights &sums, const Panel &to, const SharedTile &tile) = 0;

protected:
  BlockEmitter &e;
  const AttentionSchedule schedule;
  const int64_t width;
};

/// m16n8k16 on bf16: for a multiple of 16 columns.
std::unique_ptr<TileProducts> createMmaProducts(BlockEmitter &e, const AttentionSchedule &schedule, int64_t width,
                                                int64_t sliceRows);
/// Fused multiply-adds on f32.
std::unique_ptr<TileProducts> createSimtProducts(BlockEmitter &e, const AttentionSchedule &schedule, int64_t width,
                                                 int64_t sliceRows);

} // namespace tx::simt

#endif // TX_LIB_CONVERSION_GPU_TILEPRODUCTS_H
