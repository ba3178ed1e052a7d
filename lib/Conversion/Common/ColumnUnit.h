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

  /// This block of a row of an input.
  Vectors load(const Buffer &buffer, Number row);
  void store(const Vectors &block, const Buffer &buffer, Number row);
  /// An element of an input whose elements follow each other.
  Number element(const Buffer &buffer, Number index) { return e.load(buffer, index); }

  /// A kernel input; diagnosed and null if an op of the kernel computes it.
  const Buffer *input(mlir::Operation *op, mlir::Value value);
  /// Where a result goes, which exactly one buffer takes; else diagnosed and null.
  const Buffer *output(mlir::Operation *op, mlir::Value result);

  Vectors zero();
  /// From zero on, adds what `add` makes of each row. Several sums in one loop.
  llvm::SmallVector<Vectors, 2> sumRows(unsigned sums, Number begin, Number end, int64_t step,
                                        llvm::function_ref<void(Number row, llvm::MutableArrayRef<Vectors> sums)> add);

  /// Runs `body` for each row of a result; sums in it are of this row alone.
  void eachRow(Number begin, Number end, llvm::function_ref<void(Number row)> body);
  /// Runs `body`, which changes one row of a result.
  void inRow(Number row, llvm::function_ref<void()> body);

  /// Whether the accumulator's old content counts as zero; false without a bit.
  Number isReset(mlir::Operation *op, mlir::Value bit);
  /// result[row] = (reset ? 0 : accumulator[row]) + sum.
  void accumulate(const Buffer &accumulator, const Buffer &result, Number reset, Number row, const Vectors &sum);
  /// result[row] = reset ? 0 : accumulator[row], for rows that get nothing.
  void carry(const Buffer &accumulator, const Buffer &result, Number reset, Number begin, Number end);

  Kernel &kernel;
  Emitter &e;
  Number first; // column
  BlockShape shape;

protected:
  /// Groups of threads share the rows: group i sums rows i, i + groups, ..., and has the same rows of results that are
  /// written row by row.
  int64_t groups = 1;
  Number group;
  /// Rows whose loads are on their way at once.
  int64_t rowsAtOnce = 1;
  /// Adds up what the groups have summed, in one order, for group 0.
  virtual void combineGroups(llvm::MutableArrayRef<Number> sums) {}

private:
  bool isOneRow = false; // in eachRow or inRow
};

} // namespace tx::emit

#endif // TX_LIB_CONVERSION_COMMON_COLUMNUNIT_H
