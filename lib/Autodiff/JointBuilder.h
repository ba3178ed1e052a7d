//===- JointBuilder.h - Backward after forward in one function ------------------------------------------*- C++ -*-===//
//
// Builds the backward of one function, and is the BackwardContext that its ops use for that. It sums the gradients of a
// value that has several uses, and keeps the accumulators of parameters. It reports an op that forgets a gradient: the
// op does not read the gradient of one of its results, or gives none to an operand that depends on a parameter.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_AUTODIFF_JOINTBUILDER_H
#define TX_LIB_AUTODIFF_JOINTBUILDER_H

#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"

namespace tx {

/// The gradient of one parameter: `value` is the sum that the backward ops built so far have accumulated; `started`
/// says whether there is such an op.
struct Accumulator {
  LoadOp parameter;
  mlir::Value value;
  bool started = false;
};

class JointBuilder : public BackwardContext {
public:
  /// `accumulators` has an entry for every parameter that `function` loads. `first` is the argument (i1) that says
  /// whether this is the first microbatch: accumulators then start from zero.
  JointBuilder(mlir::func::FuncOp function, mlir::Value first, llvm::MutableArrayRef<Accumulator> accumulators);

  /// Appends the backward ops of the function's ops before the terminator; `seed` is the gradient of `loss`. Fails,
  /// with an error on the op, if an op has no gradient or forgets one.
  mlir::LogicalResult build(mlir::Value loss, mlir::Value seed);

  mlir::Value getGradient(mlir::Value forwardResult) override;
  bool needsGradient(mlir::Value operand) override;
  void addGradient(mlir::Value operand, mlir::Value gradient) override;
  bool accumulate(llvm::ArrayRef<mlir::Value> parameters, Accumulate build) override;
  bool enterForward(mlir::OpBuilder &builder, llvm::ArrayRef<mlir::Value> needed) override;
  void replaceForward(mlir::ValueRange results) override;
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
  /// Forward ops in whose place others stand. They are erased at the end, since the tables above have their results.
  llvm::SmallVector<mlir::Operation *> replaced;

  // State of the op whose backward is being built:
  mlir::Operation *current = nullptr;
  llvm::DenseSet<mlir::Value> asked;
  llvm::SmallVector<mlir::Value> accumulated;
};

} // namespace tx

#endif // TX_LIB_AUTODIFF_JOINTBUILDER_H
