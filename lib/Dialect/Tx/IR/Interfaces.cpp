//===- Interfaces.cpp - Interface definitions, shape helpers ------------------------------------------------------===//

#include "tx/Dialect/Tx/IR/TxInterfaces.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"

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

/// Narrows `all` to the ids that are in `range` too; either may be unset.
static void narrow(std::optional<IdRange> &all, std::optional<IdRange> range) {
  if (!range)
    return;
  if (!all) {
    all = range;
    return;
  }
  if (range->below && (!all->below || *range->below < *all->below))
    all->below = range->below;
  // An id that one reader ignores is an ordinary id for another reader, so no id is ignored by all.
  if (all->ignored != range->ignored)
    all->ignored.reset();
}

std::optional<IdRange> tx::getIdRange(Value value) {
  std::optional<IdRange> all;
  for (OpOperand &use : value.getUses()) {
    if (auto reader = dyn_cast<IdReadingOpInterface>(use.getOwner()))
      narrow(all, reader.getIdRange(use.getOperandNumber()));
    if (auto view = dyn_cast<ViewOpInterface>(use.getOwner()); view && view.getViewedWhole() == value)
      for (auto [part, start] : view.getViewedParts())
        narrow(all, getIdRange(part));
  }
  return all;
}

int64_t tx::detail::defaultVectorFlops(Operation *op) {
  int64_t elements = 0;
  for (Type type : op->getResultTypes())
    elements += cast<RankedTensorType>(type).getNumElements();
  return elements;
}

Type tx::detail::scalarLike(Type tensor) { return RankedTensorType::get({}, getElementTypeOrSelf(tensor)); }

Type tx::detail::stepType(Type tensor) { return RankedTensorType::get({}, IntegerType::get(tensor.getContext(), 32)); }

Type tx::detail::pairsOf(Type tensor) {
  auto type = dyn_cast<RankedTensorType>(tensor);
  if (!type)
    return tensor; // the op has been parsed but not verified yet
  SmallVector<int64_t> shape(type.getShape());
  shape.push_back(2);
  return type.clone(shape);
}

bool tx::detail::mayBeColumns(Operation *op, Value value) {
  auto kernel = cast<KernelOpInterface>(op);
  switch (kernel.getKernelKind()) {
  case KernelKind::Row:
  case KernelKind::Column: {
    // A row of the kernel is a row of the tensor, or one of its heads: `width` of its columns. A tensor with one number
    // for each row is read as a contiguous sequence.
    auto [kernelRows, kernelColumns] = kernel.getKernelSpace();
    int64_t rows = getRows(value.getType()), columns = getColumns(value.getType());
    if (rows * columns % kernelRows)
      return false;
    int64_t width = rows * columns / kernelRows;
    return width > 1 && width % kernelColumns == 0 && columns % width == 0;
  }
  case KernelKind::Flat:
    return false;
  case KernelKind::Gemm:
  case KernelKind::Tile:
  case KernelKind::View:
    return true;
  }
  return false;
}

std::optional<int64_t> tx::detail::countElements(ArrayRef<int64_t> shape) {
  int64_t elements = 1;
  for (int64_t size : shape) {
    if (size <= 0 || elements > kMaxElements / size)
      return std::nullopt;
    elements *= size;
  }
  return elements;
}

LogicalResult tx::detail::verifyBoundedShape(llvm::function_ref<InFlightDiagnostic()> emitError,
                                             RankedTensorType type) {
  for (int64_t size : type.getShape())
    if (size <= 0)
      return emitError() << "has a tensor with a dimension of " << size
                         << " elements; every dimension must be at least 1: " << type;
  if (!countElements(type.getShape()))
    return emitError() << "has a tensor of more than 2^56 elements: " << type;
  return success();
}

LogicalResult tx::detail::verifyBoundedShapes(Operation *op) {
  auto verify = [&](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (!tensor || !tensor.hasStaticShape())
      return success(); // the op's type constraints diagnose it
    return verifyBoundedShape([&] { return op->emitOpError(); }, tensor);
  };
  for (Type type : op->getOperandTypes())
    if (failed(verify(type)))
      return failure();
  for (Type type : op->getResultTypes())
    if (failed(verify(type)))
      return failure();
  return success();
}

bool tx::detail::hasCountedFlops(ArrayRef<int64_t> sizes) {
  int64_t flops = 2;
  return llvm::none_of(sizes, [&](int64_t size) { return llvm::MulOverflow(flops, size, flops); });
}

LogicalResult tx::detail::verifyName(Operation *op, StringRef name) {
  if (name.contains('\0'))
    return op->emitOpError("has a name with a NUL character, after '") << name.split('\0').first << "'";
  size_t place = 0;
  if (!llvm::json::isUTF8(name, &place))
    return op->emitOpError("has a name that is not UTF-8, after '") << name.take_front(place) << "'";
  return success();
}

LogicalResult tx::detail::verifyFlops(Operation *op, const GemmForm &form) {
  if (!hasCountedFlops({form.m, form.n, form.k, form.batch0, form.batch1}))
    return op->emitOpError("has more than 2^63 FLOPs");
  return success();
}
