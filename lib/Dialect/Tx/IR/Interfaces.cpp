//===- Interfaces.cpp - Interface definitions, shape helpers --------------===//

#include "tx/Dialect/Tx/IR/TxInterfaces.h"

using namespace mlir;
using namespace tx;

#include "tx/Dialect/Tx/IR/TxInterfaces.cpp.inc"

int64_t tx::getColumns(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  return type.getRank() == 0 ? 1 : type.getShape().back();
}

int64_t tx::getRows(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  int64_t rows = 1;
  for (int64_t size : type.getShape().drop_back(type.getRank() == 0 ? 0 : 1))
    rows *= size;
  return rows;
}

int64_t tx::getByteSize(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  int64_t bits = type.getElementTypeBitWidth();
  return type.getNumElements() * std::max<int64_t>(1, bits / 8);
}

int64_t tx::detail::defaultVectorFlops(Operation *op) {
  int64_t elements = 0;
  for (Type type : op->getResultTypes())
    elements += cast<RankedTensorType>(type).getNumElements();
  return elements;
}

Type tx::detail::scalarLike(Type tensor) {
  return RankedTensorType::get({}, cast<RankedTensorType>(tensor).getElementType());
}

Type tx::detail::stepType(Type tensor) {
  return RankedTensorType::get({}, IntegerType::get(tensor.getContext(), 32));
}

LogicalResult tx::detail::verifyBoundedShapes(Operation *op) {
  // Room for eight-byte elements and sums of a few tensors in int64_t.
  constexpr int64_t kMaxElements = int64_t(1) << 56;
  auto verify = [&](Type type) -> LogicalResult {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !tensor.hasStaticShape())
      return success(); // the type constraints speak of it
    int64_t elements = 1;
    for (int64_t size : tensor.getShape()) {
      if (size <= 0)
        return op->emitOpError("has a tensor with a dimension of ") << size
               << " elements; every dimension must be at least 1: " << type;
      if (elements > kMaxElements / size)
        return op->emitOpError("has a tensor of more than 2^56 elements: ") << type;
      elements *= size;
    }
    return success();
  };
  for (Type type : op->getOperandTypes())
    if (failed(verify(type)))
      return failure();
  for (Type type : op->getResultTypes())
    if (failed(verify(type)))
      return failure();
  return success();
}
