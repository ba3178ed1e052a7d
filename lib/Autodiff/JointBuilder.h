//===- JointBuilder.h - Backward after forward in one function ------------------------------------------*- C++ -*-===//
//
// The BackwardContext of one function. It does the sums of gradients and keeps the accumulators, and it notices a
// gradient that an op forgets: one that arrives at a result and is not asked for, or an operand that wants one and gets
// none.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_AUTODIFF_JOINTBUILDER_H
#define TX_LIB_AUTODIFF_JOINTBUILDER_H

#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"

namespace tx {

/// The gradient of one parameter, as far as backward has come.
struct Accumulator {
  LoadOp parameter;
  mlir::Value value;
  bool started = false;
};

class JointBuilder : public BackwardContext {
public:
  /// `accumulators` has an entry for every parameter that `function` loads.
  JointBuilder(mlir::func::FuncOp function, mlir::Value first, llvm::MutableArrayRef<Accumulator> accumulators);

  /// Appends the backward of the function's ops, with `seed` as the gradient of `loss`, before the terminator.
  mlir::LogicalResult build(mlir::Value loss, mlir::Value seed);

  mlir::Value getGradient(mlir::Value forwardResult) override;
  bool needsGradient(mlir::Value operand) override;
  void addGradient(mlir::Value operand, mlir::Value gradient) override;
  bool accumulate(llvm::ArrayRef<mlir::Value> parameters, Accumulate build) override;
  ScopeAttr getScope() override;

private:
  mlir::LogicalResult buildOp(mlir::Operation *op);
  mlir::LogicalResult checkOperands(mlir::Operation *op);
  mlir::LogicalResult checkResults(mlir::ValueRange values);

  mlir::OpBuilder builder;
  mlir::func::FuncOp function;
  mlir::Value first;
  llvm::DenseMap<mlir::Value, Accumulator *> accumulators;
  /// Values that depend on a parameter.
  llvm::DenseSet<mlir::Value> active;
  llvm::MapVector<mlir::Value, mlir::Value> gradients;
  llvm::DenseSet<mlir::Value> read;

  // Of the op whose backward is being built.
  mlir::Operation *current = nullptr;
  llvm::DenseSet<mlir::Value> asked;
  llvm::SmallVector<mlir::Value> accumulated;
};

} // namespace tx

#endif // TX_LIB_AUTODIFF_JOINTBUILDER_H
