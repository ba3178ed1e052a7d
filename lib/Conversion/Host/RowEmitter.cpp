//===- RowEmitter.cpp - The loops of a row program ----------------------------------------------------------------===//
//
// for each row:
//   for each pass:
//     values of the row that are known now
//     for each block of columns: loads, arithmetic, reductions, then stores
//     reductions over the lanes
//   store the values of the row
//
// Of short rows, several go through each pass together. If a pass needs a value of an earlier pass, it loads the value
// if a result in memory holds it, and otherwise computes it again.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Loops.h"

using namespace mlir;
using namespace tx;
using namespace tx::emit;
using tx::host::Task;

namespace {
class RowEmitter {
public:
  RowEmitter(const Task &task, RowProgram &program)
      : task(task), program(program), kernel(task.kernel), e(kernel.emitter) {
    for (auto &node : program.nodes)
      if (node->kind == RowNode::Columns)
        for (RowValue operand : node->operands)
          usedByColumns.insert(operand);
    for (const RowProgram::Store &store : program.stores)
      usedByColumns.insert(store.value);
  }

  void emit();

private:
  /// How many short rows a loop's iteration has.
  static constexpr int64_t kRowsTogether = 4;
  /// A row whose code is being written: its numbers, and those of them that columns use, in all lanes of a vector.
  struct Row {
    DenseMap<RowValue, Number> scalars, broadcasts;
  };

  bool areRowsShort() const;
  void emitRow(Number row, int64_t columns);
  void emitRowsTogether(Number row);
  void storeNumbers();
  void emitPass(int64_t columns);
  SmallVector<Number> emitBlock(const BlockPlace &at, ArrayRef<RowValue> reductions, Numbers accumulators);
  void emitReduction(RowValue reduction, Numbers accumulators);
  void emitScalar(RowValue node);
  Vectors evaluate(RowValue node, const BlockPlace &at);
  void define(RowValue node, Number number);
  Number combine(RowValue reduction, Number accumulator, Numbers operands);

  const Task &task;
  RowProgram &program;
  Kernel &kernel;
  Emitter &e;
  DenseSet<RowValue> usedByColumns;
  Row current;
  DenseMap<RowValue, Vectors> blocks; // the values of the current block of columns
  unsigned pass = 0;
};
} // namespace

void RowEmitter::emit() {
  for (auto &node : program.nodes)
    if (node->kind == RowNode::Scalar && node->isUniform && node.get() != program.rowNumber())
      emitScalar(node.get());
  // The last chunk of a flat kernel may be shorter.
  int64_t rest = 0;
  if (kernel.op.getKind() == KernelKind::Flat) {
    int64_t elements = 0;
    for (Type type : kernel.op.getBody().getArgumentTypes())
      elements = std::max(elements, cast<RankedTensorType>(type).getNumElements());
    rest = elements % kernel.columns;
  }
  int64_t whole = kernel.rows - (rest ? 1 : 0);
  if (whole) {
    Number begin = task.begin, end = rest ? e.smallerIndex(task.end, e.index(whole)) : task.end;
    if (areRowsShort()) {
      Number behind = begin + (end - begin) / double(kRowsTogether) * double(kRowsTogether);
      e.loop(begin, behind, kRowsTogether, [&](Number row) { emitRowsTogether(row); });
      begin = behind;
    }
    e.loop(begin, end, 1, [&](Number row) { emitRow(row, kernel.columns); });
  }
  if (rest) {
    Number isLast = (task.begin < task.end) & (e.index(whole) < task.end);
    e.onlyIf(isLast, [&] { emitRow(e.index(whole), rest); });
  }
}

void RowEmitter::define(RowValue node, Number number) {
  current.scalars[node] = number;
  // Numbers that meet vectors are broadcast once, here; addresses stay scalars.
  if (usedByColumns.contains(node))
    current.broadcasts[node] = number.element().isIndex() ? number : e.broadcast(number);
}

void RowEmitter::emitScalar(RowValue node) {
  SmallVector<Number> operands;
  for (RowValue operand : node->operands)
    operands.push_back(current.scalars.lookup(operand));
  define(node, node->scalar(e, operands));
}

void RowEmitter::emitRow(Number row, int64_t columns) {
  define(program.rowNumber(), row);
  for (pass = 0; pass < program.passes; ++pass)
    emitPass(columns);
  storeNumbers();
}

/// Stores the numbers of a row that are results.
void RowEmitter::storeNumbers() {
  for (const RowProgram::Store &store : program.stores)
    if (store.value->kind != RowNode::Columns)
      e.store(current.scalars.lookup(store.value), *store.buffer, current.scalars.lookup(store.start));
}

/// Whether a row is so short that most of its time is a chain of dependent operations: a reduction over lanes, a root,
/// a quotient.
bool RowEmitter::areRowsShort() const {
  return kernel.op.getKind() == KernelKind::Row && kernel.columns <= kBlock && program.passes > 1 && !program.limit;
}

/// Emits some rows pass by pass, so that the processor works on the chains of all of them at once. Each row's
/// operations are those of emitRow.
void RowEmitter::emitRowsTogether(Number row) {
  const Row common = current;
  SmallVector<Row> rows(kRowsTogether, common);
  auto forEach = [&](llvm::function_ref<void(int64_t)> body) {
    for (int64_t i = 0; i < kRowsTogether; ++i) {
      std::swap(current, rows[i]);
      body(i);
      std::swap(current, rows[i]);
    }
  };
  forEach([&](int64_t i) { define(program.rowNumber(), row + e.index(i)); });
  for (pass = 0; pass < program.passes; ++pass)
    forEach([&](int64_t) { emitPass(kernel.columns); });
  forEach([&](int64_t) { storeNumbers(); });
  current = common;
}

void RowEmitter::emitPass(int64_t columns) {
  SmallVector<RowValue> reductions;
  for (auto &node : program.nodes) {
    if (node->pass != pass)
      continue;
    if (node->kind == RowNode::Scalar && !node->isUniform && node.get() != program.rowNumber())
      emitScalar(node.get());
    if (node->kind == RowNode::Reduce)
      reductions.push_back(node.get());
  }
  bool stores = llvm::any_of(program.stores, [&](const RowProgram::Store &store) {
    return store.value->kind == RowNode::Columns && store.value->pass == pass;
  });
  if (reductions.empty() && !stores)
    return;

  int64_t whole = columns / kBlock * kBlock;
  BlockShape first = BlockShape::of(std::min(columns, kBlock));
  SmallVector<Number> accumulators;
  VectorType vector = VectorType::get({kSlice}, e.f32());
  for (RowValue reduction : reductions)
    for (unsigned i = 0; i < first.vectors; ++i)
      accumulators.push_back(e.constant(reduction->reduction == Reduction::Max ? -INFINITY : 0.0, vector));

  auto emitBlocks = [&](Number begin, Number end, ArrayRef<RowValue> reductions, Numbers carried, bool beyond) {
    return e.loop(begin, end, kBlock, carried, [&](Number first, Numbers carried) {
      return emitBlock({e, first, BlockShape(), beyond}, reductions, carried);
    });
  };
  if (whole == kBlock) {
    accumulators = emitBlock({e, e.index(0), BlockShape()}, reductions, accumulators);
  } else if (whole && !program.limit) {
    accumulators = emitBlocks(e.index(0), e.index(whole), reductions, accumulators, false);
  } else if (whole) {
    Number behind = ((current.scalars.lookup(program.limit) >> 6) + 1.0) * static_cast<double>(kBlock);
    Number limit = e.smallerIndex(behind, e.index(whole));
    accumulators = emitBlocks(e.index(0), limit, reductions, accumulators, false);
    // Blocks behind the causal limit: only stores, and reductions that have no limit, take part.
    SmallVector<RowValue> others;
    SmallVector<Number> carried;
    for (auto [i, reduction] : llvm::enumerate(reductions)) {
      if (reduction->isLimited)
        continue;
      others.push_back(reduction);
      carried.append(accumulators.begin() + i * kVectors, accumulators.begin() + (i + 1) * kVectors);
    }
    if (stores || !others.empty())
      carried = emitBlocks(limit, e.index(whole), others, carried, true);
    for (auto [i, other] : llvm::enumerate(others))
      std::copy_n(carried.begin() + i * kVectors, kVectors,
                  accumulators.begin() + (llvm::find(reductions, other) - reductions.begin()) * kVectors);
  }
  if (columns != whole)
    accumulators = emitBlock({e, e.index(whole), BlockShape::of(columns - whole)}, reductions, accumulators);
  for (auto [i, reduction] : llvm::enumerate(reductions))
    emitReduction(reduction, Numbers(accumulators).slice(i * first.vectors, first.vectors));
}

Number RowEmitter::combine(RowValue reduction, Number accumulator, Numbers operands) {
  switch (reduction->reduction) {
  case Reduction::Sum:
    return accumulator + operands[0];
  case Reduction::Dot:
    return fma(operands[0], operands[1], accumulator);
  case Reduction::Max:
    return larger(accumulator, operands[0]);
  }
  llvm_unreachable("all reductions are listed");
}

SmallVector<Number> RowEmitter::emitBlock(const BlockPlace &at, ArrayRef<RowValue> reductions, Numbers accumulators) {
  blocks.clear();
  SmallVector<Number> result(accumulators);
  size_t perReduction = reductions.empty() ? 0 : accumulators.size() / reductions.size();
  for (auto [i, reduction] : llvm::enumerate(reductions)) {
    SmallVector<Vectors> operands;
    for (RowValue operand : reduction->operands)
      operands.push_back(evaluate(operand, at));
    for (unsigned vector = 0; vector < at.shape.vectors; ++vector) {
      SmallVector<Number> numbers;
      for (const Vectors &operand : operands)
        numbers.push_back(operand.size() == 1 ? operand[0] : operand[vector]);
      Number &accumulator = result[i * perReduction + vector];
      accumulator = e.selectColumns(combine(reduction, accumulator, numbers), accumulator, vector, at.shape);
    }
  }
  // All loads of the block come before its stores: a result may lie on an input.
  SmallVector<std::pair<const RowProgram::Store *, Vectors>> stores;
  for (const RowProgram::Store &store : program.stores)
    if (store.value->kind == RowNode::Columns && store.value->pass == pass)
      stores.push_back({&store, evaluate(store.value, at)});
  for (auto &[store, block] : stores)
    e.storeBlock(block, *store->buffer, current.scalars.lookup(store->start) + at.first, at.shape);
  return result;
}

Vectors RowEmitter::evaluate(RowValue node, const BlockPlace &at) {
  if (node->kind != RowNode::Columns)
    return {current.broadcasts.count(node) ? current.broadcasts.lookup(node) : current.scalars.lookup(node)};
  if (auto known = blocks.find(node); known != blocks.end())
    return known->second;
  Vectors block;
  if (at.isBeyondLimit && node->beyondLimit) {
    block.assign(at.shape.vectors, e.broadcast(e.constant(*node->beyondLimit, e.f32())));
  } else if (node->home >= 0 && node->pass < pass) {
    const RowProgram::Store &home = program.stores[node->home];
    block = e.loadBlock(*home.buffer, current.scalars.lookup(home.start) + at.first, at.shape);
  } else {
    SmallVector<Vectors> operands;
    for (RowValue operand : node->operands)
      operands.push_back(evaluate(operand, at));
    block = node->block(at, operands);
  }
  blocks[node] = block;
  return block;
}

void RowEmitter::emitReduction(RowValue reduction, Numbers accumulators) {
  auto both = [&](Number a, Number b) { return reduction->reduction == Reduction::Max ? larger(a, b) : a + b; };
  SmallVector<Number> sums(accumulators);
  while (sums.size() > 1) { // (0 + 1) + (2 + 3)
    SmallVector<Number> next;
    for (size_t i = 0; i + 1 < sums.size(); i += 2)
      next.push_back(both(sums[i], sums[i + 1]));
    if (sums.size() % 2)
      next.push_back(sums.back());
    sums = std::move(next);
  }
  define(reduction, e.reduceLanes(sums[0], both));
}

void tx::host::emitRows(const Task &task, RowProgram &program) { RowEmitter(task, program).emit(); }
