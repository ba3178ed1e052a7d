//===- BuildProblem.h - From the joint function to plain data -------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_REMAT_BUILDPROBLEM_H
#define TX_LIB_REMAT_BUILDPROBLEM_H

#include "tx/Remat/Problem.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tx {

/// The problem, and the IR: `ops[i]` is the op number i of the problem, `values[i]` its value number i.
struct JointProblem {
  RematProblem problem;
  std::vector<mlir::Operation *> ops;
  std::vector<mlir::Value> values;
};

/// Whether the function has ops of the backward segment.
bool hasBackward(mlir::func::FuncOp function);

/// Fails, with a diagnostic, on a function that is not joint: one block, forward ops before backward ops, no
/// recomputations yet.
mlir::FailureOr<JointProblem> buildRematProblem(mlir::func::FuncOp function);

} // namespace tx

#endif // TX_LIB_REMAT_BUILDPROBLEM_H
