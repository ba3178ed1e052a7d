//===- ColumnUnit.cpp - What a kernel computes for some columns -----------===//

#include "ColumnUnit.h"

using namespace mlir;
using namespace tx;
using namespace tx::host;

Vectors ColumnUnit::load(const Buffer &buffer, Number row) {
  return e.loadBlock(buffer, row * static_cast<double>(buffer.stride) + first, shape);
}

void ColumnUnit::store(const Vectors &block, const Buffer &buffer, Number row) {
  e.storeBlock(block, buffer, row * static_cast<double>(buffer.stride) + first, shape);
}

const Buffer *ColumnUnit::input(Operation *op, Value value) {
  const Buffer *buffer = kernel.input(value);
  if (!buffer)
    kernel.refuse(op, "cannot share a kernel with the op that computes its operand");
  return buffer;
}

const Buffer *ColumnUnit::output(Operation *op, Value result) {
  auto outputs = kernel.outputs(result);
  if (outputs.size() == 1)
    return outputs[0];
  kernel.refuse(op, "adds into memory, and its kernel has " + Twine(outputs.size()) + " buffers for a result");
  return nullptr;
}

Vectors ColumnUnit::zero() {
  return Vectors(shape.vectors, e.broadcast(e.constant(0.0, e.f32())));
}

SmallVector<Vectors, 2> ColumnUnit::sumRows(unsigned sums, Number begin, Number end, int64_t step,
                                                function_ref<void(Number, MutableArrayRef<Vectors>)> add) {
  SmallVector<Number> carried;
  for (unsigned i = 0; i < sums; ++i)
    llvm::append_range(carried, zero());
  auto split = [&](Numbers numbers) {
    SmallVector<Vectors, 2> blocks;
    for (unsigned i = 0; i < sums; ++i)
      blocks.push_back(Vectors(numbers.slice(i * shape.vectors, shape.vectors)));
    return blocks;
  };
  carried = e.loop(begin, end, step, carried, [&](Number row, Numbers numbers) {
    SmallVector<Vectors, 2> blocks = split(numbers);
    add(row, blocks);
    SmallVector<Number> results;
    for (const Vectors &block : blocks)
      llvm::append_range(results, block);
    return results;
  });
  return split(carried);
}

Number ColumnUnit::isReset(Operation *op, Value bit) {
  if (!bit)
    return {};
  const Buffer *buffer = input(op, bit);
  if (!buffer)
    return {};
  Number byte = e.load(*buffer, e.index(0));
  return byte != 0.0;
}

void ColumnUnit::accumulate(const Buffer &accumulator, const Buffer &result, Number reset, Number row,
                            const Vectors &sum) {
  Vectors old = load(accumulator, row), next;
  for (unsigned i = 0; i < shape.vectors; ++i)
    next.push_back((reset.value ? select(reset, 0.0, old[i]) : old[i]) + sum[i]);
  store(next, result, row);
}

void ColumnUnit::carry(const Buffer &accumulator, const Buffer &result, Number reset, Number begin, Number end) {
  // In place, as planned: nothing to copy.
  e.onlyIf(e.areApart(accumulator, result), [&] {
    e.loop(begin, end, 1, [&](Number row) { store(load(accumulator, row), result, row); });
  });
  if (reset.value)
    e.onlyIf(reset, [&] { e.loop(begin, end, 1, [&](Number row) { store(zero(), result, row); }); });
}

void tx::host::emitColumns(Kernel &kernel, function_ref<void(ColumnUnit &)> body) {
  Emitter &e = kernel.emitter;
  int64_t whole = kernel.columns / kBlock, rest = kernel.columns % kBlock;
  if (whole) {
    Number end = rest ? e.smallerIndex(kernel.end(), e.index(whole)) : kernel.end();
    e.loop(kernel.begin(), end, 1, [&](Number block) {
      ColumnUnit unit(kernel, block * static_cast<double>(kBlock), BlockShape());
      body(unit);
    });
  }
  if (rest) {
    Number isLast = (kernel.begin() < kernel.end()) & (e.index(whole) < kernel.end());
    e.onlyIf(isLast, [&] {
      ColumnUnit unit(kernel, e.index(whole * kBlock), BlockShape::of(rest));
      body(unit);
    });
  }
}
