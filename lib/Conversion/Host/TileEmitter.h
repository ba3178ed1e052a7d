//===- TileEmitter.h - Products of tiles in vector registers --------------------------------------------*- C++ -*-===//
//
// Products of tiles on a CPU. A tile has 64 rows or 64 columns; the lanes of vectors lie across its columns. The tiles
// that a kernel works on are on the thread's stack, so no other memory is allocated.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_CONVERSION_HOST_TILEEMITTER_H
#define TX_LIB_CONVERSION_HOST_TILEEMITTER_H

#include "HostEmitter.h"

namespace tx::host {

using emit::BlockShape;
using emit::Buffer;
using emit::Number;
using emit::Numbers;
using emit::Vectors;

/// A part of a tensor in memory: `columns` columns from `column` on, of the rows from `row` to `lastRow`. Reading a row
/// after `lastRow` reads `lastRow` instead.
struct Panel {
  const Buffer *buffer;
  Number row, lastRow, column;
  int64_t columns;
};

class TileEmitter : public HostEmitter {
public:
  static constexpr int64_t kTile = 64;
  using HostEmitter::HostEmitter;

  /// Allocates a tile of f32 numbers on the stack.
  Buffer allocate(int64_t rows, int64_t columns);
  Number zero() { return broadcast(constant(0.0, f32())); }
  Number number(double value) { return broadcast(constant(value, f32())); }

  /// Loads or stores 16 columns of a row of a tile on the stack.
  Number loadVector(const Buffer &tile, Number row, Number column);
  void storeVector(Number value, const Buffer &tile, Number row, Number column);
  Vectors loadRow(const Buffer &tile, Number row);
  void storeRow(const Vectors &values, const Buffer &tile, Number row);
  void clear(const Buffer &tile);

  /// Copies 64 rows into a tile, as f32. Columns are filled up to a whole vector.
  void copy(const Panel &from, const Buffer &to);
  /// The same, but the rows become columns of `to`.
  void copyTransposed(const Panel &from, const Buffer &to);
  /// Multiplies a tile's columns, each by its factor.
  void scale(const Buffer &tile, const Vectors &factors);
  /// Writes a tile's columns as rows of a tensor, rounded to its element type. Rows after the last are not written.
  void storeTransposed(const Buffer &from, const Panel &to);

  enum class Side { Rows, Columns };
  using Start = llvm::function_ref<Vectors(Number row)>;
  using Finish = llvm::function_ref<void(Number row, const Vectors &sums)>;
  /// Computes A times B for `rows` rows of A (or columns of A, with Side::Columns); B has `depth` rows of 64 columns.
  /// Each sum begins with what `start` returns and adds along the depth in order; `finish` gets the result.
  void product(const Buffer &a, Side side, int64_t rows, Number depth, const Buffer &b, Start start, Finish finish);

private:
  void transpose(llvm::MutableArrayRef<Number> rows);
  void productRows(const Buffer &a, Side side, Number first, unsigned count, Number depth, const Buffer &b, Start start,
                   Finish finish);
  /// Calls `body(first column, how many)` for pieces of 16 columns; the last may be shorter.
  void forColumns(int64_t columns, llvm::function_ref<void(Number, unsigned)> body);
};

} // namespace tx::host

#endif // TX_LIB_CONVERSION_HOST_TILEEMITTER_H
