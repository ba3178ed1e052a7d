//===- Kernel.cpp - A kernel's function and its buffers -----------------------------------------------------------===//

#include "Kernel.h"

using namespace mlir;
using namespace tx;
using namespace tx::emit;

RowPlaces RowPlaces::within(const Buffer &buffer, int64_t width) {
  return {buffer.stride, buffer.columns / width, width};
}

std::optional<RowPlaces> RowPlaces::find(const Buffer &buffer, int64_t rows, int64_t width) {
  if (buffer.columns == width && buffer.rows == rows)
    return within(buffer, width);
  if (buffer.isContiguous())
    return RowPlaces{width};
  if (buffer.columns % width || buffer.rows * (buffer.columns / width) != rows)
    return std::nullopt;
  return within(buffer, width);
}

Number RowPlaces::startOf(Number row) const {
  if (heads == 1)
    return row * static_cast<double>(stride);
  double count = heads;
  return row / count * static_cast<double>(stride) + row % heads * static_cast<double>(headStride);
}

Kernel::Kernel(step::KernelOp op, Emitter &emitter, ValueRange memory, std::function<Number(unsigned)> immediate)
    : op(op), emitter(emitter), rows(op.getSpace()[0]), columns(op.getSpace()[1]), immediate(std::move(immediate)) {
  for (auto [type, stride, memref] : llvm::zip_equal(op.getBufferTypes(), op.getRowStrides(), memory)) {
    auto tensor = cast<RankedTensorType>(type);
    int64_t columns = getColumns(tensor);
    buffers.push_back({memref, tensor, getRows(tensor), columns, stride ? stride : columns});
  }
}

const Buffer *Kernel::input(Value value) const {
  auto argument = dyn_cast<BlockArgument>(value);
  return argument ? &buffers[argument.getArgNumber()] : nullptr;
}

SmallVector<const Buffer *, 1> Kernel::outputs(Value value) const {
  mlir::Block &body = const_cast<Kernel *>(this)->op.getBody().front();
  SmallVector<const Buffer *, 1> result;
  for (auto [index, yielded] : llvm::enumerate(body.back().getOperands()))
    if (yielded == value)
      result.push_back(&buffers[body.getNumArguments() + index]);
  return result;
}

void Kernel::refuse(Operation *op, const Twine &why) {
  if (!refused)
    op->emitOpError(why);
  refused = true;
}
