//===- NameTable.h - Names of values for people ---------------------------------------------------------*- C++ -*-===//
//
// A value is called by its op's place: `layers.3.mlp.fc1`, `final_layernorm`. Where forward has several ops at one
// place the op's own name follows (`layers.3.self_attention.core_attn.softmax`), then a number if need be. A result
// that is not the op's main one has its label last (`layers.3.layernorm.input.mean`). Recomputations are called like
// their originals.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_REMAT_NAMETABLE_H
#define TX_LIB_REMAT_NAMETABLE_H

#include "tx/Dialect/Tx/IR/TxInterfaces.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"

namespace tx {

class NameTable {
public:
  explicit NameTable(mlir::func::FuncOp function);

  std::string nameOf(mlir::Operation *op) const { return names.lookup(op); }
  std::string nameOf(mlir::OpResult result) const;

private:
  llvm::DenseMap<mlir::Operation *, std::string> names;
};

/// The value whose memory this one lies in: itself or, behind views, the whole.
mlir::Value getStorage(mlir::Value value);

} // namespace tx

#endif // TX_LIB_REMAT_NAMETABLE_H
