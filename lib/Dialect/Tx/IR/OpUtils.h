//===- OpUtils.h - Shared by the op families ------------------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_DIALECT_TX_IR_OPUTILS_H
#define TX_LIB_DIALECT_TX_IR_OPUTILS_H

#include "tx/Dialect/Tx/IR/TxOps.h"

namespace tx {

using Shape = llvm::ArrayRef<int64_t>;

inline mlir::RankedTensorType tensorOf(mlir::Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType());
}
inline mlir::RankedTensorType tensorOf(mlir::Type type) { return mlir::cast<mlir::RankedTensorType>(type); }
/// The type of a row statistic of `type`: the shape without the last dimension, in f32 (in f64 if `type` is f64).
inline mlir::RankedTensorType statisticsOf(mlir::RankedTensorType type) {
  mlir::Type element = type.getElementType();
  if (!element.isF64())
    element = mlir::Float32Type::get(type.getContext());
  return mlir::RankedTensorType::get(type.getShape().drop_back(), element);
}
inline std::pair<int64_t, int64_t> rowSpace(mlir::Value value) {
  return {getRows(value.getType()), getColumns(value.getType())};
}
/// The kernel space of a flat loop nest: (number of chunks, elements of a chunk).
constexpr int64_t kFlatChunk = 4096;
inline std::pair<int64_t, int64_t> flatSpace(mlir::Value value) {
  int64_t elements = tensorOf(value).getNumElements();
  int64_t chunk = std::min(elements, kFlatChunk);
  return {(elements + chunk - 1) / chunk, chunk};
}

/// For type inference: emits the error that the op's verifier would emit, before the op exists. The operands are ranked
/// tensors by then, but may have any rank, shape and element type.
template <typename Op, typename... Args>
mlir::LogicalResult inferenceError(std::optional<mlir::Location> loc, Args &&...args) {
  return mlir::emitOptionalError(loc, "'", Op::getOperationName(), "' op ", std::forward<Args>(args)...);
}

} // namespace tx

#endif // TX_LIB_DIALECT_TX_IR_OPUTILS_H
