//===- OptimizerUpdate.h - The update of all parameters -------------------------------------------------*- C++ -*-===//
//
// One op updates all parameters with the same weight decay and the same element type. Their tensors are packed one
// behind another into one tensor; their gradients, moments and masters are packed in the same order.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_AUTODIFF_OPTIMIZERUPDATE_H
#define TX_LIB_AUTODIFF_OPTIMIZERUPDATE_H

#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "llvm/ADT/StringMap.h"

namespace tx {

/// The globals that the optimizer needs for one parameter. `master` is null if the parameter's type is as wide as the
/// gradient's.
struct Trained {
  GlobalOp parameter, gradient, moment1, moment2, master;

  mlir::Type getGradientElement() const { return GlobalOp(gradient).getType().getElementType(); }
};

/// Adds loads at the entry and stores at the exit of one function; loads each global once.
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

/// AdamW with decoupled weight decay, after clipping by the global norm. `lr` (a float scalar) and `step` (i32, counted
/// from 1) are values of the function; the other numbers are constants.
struct AdamW {
  double clipGrad, weightDecay, beta1, beta2, eps;
  mlir::Value lr, step;
};

/// Builds ops that clip the gradients, update the parameters and store all of them. `gradients` has one value for each
/// entry of `trained`. Returns the global norm of the gradients before clipping, a scalar.
mlir::Value buildUpdate(mlir::OpBuilder &builder, StateAccess &state, llvm::ArrayRef<Trained> trained,
                        llvm::ArrayRef<mlir::Value> gradients, const AdamW &adamW);

} // namespace tx

#endif // TX_LIB_AUTODIFF_OPTIMIZERUPDATE_H
