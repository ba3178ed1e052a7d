//===- TileEmitter.h - Products of tiles in vector registers --------------------------------------------*- C++ -*-===//
//
// A tile has 64 rows or columns; lanes lie across its columns. Tiles that a kernel works on are on its stack, so no
// thread needs memory from elsewhere.
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

/// A part of a tensor in memory: rows from `row` up to `lastRow`, `columns` columns from `column` on. Rows behind the
/// last are read as the last.
struct Panel {
  const Buffer *buffer;
  Number row, lastRow, column;
  int64_t columns;
};

class TileEmitter : public HostEmitter {
public:
  static constexpr int64_t kTile = 64;
  using HostEmitter::HostEmitter;

  /// Rows of f32 numbers on the stack.
  Buffer allocate(int64_t rows, int64_t columns);
  Number zero() { return broadcast(constant(0.0, f32())); }
  Number number(double value) { return broadcast(constant(value, f32())); }

  /// 16 columns of a row, in a tile on the stack.
  Number loadVector(const Buffer &tile, Number row, Number column);
  void storeVector(Number value, const Buffer &tile, Number row, Number column);
  Vectors loadRow(const Buffer &tile, Number row);
  void storeRow(const Vectors &values, const Buffer &tile, Number row);
  void clear(const Buffer &tile);

  /// Copies 64 rows as f32; the columns up to a whole vector are filled.
  void copy(const Panel &from, const Buffer &to);
  /// The same, rows as columns of `to`.
  void copyTransposed(const Panel &from, const Buffer &to);
  /// Multiplies a tile's columns, each by its factor.
  void scale(const Buffer &tile, const Vectors &factors);
  /// Writes a tile's columns as rows, rounded; none behind the last row.
  void storeTransposed(const Buffer &from, const Panel &to);

  enum class Side { Rows, Columns };
  using Start = llvm::function_ref<Vectors(Number row)>;
  using Finish = llvm::function_ref<void(Number row, const Vectors &sums)>;
  /// A times B: `rows` rows of A (or columns, transposed), `depth` rows of B with 64 columns. Sums go along the depth
  /// in order, from `start` on.
  void product(const Buffer &a, Side side, int64_t rows, Number depth, const Buffer &b, Start start, Finish finish);

private:
  void transpose(llvm::MutableArrayRef<Number> rows);
  void productRows(const Buffer &a, Side side, Number first, unsigned count, Number depth, const Buffer &b, Start start,
                   Finish finish);
  /// Pieces of 16 columns: `body(first column, how many)`.
  void forColumns(int64_t columns, llvm::function_ref<void(Number, unsigned)> body);
};

} // namespace tx::host

#endif // TX_LIB_CONVERSION_HOST_TILEEMITTER_H
