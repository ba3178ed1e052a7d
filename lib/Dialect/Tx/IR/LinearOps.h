//===- LinearOps.h - What the ops of linear layers share ------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_DIALECT_TX_IR_LINEAROPS_H
#define TX_LIB_DIALECT_TX_IR_LINEAROPS_H

#include "OpUtils.h"

namespace tx::linear {

/// (k, n) of a weight.
std::pair<int64_t, int64_t> inOut(mlir::RankedTensorType weight, bool transposed);

/// A matrix product has operands of one type, and sums that are no narrower.
mlir::LogicalResult verifyElements(mlir::Operation *op, llvm::StringRef names, mlir::Value a, mlir::Value b,
                                   mlir::Value result);
/// y = x weight.
mlir::LogicalResult verifyShapes(GemmOpInterface op, mlir::Value x, mlir::Value weight, bool transposed, mlir::Value y);
/// `bias` may be null.
mlir::LogicalResult verifyBias(mlir::Operation *op, mlir::Value bias, mlir::Value y);

GemmForm forwardForm(mlir::Value x, mlir::Value weight, bool transposed, mlir::Value bias, mlir::Value y);
GemmForm inputGradForm(mlir::Value dy, mlir::Value weight, bool transposed, mlir::Value dx);

/// The gradients of y = x weight + bias, which may be null, from dy.
void buildBackward(mlir::OpBuilder &builder, BackwardContext &context, mlir::Location loc, mlir::Value x,
                   mlir::Value weight, bool transposed, mlir::Value bias, mlir::Value dy);

} // namespace tx::linear

#endif // TX_LIB_DIALECT_TX_IR_LINEAROPS_H
