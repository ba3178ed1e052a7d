//===- RowKernel.cpp - What a thread does for a row ---------------------------------------------------------------===//
//
// Some threads share a row. With 16 / lanes threads for a block of 64 columns, each has the same lanes of the block's
// four slices; so a dropout's four words go to one thread's four vectors, as on the host, and a slice is read whole.
//
// A row that fits stays in registers: a step's values are computed once, and later passes use them. Else a loop goes
// over the row in each pass, and reads again what is in memory.
//
// A reduction has one order, whatever the lanes and threads are (a recomputation may
// be part of another kernel): blocks of 64 columns add to some sums side by side,
// as many as the row's width asks for: first the slices, as (0 + 1) + (2 + 3), then neighbours among columns, then
// among the blocks' sums, as a tree. It goes through a thread's vectors, its lanes, the
// threads of a warp, the warps, and what a thread has for several of the sums.
//
// Sums over rows: a unit is a part of the rows, and its threads go over them one after another. Each has the sums of
// its columns in shared memory, 16 bytes beside the next thread's, since the row takes the registers.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Kernels.h"

#include <cmath>

using namespace mlir;
using namespace tx;
using namespace tx::emit;
using namespace tx::simt;

namespace {

class RowKernel {
public:
  RowKernel(RowProgram &program, const KernelSchedule &schedule, ThreadEmitter &emitter)
      : program(program), kernel(program.kernel), schedule(schedule), e(emitter) {
    for (auto &node : program.nodes)
      if (node->kind == RowNode::Columns || node->kind == RowNode::RowSum)
        usedByColumns.insert(node->operands.begin(), node->operands.end());
    for (const RowProgram::Store &store : program.stores)
      usedByColumns.insert(store.value);
  }

  void emit(Number units);

private:
  void emitParts(Number part);
  void emitRow(Number row, Number rows);
  void emitPass();
  void addToSums(ArrayRef<BlockPlace> places);
  Number loadSum(size_t number);
  void storeSum(Number sum, size_t number);
  Number placeOfSum(size_t number) {
    return (e.thread() + e.index(number * schedule.threads)) * static_cast<double>(schedule.lanes);
  }
  void emitStep(const BlockPlace &at, int64_t step, unsigned which, ArrayRef<RowValue> reductions,
                MutableArrayRef<Number> sums);
  void emitStores(const BlockPlace &at, int64_t step);
  void emitScalar(RowValue node);
  void define(RowValue node, Number number);
  Vectors evaluate(RowValue node, const BlockPlace &at, int64_t step);
  void finishReductions(ArrayRef<RowValue> reductions, ArrayRef<Number> sums);
  Number combineTree(RowValue reduction, SmallVector<Number> parts);

  BlockPlace place(Number step, bool isMasked);
  Number combine(RowValue reduction, Number a, Numbers operands);
  Number join(RowValue reduction, Number a, Number b) {
    return reduction->reduction == Reduction::Max ? larger(a, b) : a + b;
  }
  bool isStored(const RowProgram::Store &store) const {
    return store.value->kind == RowNode::Columns && store.value->pass == pass;
  }
  /// Not resident: from where an earlier pass stored it.
  bool isReadBack(RowValue node) const { return !schedule.isResident && node->home >= 0 && node->pass < pass; }
  /// What this pass reads.
  SmallVector<RowValue> findLoads(ArrayRef<RowValue> reductions) const;
  static bool isRowSum(const RowProgram::Store &store) { return store.value->kind == RowNode::RowSum; }

  RowProgram &program;
  Kernel &kernel;
  const KernelSchedule &schedule;
  ThreadEmitter &e;
  DenseSet<RowValue> usedByColumns;
  DenseMap<RowValue, Number> scalars, broadcasts;
  DenseMap<std::pair<RowValue, int64_t>, Vectors> blocks; // by step
  Number part;                                            // of the row: this thread's
  Number columns;                                         // of this row
  unsigned vectors = kVectors;
  unsigned ownSums = 1; // sums that a thread has for a reduction
  int64_t steps = 0, wholeSteps = 0;
  /// By store, step and vector: carried from row to row, or in shared memory.
  SmallVector<Number> rowSums;
  std::optional<Buffer> sharedSums;
  bool isUneven = false; // some threads have no row
  unsigned pass = 0;
};

} // namespace

void RowKernel::emit(Number units) {
  int64_t perRow = schedule.threadsPerRow, perBlock = schedule.unitsPerBlock;
  Number unit = e.block();
  part = e.thread();
  if (perBlock > 1) {
    part = e.thread() % perRow;
    unit = e.block() * static_cast<double>(perBlock) + e.thread() / static_cast<double>(perRow);
  }
  int64_t atOnce = schedule.columnBlocksAtOnce();
  steps = llvm::divideCeil(kernel.columns, kBlock * atOnce);
  ownSums = schedule.sumsPerThread;
  vectors = std::min<int64_t>(kVectors, llvm::divideCeil(kernel.columns, kSlice));
  for (auto &node : program.nodes)
    if (node->kind == RowNode::Scalar && node->isUniform && node.get() != program.rowNumber())
      emitScalar(node.get());
  isUneven = kernel.rows % perBlock;
  if (program.rowsOfPart)
    emitParts(unit);
  else
    emitRow(unit, units);
}

void RowKernel::emitParts(Number unit) {
  int64_t parts = schedule.units;
  isUneven = kernel.rows % program.rowsOfPart || parts % schedule.unitsPerBlock;
  size_t count = llvm::count_if(program.stores, isRowSum) * steps * vectors;
  Number first = unit * static_cast<double>(program.rowsOfPart);
  auto emitOne = [&](Number row) {
    emitRow(first + row, e.index(kernel.rows));
    if (schedule.threadsPerRow > kWarp)
      e.barrier(); // what reductions left in shared memory is read
  };
  SmallVector<Number> zeros(count, e.constant(0.0, VectorType::get({schedule.lanes}, e.f32())));
  if (schedule.areRowSumsShared) {
    sharedSums = e.shared(count * schedule.threads * schedule.lanes);
    for (size_t i = 0; i < count; ++i)
      storeSum(zeros[i], i);
    e.loop(e.index(0), e.index(program.rowsOfPart), 1, emitOne);
    e.storing = {};
    for (size_t i = 0; i < count; ++i)
      rowSums.push_back(loadSum(i));
  } else {
    rowSums = e.loop(e.index(0), e.index(program.rowsOfPart), 1, zeros, [&](Number row, Numbers carried) {
      rowSums.assign(carried.begin(), carried.end());
      emitOne(row);
      return rowSums;
    });
  }
  e.storing = parts % schedule.unitsPerBlock ? unit < e.index(parts) : Number();
  columns = e.index(kernel.columns);
  Number start = unit * static_cast<double>(kernel.columns);
  ArrayRef<Number> sums(rowSums);
  for (const RowProgram::Store &store : llvm::make_filter_range(program.stores, isRowSum))
    for (int64_t step = 0; step < steps; ++step, sums = sums.drop_front(vectors)) {
      BlockPlace at = place(e.index(step), (step + 1) * kBlock * schedule.columnBlocksAtOnce() > kernel.columns);
      e.storeBlock(Vectors(sums.take_front(vectors)), *store.buffer, start + at.first, at.shape);
    }
}

void RowKernel::emitRow(Number row, Number rows) {
  if (isUneven) {
    // Threads without a row do as if they had the last one, but without columns:
    // who has it may be writing on what it reads. They store nothing.
    e.storing = row < rows;
    row = e.smallerIndex(row, e.index(kernel.rows - 1));
  }

  // The last chunk of a flat kernel may be shorter.
  int64_t rest = 0;
  if (kernel.op.getKind() == KernelKind::Flat) {
    int64_t elements = 0;
    for (Type type : kernel.op.getBody().getArgumentTypes())
      elements = std::max(elements, cast<RankedTensorType>(type).getNumElements());
    rest = elements % kernel.columns;
  }
  columns = e.index(kernel.columns);
  if (rest)
    columns = select(row == e.index(kernel.rows - 1), e.index(rest), columns);
  if (isUneven)
    columns = select(e.storing, columns, e.index(0));
  wholeSteps = rest || isUneven ? 0 : kernel.columns / (kBlock * schedule.columnBlocksAtOnce());

  define(program.rowNumber(), row);
  for (pass = 0; pass < program.passes; ++pass)
    emitPass();

  Number isFirst = part == 0.0;
  if (e.storing.value)
    isFirst = isFirst & e.storing;
  auto isScalar = [](const RowProgram::Store &store) {
    return store.value->kind != RowNode::Columns && !isRowSum(store);
  };
  if (llvm::any_of(program.stores, isScalar))
    e.onlyIf(isFirst, [&] {
      for (const RowProgram::Store &store : llvm::make_filter_range(program.stores, isScalar))
        e.store(scalars.lookup(store.value), *store.buffer, scalars.lookup(store.start));
    });
}

void RowKernel::define(RowValue node, Number number) {
  scalars[node] = number;
  // Addresses stay scalars; numbers meet vectors in the blocks.
  if (usedByColumns.contains(node))
    broadcasts[node] = number.element().isIndex() ? number : e.broadcast(number);
}

void RowKernel::emitScalar(RowValue node) {
  SmallVector<Number> operands;
  for (RowValue operand : node->operands)
    operands.push_back(scalars.lookup(operand));
  define(node, node->scalar(e, operands));
}

BlockPlace RowKernel::place(Number step, bool isMasked) {
  double share = schedule.threadsPerColumnBlock();
  Number block = part / share + step * static_cast<double>(schedule.columnBlocksAtOnce());
  Number offset = part % schedule.threadsPerColumnBlock() * static_cast<double>(schedule.lanes);
  Number first = block * static_cast<double>(kBlock) + offset;
  BlockShape shape;
  shape.vectors = vectors;
  if (isMasked)
    shape.left = columns - first;
  return {e, first, shape, /*isBeyondLimit=*/false, offset};
}

void RowKernel::emitPass() {
  SmallVector<RowValue> reductions;
  for (auto &node : program.nodes) {
    if (node->pass != pass)
      continue;
    if (node->kind == RowNode::Scalar && !node->isUniform && node.get() != program.rowNumber())
      emitScalar(node.get());
    if (node->kind == RowNode::Reduce)
      reductions.push_back(node.get());
  }
  bool stores = llvm::any_of(program.stores, [&](const RowProgram::Store &store) { return isStored(store); });
  bool hasSums = llvm::any_of(
      program.stores, [&](const RowProgram::Store &store) { return isRowSum(store) && store.value->pass == pass; });
  if (reductions.empty() && !stores && !hasSums)
    return;

  SmallVector<Number> sums;
  VectorType vector = VectorType::get({schedule.lanes}, e.f32());
  for (RowValue reduction : reductions)
    sums.append(ownSums * vectors, e.constant(reduction->reduction == Reduction::Max ? -INFINITY : 0.0, vector));

  if (schedule.isResident) {
    SmallVector<BlockPlace> places;
    for (int64_t step = 0; step < steps; ++step)
      places.push_back(place(e.index(step), step >= wholeSteps));
    // Loads first: all of them are then on their way at once.
    for (auto &node : program.nodes)
      if (node->source && node->pass == pass)
        for (auto [step, at] : llvm::enumerate(places))
          evaluate(node.get(), at, step);
    for (auto [step, at] : llvm::enumerate(places))
      emitStep(at, step, step % ownSums, reductions, sums);
    if (hasSums)
      addToSums(places);
    for (const RowProgram::Store &store : program.stores)
      if (isStored(store))
        for (auto [step, at] : llvm::enumerate(places))
          evaluate(store.value, at, step);
    for (auto [step, at] : llvm::enumerate(places))
      emitStores(at, step);
  } else {
    SmallVector<RowValue> loads = findLoads(reductions);
    // A round: a step for each of the thread's sums. Those of some rounds have their loads on the way at once.
    auto emitSteps = [&](Number first, int64_t count, bool isMasked) {
      blocks.clear();
      SmallVector<BlockPlace> places;
      for (int64_t i = 0; i < count; ++i)
        places.push_back(place(first + e.index(i), isMasked));
      for (RowValue node : loads)
        for (auto [step, at] : llvm::enumerate(places))
          evaluate(node, at, step);
      for (auto [step, at] : llvm::enumerate(places)) {
        emitStep(at, step, step % ownSums, reductions, sums);
        emitStores(at, step);
      }
    };
    auto loop = [&](int64_t begin, int64_t end, int64_t count, bool isMasked) {
      if (end - begin == count)
        return emitSteps(e.index(begin), count, isMasked);
      sums = e.loop(e.index(begin), e.index(end), count, sums, [&](Number first, Numbers carried) {
        SmallVector<Number> outside(carried);
        std::swap(outside, sums);
        emitSteps(first, count, isMasked);
        return sums;
      });
    };
    const int64_t count = ownSums * schedule.roundsAtOnce, whole = wholeSteps / count * count;
    if (whole)
      loop(0, whole, count, false);
    // The rest, in whole rounds.
    const int64_t rest = llvm::alignTo(steps - whole, ownSums);
    if (rest)
      loop(whole, whole + rest, std::min(rest, count), true);
  }
  finishReductions(reductions, sums);
}

Number RowKernel::combine(RowValue reduction, Number a, Numbers operands) {
  switch (reduction->reduction) {
  case Reduction::Sum:
    return a + operands[0];
  case Reduction::Dot:
    return fma(operands[0], operands[1], a);
  case Reduction::Max:
    return larger(a, operands[0]);
  }
  llvm_unreachable("all reductions are listed");
}

void RowKernel::emitStep(const BlockPlace &at, int64_t step, unsigned which, ArrayRef<RowValue> reductions,
                         MutableArrayRef<Number> sums) {
  for (auto [i, reduction] : llvm::enumerate(reductions)) {
    SmallVector<Vectors> operands;
    for (RowValue operand : reduction->operands)
      operands.push_back(evaluate(operand, at, step));
    for (unsigned vector = 0; vector < vectors; ++vector) {
      SmallVector<Number> numbers;
      for (const Vectors &operand : operands)
        numbers.push_back(operand.size() == 1 ? operand[0] : operand[vector]);
      Number &sum = sums[(i * ownSums + which) * vectors + vector];
      sum = e.selectColumns(combine(reduction, sum, numbers), sum, vector, at.shape);
    }
  }
}

Number RowKernel::loadSum(size_t number) {
  if (!sharedSums)
    return rowSums[number];
  BlockShape one;
  one.vectors = 1;
  return e.loadBlock(*sharedSums, placeOfSum(number), one)[0];
}

void RowKernel::storeSum(Number sum, size_t number) {
  if (!sharedSums) {
    rowSums[number] = sum;
    return;
  }
  BlockShape one;
  one.vectors = 1;
  e.storeBlock({sum}, *sharedSums, placeOfSum(number), one);
}

void RowKernel::addToSums(ArrayRef<BlockPlace> places) {
  size_t number = 0;
  for (const RowProgram::Store &store : llvm::make_filter_range(program.stores, isRowSum))
    for (auto [step, at] : llvm::enumerate(places)) {
      size_t ofStep = number;
      number += vectors;
      if (store.value->pass != pass)
        continue;
      SmallVector<Vectors> operands;
      for (RowValue operand : store.value->operands)
        operands.push_back(evaluate(operand, at, step));
      for (unsigned vector = 0; vector < vectors; ++vector) {
        SmallVector<Number> numbers;
        for (const Vectors &operand : operands)
          numbers.push_back(operand.size() == 1 ? operand[0] : operand[vector]);
        Number sum = loadSum(ofStep + vector);
        storeSum(e.selectColumns(combine(store.value, sum, numbers), sum, vector, at.shape), ofStep + vector);
      }
    }
}

void RowKernel::emitStores(const BlockPlace &at, int64_t step) {
  // All values come before the stores: a result may lie on an input.
  SmallVector<std::pair<const RowProgram::Store *, Vectors>> values;
  for (const RowProgram::Store &store : program.stores)
    if (isStored(store))
      values.push_back({&store, evaluate(store.value, at, step)});
  for (auto &[store, block] : values)
    e.storeBlock(block, *store->buffer, scalars.lookup(store->start) + at.first, at.shape);
}

SmallVector<RowValue> RowKernel::findLoads(ArrayRef<RowValue> reductions) const {
  SmallVector<RowValue> worklist, loads;
  for (RowValue reduction : reductions)
    worklist.append(reduction->operands.begin(), reduction->operands.end());
  for (const RowProgram::Store &store : program.stores)
    if (isStored(store))
      worklist.push_back(store.value);
  DenseSet<RowValue> seen;
  while (!worklist.empty()) {
    RowValue node = worklist.pop_back_val();
    if (node->kind != RowNode::Columns || !seen.insert(node).second)
      continue;
    if (node->source || isReadBack(node))
      loads.push_back(node);
    else
      worklist.append(node->operands.begin(), node->operands.end());
  }
  return loads;
}

Vectors RowKernel::evaluate(RowValue node, const BlockPlace &at, int64_t step) {
  if (node->kind != RowNode::Columns)
    return {broadcasts.count(node) ? broadcasts.lookup(node) : scalars.lookup(node)};
  if (auto known = blocks.find({node, step}); known != blocks.end())
    return known->second;
  Vectors block;
  if (isReadBack(node)) {
    const RowProgram::Store &home = program.stores[node->home];
    block = e.loadBlock(*home.buffer, scalars.lookup(home.start) + at.first, at.shape);
  } else {
    SmallVector<Vectors> operands;
    for (RowValue operand : node->operands)
      operands.push_back(evaluate(operand, at, step));
    block = node->block(at, operands);
  }
  blocks[{node, step}] = block;
  return block;
}

/// Neighbours first.
Number RowKernel::combineTree(RowValue reduction, SmallVector<Number> parts) {
  while (parts.size() > 1) {
    SmallVector<Number> next;
    for (size_t i = 0; i + 1 < parts.size(); i += 2)
      next.push_back(join(reduction, parts[i], parts[i + 1]));
    if (parts.size() % 2)
      next.push_back(parts.back());
    parts = std::move(next);
  }
  return parts[0];
}

void RowKernel::finishReductions(ArrayRef<RowValue> reductions, ArrayRef<Number> sums) {
  if (reductions.empty())
    return;
  SmallVector<Number> results;
  for (auto [i, reduction] : llvm::enumerate(reductions)) {
    auto both = [&, reduction = reduction](Number a, Number b) { return join(reduction, a, b); };
    for (unsigned which = 0; which < ownSums; ++which) {
      Number sum = combineTree(reduction, llvm::to_vector(sums.slice((i * ownSums + which) * vectors, vectors)));
      results.push_back(
          e.combineLanes(e.combineNeighbours(sum, both), 1, std::min(schedule.threadsPerRow, kWarp), both));
    }
  }
  unsigned warps = schedule.threadsPerRow / kWarp;
  if (warps > 1) {
    Buffer memory = e.shared(warps * results.size());
    Number warp = part / static_cast<double>(kWarp);
    e.onlyIf(part % kWarp == 0.0, [&] {
      for (auto [i, result] : llvm::enumerate(results))
        e.store(result, memory, warp + e.index(i * warps));
    });
    e.barrier();
    for (auto [i, result] : llvm::enumerate(results)) {
      SmallVector<Number> ofWarps;
      for (unsigned other = 0; other < warps; ++other)
        ofWarps.push_back(e.load(memory, e.index(i * warps + other)));
      result = combineTree(reductions[i / ownSums], std::move(ofWarps));
    }
  }
  for (auto [i, reduction] : llvm::enumerate(reductions))
    define(reduction, combineTree(reduction, llvm::to_vector(ArrayRef(results).slice(i * ownSums, ownSums))));
}

void tx::simt::describeRows(const RowProgram &program, KernelShape &shape) {
  shape.rows = program.kernel.rows;
  shape.columns = program.kernel.columns;
  shape.rowsOfUnit = std::max<int64_t>(1, program.rowsOfPart);
  shape.rowSums = llvm::count_if(program.stores,
                                 [](const RowProgram::Store &store) { return store.value->kind == RowNode::RowSum; });
  DenseSet<RowValue> known;
  for (unsigned pass = 0; pass < program.passes; ++pass) {
    SmallVector<RowValue> worklist;
    for (auto &node : program.nodes)
      if (node->kind == RowNode::Reduce && node->pass == pass) {
        shape.hasReductions = true;
        worklist.append(node->operands.begin(), node->operands.end());
      }
    for (const RowProgram::Store &store : program.stores)
      if (store.value->pass == pass)
        worklist.push_back(store.value);
    DenseSet<RowValue> used, kept;
    while (!worklist.empty()) {
      RowValue node = worklist.pop_back_val();
      if (node->kind != RowNode::Columns || !used.insert(node).second)
        continue;
      if (known.contains(node))
        kept.insert(node);
      else
        worklist.append(node->operands.begin(), node->operands.end());
    }
    known.insert(used.begin(), used.end());
    shape.keptValues = std::max<unsigned>(shape.keptValues, kept.size());
  }
}

void tx::simt::emitRows(RowProgram &program, const KernelSchedule &schedule, ThreadEmitter &emitter, Number units) {
  RowKernel(program, schedule, emitter).emit(units);
}
