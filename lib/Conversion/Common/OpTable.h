//===- OpTable.h - How each tx op is lowered ------------------------------------------------------------*- C++ -*-===//
//
// Maps each tx op of rows or of columns to the function that lowers it, for all backends. The functions lie in the file
// of the op's family. A new op adds a function and a line there. Kernels of tiles are a backend's own: it has a table
// of its own for them (Host/Tiles.h, Gpu/Tiles.h).
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_CONVERSION_COMMON_OPTABLE_H
#define TX_LIB_CONVERSION_COMMON_OPTABLE_H

#include "ColumnUnit.h"
#include "Lowerings.h"
#include "RowProgram.h"

#include "tx/Dialect/Tx/IR/TxOps.h"

namespace tx::emit {

struct OpTable {
  OpTable();

  template <typename OpT> void addRow(void (*lower)(OpT, RowProgram &)) { rows.add(lower); }
  template <typename OpT> void addColumn(void (*lower)(OpT, ColumnUnit &)) { columns.add(lower); }

  Lowerings<RowProgram &> rows;
  Lowerings<ColumnUnit &> columns;
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
