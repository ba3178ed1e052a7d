//===- ColumnUnit.cpp - What a kernel computes for some columns ---------------------------------------------------===//

#include "ColumnUnit.h"

#include "mlir/IR/Matchers.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;
using namespace tx;
using namespace tx::emit;

/// Where this unit's columns of a row begin. Rows of a buffer that are wider than the kernel's are rows of heads.
Number ColumnUnit::startOf(const Buffer &buffer, Number row) {
  return RowPlaces::within(buffer, kernel.columns).startOf(row) + first;
}

Vectors ColumnUnit::load(const Buffer &buffer, Number row) { return e.loadBlock(buffer, startOf(buffer, row), shape); }

void ColumnUnit::store(const Vectors &block, const Buffer &buffer, Number row) {
  e.storeBlock(block, buffer, startOf(buffer, row), shape);
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

Vectors ColumnUnit::zero() { return Vectors(shape.vectors, e.broadcast(e.constant(0.0, e.f32()))); }

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
  bool isShared = groups > 1 && !isOneRow;
  Number start = isShared ? begin + group * static_cast<double>(step) : begin;
  int64_t stride = isShared ? step * groups : step;
  auto loop = [&](Number begin, Number end, int64_t rows, Number offset = {}) {
    carried = e.loop(begin, end, rows * stride, carried, [&](Number row, Numbers numbers) {
      if (offset.value)
        row = row + offset;
      SmallVector<Vectors, 2> blocks = split(numbers);
      for (int64_t i = 0; i < rows; ++i)
        add(i ? row + e.index(i * stride) : row, blocks);
      SmallVector<Number> results;
      for (const Vectors &block : blocks)
        llvm::append_range(results, block);
      return results;
    });
  };
  APInt first, last;
  if (matchPattern(begin.value, m_ConstantInt(&first)) && matchPattern(end.value, m_ConstantInt(&last)) &&
      (last - first).getSExtValue() % (rowsAtOnce * stride) == 0) {
    // All groups have the same number of rows, a multiple of rowsAtOnce: the number of rounds is a constant, and no
    // rows are left over.
    loop(begin, end, rowsAtOnce, isShared ? start - begin : Number());
  } else if (rowsAtOnce > 1) { // makes the same additions in the same order
    int64_t together = rowsAtOnce * stride;
    Number first = e.smallerIndex(start, end);
    Number whole = (end - first) / static_cast<double>(together) * static_cast<double>(together) + first;
    loop(first, whole, rowsAtOnce);
    loop(whole, end, 1);
  } else {
    loop(start, end, 1);
  }
  if (isShared)
    combineGroups(carried);
  return split(carried);
}

void ColumnUnit::eachRow(Number begin, Number end, function_ref<void(Number)> body) {
  llvm::SaveAndRestore inside(isOneRow, true);
  e.loop(groups > 1 ? begin + group : begin, end, groups, body);
}

void ColumnUnit::inRow(Number row, function_ref<void()> body) {
  llvm::SaveAndRestore inside(isOneRow, true);
  if (groups > 1)
    e.onlyIf(row % groups == group, body);
  else
    body();
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
  auto add = [&] {
    Vectors old = load(accumulator, row), next;
    for (unsigned i = 0; i < shape.vectors; ++i)
      next.push_back((reset.value ? select(reset, 0.0, old[i]) : old[i]) + sum[i]);
    store(next, result, row);
  };
  if (groups > 1 && !isOneRow)
    e.onlyIf(group == 0.0, add);
  else
    add();
}

void ColumnUnit::carry(const Buffer &accumulator, const Buffer &result, Number reset, Number begin, Number end) {
  // If the result lies on the accumulator, as memory is planned, there is nothing to copy.
  e.onlyIf(e.areApart(accumulator, result),
           [&] { eachRow(begin, end, [&](Number row) { store(load(accumulator, row), result, row); }); });
  if (reset.value)
    e.onlyIf(reset, [&] { eachRow(begin, end, [&](Number row) { store(zero(), result, row); }); });
}
