//===- ColumnUnit.h - What a kernel computes for some columns -------------------------------------------*- C++ -*-===//
//
// Ops of a column kernel write loops over the rows for one block of columns, one op after the other:
//
//   Vectors sum = unit.sumRows(0, rows, [&](Number row, Vectors sum) { ... });
//   unit.accumulate(op.getAcc(), op.getResult(), op.getReset(), e.index(0), sum);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_CONVERSION_COMMON_COLUMNUNIT_H
#define TX_LIB_CONVERSION_COMMON_COLUMNUNIT_H

#include "Kernel.h"

namespace tx::emit {

class ColumnUnit {
public:
  ColumnUnit(Kernel &kernel, Number first, BlockShape shape)
      : kernel(kernel), e(kernel.emitter), first(first), shape(shape) {}
  virtual ~ColumnUnit() = default;

  /// Loads this unit's columns of an input's row.
  Vectors load(const Buffer &buffer, Number row);
  void store(const Vectors &block, const Buffer &buffer, Number row);
  /// Loads one element of a contiguous input.
  Number element(const Buffer &buffer, Number index) { return e.load(buffer, index); }

  /// The buffer of a kernel input. If an op of the kernel computes the value, emits an error and returns null.
  const Buffer *input(mlir::Operation *op, mlir::Value value);
  /// The one buffer to which a result is written. If there is none or more than one, emits an error and returns null.
  const Buffer *output(mlir::Operation *op, mlir::Value result);

  Vectors zero();
  /// Sums over the rows begin, begin + step, ... below end. Starts `sums` sums at zero, and calls `add` for each row to
  /// add to them, all in one loop.
  llvm::SmallVector<Vectors, 2> sumRows(unsigned sums, Number begin, Number end, int64_t step,
                                        llvm::function_ref<void(Number row, llvm::MutableArrayRef<Vectors> sums)> add);

  /// Runs `body` for each row of a result. Sums within `body` are not shared with other groups of threads.
  void eachRow(Number begin, Number end, llvm::function_ref<void(Number row)> body);
  /// Runs `body`, which writes one row of a result.
  void inRow(Number row, llvm::function_ref<void()> body);

  /// Whether the reset bit says that the accumulator's old content counts as zero; null if there is no bit.
  Number isReset(mlir::Operation *op, mlir::Value bit);
  /// result[row] = (reset ? 0 : accumulator[row]) + sum.
  void accumulate(const Buffer &accumulator, const Buffer &result, Number reset, Number row, const Vectors &sum);
  /// result[row] = reset ? 0 : accumulator[row], for the rows [begin, end), to which nothing is added.
  void carry(const Buffer &accumulator, const Buffer &result, Number reset, Number begin, Number end);

  Kernel &kernel;
  Emitter &e;
  Number first; // number of this unit's first column
  BlockShape shape;

protected:
  /// On a GPU, groups of threads share the rows. Group i sums the rows i, i + groups, ...; of results that are written
  /// row by row, it writes the same rows.
  int64_t groups = 1;
  Number group;
  /// How many rows' loads are in flight at once.
  int64_t rowsAtOnce = 1;
  /// Adds the sums of all groups, in a fixed order; group 0 gets the result.
  virtual void combineGroups(llvm::MutableArrayRef<Number> sums) {}

private:
  Number startOf(const Buffer &buffer, Number row);

  bool isOneRow = false; // while the body of eachRow or inRow is written
};

} // namespace tx::emit

#endif // TX_LIB_CONVERSION_COMMON_COLUMNUNIT_H
