//===- RowProgram.h - What a kernel computes for a row --------------------------------------------------*- C++ -*-===//
//
// Ops of a row (or flat) kernel say what they compute for one row, as values for each column and values for the whole
// row:
//
//   RowValue x = row.columns(op.getX());
//   RowValue mean = row.map({row.sum(x)}, [n](Emitter &, Numbers v) { return v[0] / n; });
//   row.result(op.getY(), row.map({x, mean}, [](Emitter &, Numbers v) { return v[0] - v[1]; }));
//
// A reduction takes a pass over the row, and a value that uses it can be computed in a later pass at the earliest. The
// pass of a value is the first in which it can be computed, and not before the passes of the ops that compute its op's
// operands. All results of an op are stored in the op's last pass. So the planner knows in which pass an input is read
// for the last time, and may place a result on it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_CONVERSION_COMMON_ROWPROGRAM_H
#define TX_LIB_CONVERSION_COMMON_ROWPROGRAM_H

#include "Kernel.h"

#include <functional>
#include <map>
#include <optional>
#include <tuple>

namespace tx::emit {

/// The block of columns whose code is being written.
struct BlockPlace {
  Emitter &emitter;
  Number first; // number of its first column
  BlockShape shape;
  /// Whether all columns of the block lie behind the causal limit.
  bool isBeyondLimit = false;
  /// On a GPU: the place of the thread's first lane in a slice of the block; null: 0.
  Number offset = {};

  /// The column numbers of a vector's lanes; i32.
  Number columns(unsigned vector) const;
  /// Numbers the lanes of all of a row's blocks, 16 for each block; i32. A block's four vectors have the same lane
  /// numbers.
  Number laneNumbers() const;
  /// A list has one number for each of the row's columns: returns the numbers of a vector's lanes; f32.
  Number fromList(unsigned vector, llvm::ArrayRef<double> list) const;
};

struct RowNode;
using RowValue = RowNode *;

enum class Reduction { Sum, Dot, Max };

struct RowNode {
  /// Scalar: a number for the row. Columns: a number for each column. Reduce: a reduction of the row. RowSum: sums over
  /// parts of the rows, for each column.
  enum Kind { Scalar, Columns, Reduce, RowSum };
  explicit RowNode(Kind kind, llvm::ArrayRef<RowValue> operands = {}) : kind(kind), operands(operands) {}

  Kind kind;
  llvm::SmallVector<RowValue, 4> operands;
  unsigned pass = 0;
  /// Whether the value is the same for all rows.
  bool isUniform = false;
  /// For Scalar: computes the value from the operands' scalars.
  std::function<Number(Emitter &, Numbers)> scalar;
  /// For Columns: computes a block from the operands' blocks; a scalar operand is one number.
  std::function<Vectors(const BlockPlace &, llvm::ArrayRef<Vectors>)> block;
  Reduction reduction = Reduction::Sum;
  /// For Columns: the value behind the causal limit, if it is known.
  std::optional<double> beyondLimit;
  /// For Reduce: whether columns behind the limit do not contribute.
  bool isLimited = false;
  /// For Columns: the buffer that the value is loaded from, or null.
  const Buffer *source = nullptr;
  /// The number of the store that writes the value to memory in pass `pass`; -1 if there is none.
  int home = -1;
};

class RowProgram {
public:
  explicit RowProgram(Kernel &kernel);

  //===--- For ops: operands ---===//
  /// A tensor that has the kernel's rows and columns.
  RowValue columns(mlir::Value operand);
  /// A tensor whose rows are wider than the kernel's, by a whole factor: its columns in parts of the kernel's width,
  /// the first of each row first. A row of the kernel may also be one of the heads of a row of the tensor.
  llvm::SmallVector<RowValue, 2> parts(mlir::Value operand);
  /// A tensor of one row, which all rows use; and part `part` of it, if it is wider than the kernel's rows.
  RowValue sameRow(mlir::Value operand, unsigned part = 0);
  /// Element `element` of a tensor that has one number, or a few, for each row.
  RowValue perRow(mlir::Value operand, unsigned element = 0);
  /// Element `element` of a tensor, the same for all rows.
  RowValue uniform(mlir::Value operand, int64_t element = 0);
  /// The row of a table with this number; and part `part` of it, if it is wider than the kernel's rows.
  RowValue tableRow(mlir::Value table, RowValue number, unsigned part = 0);
  /// Element `element(number)` of a tensor, for each row.
  RowValue elementAt(mlir::Value operand, RowValue element);
  /// The number of the row; an index.
  RowValue rowNumber() { return number; }
  RowValue immediate(unsigned index);

  //===--- For ops: computing ---===//
  using Map = std::function<Number(Emitter &, Numbers)>;
  using BlockMap = std::function<Vectors(const BlockPlace &, llvm::ArrayRef<Vectors>)>;
  /// Computes a value by a formula. If all operands are numbers of the row, the result is too; otherwise it has a
  /// number for each column.
  RowValue map(llvm::ArrayRef<RowValue> operands, Map map);
  RowValue mapBlock(llvm::ArrayRef<RowValue> operands, BlockMap map);
  /// The same, but the result has a number for each column, and the formula never runs on scalars alone.
  RowValue mapColumns(llvm::ArrayRef<RowValue> operands, Map map);
  RowValue sum(RowValue x) { return reduce(Reduction::Sum, {x}); }
  RowValue dot(RowValue x, RowValue y) { return reduce(Reduction::Dot, {x, y}); }
  RowValue max(RowValue x) { return reduce(Reduction::Max, {x}); }
  /// A causal mask: `value` in the columns up to `row % period`, `otherwise` behind them.
  RowValue upToDiagonal(RowValue value, double otherwise, int64_t period);

  //===--- For ops: results ---===//
  void result(mlir::Value result, RowValue value) { this->result(result, llvm::ArrayRef(value)); }
  /// A result with several numbers for each row, or with several parts of columns, which lie side by side in memory.
  void result(mlir::Value result, llvm::ArrayRef<RowValue> values);

  /// Part p of the rows is the `rowsOfPart` rows from p * `rowsOfPart` on. Row p of the result gets the sums over part
  /// p, column by column, added in the order of rows: a thread goes over the rows of a part.
  void sumRows(mlir::Value result, Reduction reduction, llvm::ArrayRef<RowValue> operands, int64_t rowsOfPart);

  //===--- For the driver ---===//
  void beginOp(mlir::Operation *op);
  void endOp(mlir::Operation *op);
  void finish();

  struct Store {
    const Buffer *buffer;
    RowValue value;
    RowValue start; // the element at which the row, or its number, begins in the buffer
  };
  Kernel &kernel;
  std::vector<std::unique_ptr<RowNode>> nodes; // a node comes after its operands
  std::vector<Store> stores;
  /// The last column before the causal limit, or null if there is no limit.
  RowValue limit = nullptr;
  RowValue number;
  unsigned passes = 1;
  /// If not 0, the kernel's units are parts of this many rows.
  int64_t rowsOfPart = 0;

private:
  RowValue add(RowNode node, unsigned earliest);
  RowValue reduce(Reduction reduction, llvm::ArrayRef<RowValue> operands);
  RowValue load(const Buffer &buffer, RowValue start);
  /// The element of a buffer at which part `part` of a row begins.
  RowValue startOf(RowValue row, const RowPlaces &places, unsigned part = 0);
  void store(const Buffer *buffer, llvm::ArrayRef<RowValue> parts);
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
  /// The values of each op result: one for each part of its columns, or one for each of its numbers of a row.
  llvm::DenseMap<mlir::Value, llvm::SmallVector<RowValue, 1>> values;
  llvm::DenseMap<mlir::Operation *, unsigned> lastPass;
  llvm::DenseMap<std::pair<const Buffer *, RowValue>, RowValue> loads;
  std::map<std::tuple<RowValue, int64_t, int64_t, int64_t, unsigned>, RowValue> starts;
};

} // namespace tx::emit

#endif // TX_LIB_CONVERSION_COMMON_ROWPROGRAM_H
