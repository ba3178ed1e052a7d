//===- OptimizerUpdate.h - The update of all parameters -------------------------------------------------*- C++ -*-===//
//
// Parameters of one decay and one type are updated by one op: their tensors are packed one behind another, and so are
// gradients, moments and masters, in the same order.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_AUTODIFF_OPTIMIZERUPDATE_H
#define TX_LIB_AUTODIFF_OPTIMIZERUPDATE_H

#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "llvm/ADT/StringMap.h"

namespace tx {

/// What the optimizer needs of one parameter; no master if it is as wide as its gradient.
struct Trained {
  GlobalOp parameter, gradient, moment1, moment2, master;

  mlir::Type getGradientElement() const { return GlobalOp(gradient).getType().getElementType(); }
};

/// Loads at the entry and stores at the exit of one function.
class StateAccess {
public:
  explicit StateAccess(mlir::func::FuncOp function);

  mlir::Value load(GlobalOp global);
  void store(mlir::Value value, GlobalOp global);

private:
  mlir::Block &body;
  LoadOp last;
  llvm::StringMap<LoadOp> loads;
};

/// AdamW with decoupled weight decay behind clipping; the learning rate and the number of the step (i32, from 1) are
/// values.
struct AdamW {
  double clipGrad, weightDecay, beta1, beta2, eps;
  mlir::Value lr, step;
};

/// Clips, updates, stores. Gives the global norm of the gradients, one for each parameter.
mlir::Value buildUpdate(mlir::OpBuilder &builder, StateAccess &state, llvm::ArrayRef<Trained> trained,
                        llvm::ArrayRef<mlir::Value> gradients, const AdamW &adamW);

} // namespace tx

#endif // TX_LIB_AUTODIFF_OPTIMIZERUPDATE_H
