//===- Kernel.cpp - A kernel's function and its buffers -------------------===//

#include "Kernel.h"

using namespace mlir;
using namespace tx;
using namespace tx::host;

Kernel::Kernel(step::KernelOp op, Emitter &emitter, mlir::Block *entry)
    : op(op), emitter(emitter), rows(op.getSpace()[0]), columns(op.getSpace()[1]) {
  mlir::Block &body = op.getBody().front();
  SmallVector<Type> types(body.getArgumentTypes());
  llvm::append_range(types, body.back().getOperandTypes());
  for (auto [index, type] : llvm::enumerate(types)) {
    auto tensor = cast<RankedTensorType>(type);
    int64_t stride = op.getRowStrides()[index], columns = getColumns(tensor);
    buffers.push_back({entry->getArgument(index), tensor, getRows(tensor), columns, stride ? stride : columns});
  }
  unsigned next = types.size();
  if (op.getImmediates())
    immediates.memref = entry->getArgument(next++);
  immediates.type = RankedTensorType::get({static_cast<int64_t>(op.getImmediates())}, emitter.i32());
  first = emitter.wrap(entry->getArgument(next));
  last = emitter.wrap(entry->getArgument(next + 1));
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

Number Kernel::immediate(unsigned index) { return emitter.load(immediates, emitter.index(index)); }

void Kernel::refuse(Operation *op, const Twine &why) {
  if (!refused)
    op->emitOpError(why);
  refused = true;
}
