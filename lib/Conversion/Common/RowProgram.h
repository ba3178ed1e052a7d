//===- RowProgram.h - What a kernel computes for a row --------------------------------------------------*- C++ -*-===//
//
// Ops of a row (or flat) kernel say what they compute for one row, as values for each column and values for the whole
// row:
//
//   RowValue x = row.columns(op.getX());
//   RowValue mean = row.map({row.sum(x)}, [n](Emitter &, Numbers v) { return v[0] / n; });
//   row.result(op.getY(), row.map({x, mean}, [](Emitter &, Numbers v) { return v[0] - v[1]; }));
//
// A reduction takes a pass over the row, and what uses it comes in a later one. A value has the number of the first
// pass in which it can be computed; an op's values have none smaller than those of its operands' ops. An op's result is
// stored in exactly this pass, so that the planner knows when an input is read for the last time, and may lay a result
// over it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_CONVERSION_COMMON_ROWPROGRAM_H
#define TX_LIB_CONVERSION_COMMON_ROWPROGRAM_H

#include "Kernel.h"

#include <functional>
#include <optional>

namespace tx::emit {

/// A block of columns, while its code is written.
struct BlockPlace {
  Emitter &emitter;
  Number first; // column
  BlockShape shape;
  /// All of the block is behind the causal limit.
  bool isBeyondLimit = false;
  /// The first lane's place in a slice of the block; null: 0.
  Number offset = {};

  /// i32: the columns of a vector.
  Number columns(unsigned vector) const;
  /// i32: numbers the lanes of the row's blocks, 16 for each; the same for a block's four vectors.
  Number laneNumbers() const;
};

struct RowNode;
using RowValue = RowNode *;

enum class Reduction { Sum, Dot, Max };

struct RowNode {
  /// RowSum: a sum over rows, for each column, in parts.
  enum Kind { Scalar, Columns, Reduce, RowSum };
  explicit RowNode(Kind kind, llvm::ArrayRef<RowValue> operands = {}) : kind(kind), operands(operands) {}

  Kind kind;
  llvm::SmallVector<RowValue, 4> operands;
  unsigned pass = 0;
  /// The same for all rows.
  bool isUniform = false;
  /// Scalar: from the operands' scalars.
  std::function<Number(Emitter &, Numbers)> scalar;
  /// Columns: from the operands' blocks; a scalar is a block of itself.
  std::function<Vectors(const BlockPlace &, llvm::ArrayRef<Vectors>)> block;
  Reduction reduction = Reduction::Sum;
  /// Columns: what it is behind the causal limit, where this is known.
  std::optional<double> beyondLimit;
  /// Reduce: columns behind the limit add nothing.
  bool isLimited = false;
  /// Columns: read from here, if from memory.
  const Buffer *source = nullptr;
  /// The store that puts the value into memory in pass `pass`, or -1.
  int home = -1;
};

class RowProgram {
public:
  explicit RowProgram(Kernel &kernel);

  //===--- For ops: operands ---===//
  /// A tensor of the kernel's rows and columns.
  RowValue columns(mlir::Value operand);
  /// A tensor of one row, the same for all.
  RowValue sameRow(mlir::Value operand);
  /// A tensor with an element for each row, or a few: one of them.
  RowValue perRow(mlir::Value operand, unsigned element = 0);
  /// An element of a tensor, the same for all rows.
  RowValue uniform(mlir::Value operand, int64_t element = 0);
  /// A row of a table, by its number.
  RowValue tableRow(mlir::Value table, RowValue number);
  /// The row's number (index).
  RowValue rowNumber() { return number; }
  RowValue immediate(unsigned index);

  //===--- For ops: computing ---===//
  using Map = std::function<Number(Emitter &, Numbers)>;
  using BlockMap = std::function<Vectors(const BlockPlace &, llvm::ArrayRef<Vectors>)>;
  /// Of values of the row alone: a value of the row; else one for each column.
  RowValue map(llvm::ArrayRef<RowValue> operands, Map map);
  RowValue mapBlock(llvm::ArrayRef<RowValue> operands, BlockMap map);
  /// For each column, by a formula that never runs on scalars alone.
  RowValue mapColumns(llvm::ArrayRef<RowValue> operands, Map map);
  RowValue sum(RowValue x) { return reduce(Reduction::Sum, {x}); }
  RowValue dot(RowValue x, RowValue y) { return reduce(Reduction::Dot, {x, y}); }
  RowValue max(RowValue x) { return reduce(Reduction::Max, {x}); }
  /// Only columns up to `row % period` take part: `value` there, `otherwise` behind.
  RowValue upToDiagonal(RowValue value, double otherwise, int64_t period);

  //===--- For ops: results ---===//
  void result(mlir::Value result, RowValue value) { this->result(result, llvm::ArrayRef(value)); }
  /// Several numbers for each row, side by side.
  void result(mlir::Value result, llvm::ArrayRef<RowValue> values);

  /// Row p of the result gets the sums over the rows p `rowsOfPart` and on, column by column, added in the rows' order:
  /// a thread goes over the rows of a part.
  void sumRows(mlir::Value result, Reduction reduction, llvm::ArrayRef<RowValue> operands, int64_t rowsOfPart);

  //===--- For the driver ---===//
  void beginOp(mlir::Operation *op);
  void endOp(mlir::Operation *op);
  void finish();

  struct Store {
    const Buffer *buffer;
    RowValue value;
    RowValue start; // of the row, or of its number, in the buffer
  };
  Kernel &kernel;
  std::vector<std::unique_ptr<RowNode>> nodes; // operands come first
  std::vector<Store> stores;
  /// The last column that takes part, or null if all do.
  RowValue limit = nullptr;
  RowValue number;
  unsigned passes = 1;
  /// Not 0: the kernel's units are parts of so many rows.
  int64_t rowsOfPart = 0;

private:
  RowValue add(RowNode node, unsigned earliest);
  RowValue reduce(Reduction reduction, llvm::ArrayRef<RowValue> operands);
  RowValue load(const Buffer &buffer, RowValue row, int64_t stride);
  RowValue startOf(RowValue row, int64_t stride);
  void store(const Buffer *buffer, RowValue value);
  void storeNumbers(const Buffer *buffer, llvm::ArrayRef<RowValue> numbers);
  RowValue elementOf(unsigned element, unsigned count);
  RowValue loadElement(const Buffer &buffer, RowValue element);
  RowValue constantIndex(int64_t value);
  RowValue computed(mlir::Value operand, bool isColumns, unsigned element = 0);
  RowValue refuse(const llvm::Twine &why);

  mlir::Operation *current = nullptr;
  unsigned firstPass = 0;
  int64_t limitPeriod = 0;
  bool limitsDiffer = false;
  /// Of results: one value for columns, perhaps several for a row.
  llvm::DenseMap<mlir::Value, llvm::SmallVector<RowValue, 1>> values;
  llvm::DenseMap<mlir::Operation *, unsigned> lastPass;
  llvm::DenseMap<std::pair<const Buffer *, RowValue>, RowValue> loads;
  llvm::DenseMap<std::pair<RowValue, int64_t>, RowValue> starts;
};

} // namespace tx::emit

#endif // TX_LIB_CONVERSION_COMMON_ROWPROGRAM_H
