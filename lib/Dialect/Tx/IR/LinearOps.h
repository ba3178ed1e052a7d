//===- LinearOps.h - What the ops of linear layers share ------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_DIALECT_TX_IR_LINEAROPS_H
#define TX_LIB_DIALECT_TX_IR_LINEAROPS_H

#include "OpUtils.h"

namespace tx::linear {

/// The sizes (k, n) of a weight that is stored as [k, n], or as [n, k] if `transposed`.
std::pair<int64_t, int64_t> inOut(mlir::RankedTensorType weight, bool transposed);

/// Checks that both operands of a matrix product have one element type and that the result's element type is no
/// narrower. `names` names the operands in the error.
mlir::LogicalResult verifyElements(mlir::Operation *op, llvm::StringRef names, mlir::Value a, mlir::Value b,
                                   mlir::Value result);
/// Checks the shapes of y = x weight.
mlir::LogicalResult verifyShapes(GemmOpInterface op, mlir::Value x, mlir::Value weight, bool transposed, mlir::Value y);
/// Checks the bias against y; `bias` may be null.
mlir::LogicalResult verifyBias(mlir::Operation *op, mlir::Value bias, mlir::Value y);

GemmForm forwardForm(mlir::Value x, mlir::Value weight, bool transposed, mlir::Value bias, mlir::Value y);
GemmForm inputGradForm(mlir::Value dy, mlir::Value weight, bool transposed, mlir::Value dx);

/// Builds the gradients of x, weight and bias for y = x weight + bias, from dy. `bias` may be null.
void buildBackward(mlir::OpBuilder &builder, BackwardContext &context, mlir::Location loc, mlir::Value x,
                   mlir::Value weight, bool transposed, mlir::Value bias, mlir::Value dy);

} // namespace tx::linear

#endif // TX_LIB_DIALECT_TX_IR_LINEAROPS_H
