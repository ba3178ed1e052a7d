//===- OpTable.h - How each tx op is lowered ------------------------------------------------------------*- C++ -*-===//
//
// Maps each tx op's name to the function that lowers it, for all backends. The functions lie in the file of the op's
// family. A new op adds a function and a line there.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_CONVERSION_COMMON_OPTABLE_H
#define TX_LIB_CONVERSION_COMMON_OPTABLE_H

#include "ColumnUnit.h"
#include "RowProgram.h"

#include "tx/Dialect/Tx/IR/TxOps.h"

namespace tx::emit {

class OpTable {
public:
  OpTable();

  using RowLowering = std::function<void(mlir::Operation *, RowProgram &)>;
  using ColumnLowering = std::function<void(mlir::Operation *, ColumnUnit &)>;

  template <typename OpT> void addRow(void (*lower)(OpT, RowProgram &)) {
    rows[OpT::getOperationName()] = [lower](mlir::Operation *op, RowProgram &row) { lower(llvm::cast<OpT>(op), row); };
  }
  template <typename OpT> void addColumn(void (*lower)(OpT, ColumnUnit &)) {
    columns[OpT::getOperationName()] = [lower](mlir::Operation *op, ColumnUnit &unit) {
      lower(llvm::cast<OpT>(op), unit);
    };
  }

  const RowLowering *findRow(mlir::Operation *op) const { return find(rows, op); }
  const ColumnLowering *findColumn(mlir::Operation *op) const { return find(columns, op); }

private:
  template <typename T> static const T *find(const llvm::StringMap<T> &map, mlir::Operation *op) {
    auto found = map.find(op->getName().getStringRef());
    return found == map.end() ? nullptr : &found->second;
  }
  llvm::StringMap<RowLowering> rows;
  llvm::StringMap<ColumnLowering> columns;
};

// Each adds the functions of one family of ops.
void addElementwise(OpTable &table);
void addNorm(OpTable &table);
void addEmbedding(OpTable &table);
void addRotary(OpTable &table);
void addAttention(OpTable &table);
void addDropout(OpTable &table);
void addLoss(OpTable &table);
void addOptimizer(OpTable &table);

inline OpTable::OpTable() {
  for (auto add : {addElementwise, addNorm, addEmbedding, addRotary, addAttention, addDropout, addLoss, addOptimizer})
    add(*this);
}

} // namespace tx::emit

#endif // TX_LIB_CONVERSION_COMMON_OPTABLE_H
