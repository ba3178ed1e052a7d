//===- NameTable.h - Names of values for people ---------------------------------------------------------*- C++ -*-===//
//
// A value has the name of its op's layer and module path: `layers.3.mlp.fc1`, `final_layernorm`. If forward has several
// ops with one such name, the op's own name follows (`layers.3.self_attention.core_attn.softmax`). Of several ops of
// one kind each has the name of its parameter instead, or of the parameter from which its operand comes:
// `layers.3.mlp.fc1.up_proj`, `layers.3.self_attention.rope.q_proj`. A number follows if names are still equal. A
// result that is not the op's main one has its label last (`layers.3.layernorm.input.mean`). A recomputation has the
// name of the forward op that it clones.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_PLAN_NAMETABLE_H
#define TX_PLAN_NAMETABLE_H

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

/// The value that owns the memory: `value` itself; if it is a view, the whole tensor that it shows; if it continues
/// state in place, that state.
mlir::Value getStorage(mlir::Value value);

} // namespace tx

#endif // TX_PLAN_NAMETABLE_H
