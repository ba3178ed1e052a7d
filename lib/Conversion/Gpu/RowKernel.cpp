//===- RowKernel.cpp - What a thread does for a row ---------------------------------------------------------------===//
//
// A row program (RowProgram.h) says what a row's values are; here it becomes the code of one thread. The code goes over
// the row in passes, since a reduction is there only when the whole row was seen:
//
//   mean, rstd = ...           pass 0: add up x and x * x           then: the reductions are numbers of the row
//   y = (x - mean) * rstd      pass 1: compute y and store it
//
// Columns. Some threads share a row. A row has blocks of 64 columns, a block four slices of 16. With 16 / lanes threads
// for a block, each has the same lanes of all four slices, a vector of each: so a dropout's four words go to one
// thread's four vectors, as on the host, and a slice is read whole. All threads of the row together have
// `columnBlocksAtOnce` blocks; to go on to the next ones is a step.
//
// Resident or looped. A row that fits stays in registers: the steps' code stands side by side, a value of a step is
// computed once, and later passes use it. Else each pass is a loop over the steps and reads from memory again what it
// needs, also what an earlier pass stored.
//
// Reductions have one order, whatever the lanes and threads are, since a recomputation may be part of another kernel.
// Blocks of columns add to some sums side by side, as many as the row's width asks for. A sum then goes together: the
// slices, as (0 + 1) + (2 + 3), that is a thread's vectors; neighbours among columns, that is its lanes, the threads of
// a warp, the warps; and at last the sums, as a tree.
//
// Sums over rows: RowSums.h.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Kernels.h"
#include "RowSums.h"

#include <cmath>

using namespace mlir;
using namespace tx;
using namespace tx::emit;
using namespace tx::simt;

namespace {

using Store = RowProgram::Store;

bool isRowSum(const Store &store) { return store.value->kind == RowNode::RowSum; }

/// What is to be done in a pass over the row.
struct Pass {
  unsigned number;
  SmallVector<RowValue> scalars;    // numbers of the row: at its beginning
  SmallVector<RowValue> loads;      // columns that come from memory
  SmallVector<RowValue> reductions; // over the row: there at its end
  SmallVector<const Store *> stores;
  /// Sums over rows, with their places among all of them.
  SmallVector<std::pair<RowValue, size_t>> rowSums;

  bool readsColumns() const { return !reductions.empty() || !stores.empty() || !rowSums.empty(); }
};

Pass describePass(const RowProgram &program, unsigned number) {
  Pass pass{number, {}, {}, {}, {}, {}};
  for (const auto &node : program.nodes) {
    if (node->pass != number)
      continue;
    if (node->kind == RowNode::Scalar && !node->isUniform && node.get() != program.number)
      pass.scalars.push_back(node.get());
    if (node->kind == RowNode::Reduce)
      pass.reductions.push_back(node.get());
    if (node->source)
      pass.loads.push_back(node.get());
  }
  size_t rowSums = 0;
  for (const Store &store : program.stores) {
    if (store.value->kind == RowNode::Columns && store.value->pass == number)
      pass.stores.push_back(&store);
    if (isRowSum(store) && store.value->pass == number)
      pass.rowSums.push_back({store.value, rowSums});
    rowSums += isRowSum(store);
  }
  return pass;
}

/// What a thread sums up in a pass: `perReduction` sums of each reduction, each a vector for every slice.
class ThreadSums {
public:
  ThreadSums(const Pass &pass, unsigned perReduction, unsigned vectors, ThreadEmitter &e, unsigned lanes)
      : perReduction(perReduction), vectors(vectors) {
    VectorType vector = VectorType::get({lanes}, e.f32());
    for (RowValue reduction : pass.reductions)
      numbers.append(perReduction * vectors,
                     e.constant(reduction->reduction == Reduction::Max ? -INFINITY : 0.0, vector));
  }

  /// The vectors of a reduction's sum `which`.
  MutableArrayRef<Number> of(size_t reduction, unsigned which) {
    return MutableArrayRef(numbers).slice((reduction * perReduction + which) * vectors, vectors);
  }
  /// All of them, for a loop to carry.
  SmallVector<Number> numbers;

private:
  unsigned perReduction, vectors;
};

class RowKernel {
public:
  RowKernel(RowProgram &program, const KernelSchedule &schedule, ThreadEmitter &emitter)
      : program(program), kernel(program.kernel), schedule(schedule), e(emitter),
        steps(llvm::divideCeil(kernel.columns, kBlock * schedule.columnBlocksAtOnce())),
        vectors(std::min<int64_t>(kVectors, llvm::divideCeil(kernel.columns, kSlice))),
        isUneven(program.rowsOfPart
                     ? kernel.rows % program.rowsOfPart != 0 || schedule.units % schedule.unitsPerBlock != 0
                     : kernel.rows % schedule.unitsPerBlock != 0) {
    for (auto &node : program.nodes)
      if (node->kind == RowNode::Columns || node->kind == RowNode::RowSum)
        usedByColumns.insert(node->operands.begin(), node->operands.end());
    for (const Store &store : program.stores)
      usedByColumns.insert(store.value);
  }

  void emit(Number units);

private:
  /// The row whose code is written.
  struct Row {
    Number columns;     // that this thread may touch: none, if it has no row
    int64_t wholeSteps; // from the first one on: all of their columns are there
  };
  /// Steps whose code stands side by side: this thread's places in them.
  using Places = ArrayRef<BlockPlace>;

  // The rows.
  void emitPartOfRows(Number unit);
  void storeRowSums(Number unit, RowSums &sums);
  void emitRow(Number row, Number rows, RowSums *rowSums);
  Row describeRow(Number number);
  void storeScalars();

  // A pass over the row.
  void emitPass(const Pass &pass, const Row &row, RowSums *rowSums);
  void emitResident(const Pass &pass, const Row &row, ThreadSums &sums, RowSums *rowSums);
  void emitLooped(const Pass &pass, const Row &row, ThreadSums &sums);
  void addToReductions(const Pass &pass, Places places, size_t step, ThreadSums &sums);
  void addToRowSums(const Pass &pass, Places places, RowSums &rowSums);
  void storeColumns(const Pass &pass, Places places, size_t step);
  SmallVector<RowValue> findLoads(const Pass &pass) const;
  void finishReductions(const Pass &pass, ThreadSums &sums);
  void combineWarps(const Pass &pass, MutableArrayRef<Number> results);

  // Values.
  void emitScalar(RowValue node);
  void define(RowValue node, Number number);
  Vectors evaluate(RowValue node, const Pass &pass, Places places, size_t step);
  SmallVector<Vectors> evaluateOperands(RowValue node, const Pass &pass, Places places, size_t step);
  BlockPlace place(Number step, Number columns, bool isMasked);
  Number accumulate(RowValue reduction, Number sum, ArrayRef<Vectors> operands, unsigned vector,
                    const BlockShape &shape);
  Number join(RowValue reduction, Number a, Number b) {
    return reduction->reduction == Reduction::Max ? larger(a, b) : a + b;
  }
  Number joinTree(RowValue reduction, SmallVector<Number> parts);
  /// Looped: a pass reads from memory what an earlier one has stored there.
  bool isReadBack(RowValue node, const Pass &pass) const {
    return !schedule.isResident && node->home >= 0 && node->pass < pass.number;
  }

  RowProgram &program;
  Kernel &kernel;
  const KernelSchedule &schedule;
  ThreadEmitter &e;
  const int64_t steps;
  const unsigned vectors; // that a thread has of a block
  const bool isUneven;    // some threads have no row
  DenseSet<RowValue> usedByColumns;

  Number part; // this thread's place among those of the row
  /// What was computed so far: numbers of the row, and values of columns by step.
  DenseMap<RowValue, Number> scalars, broadcasts;
  DenseMap<std::pair<RowValue, size_t>, Vectors> blocks;
};

} // namespace

//===--------------------------------------------------------------------------------------------------------------===//
// The rows
//===--------------------------------------------------------------------------------------------------------------===//

void RowKernel::emit(Number units) {
  int64_t perRow = schedule.threadsPerRow, perBlock = schedule.unitsPerBlock;
  Number unit = e.block();
  part = e.thread();
  if (perBlock > 1) {
    part = e.thread() % perRow;
    unit = e.block() * static_cast<double>(perBlock) + e.thread() / static_cast<double>(perRow);
  }
  for (auto &node : program.nodes)
    if (node->kind == RowNode::Scalar && node->isUniform && node.get() != program.number)
      emitScalar(node.get());
  if (program.rowsOfPart)
    emitPartOfRows(unit);
  else
    emitRow(unit, units, /*rowSums=*/nullptr);
}

/// The unit is a part of the rows: a loop over them, with sums over rows.
void RowKernel::emitPartOfRows(Number unit) {
  Number first = unit * static_cast<double>(program.rowsOfPart);
  RowSums sums(e, schedule, llvm::count_if(program.stores, isRowSum) * steps * vectors);
  sums.loop(program.rowsOfPart, [&](Number row) {
    emitRow(first + row, e.index(kernel.rows), &sums);
    if (schedule.threadsPerRow > kWarp)
      e.barrier(); // what reductions left in shared memory is read
  });
  e.storing = schedule.units % schedule.unitsPerBlock ? unit < e.index(schedule.units) : Number();
  storeRowSums(unit, sums);
}

/// Each part of the rows has a row of its own in the result.
void RowKernel::storeRowSums(Number unit, RowSums &sums) {
  Number columns = e.index(kernel.columns);
  Number start = unit * static_cast<double>(kernel.columns);
  size_t next = 0;
  for (const Store &store : llvm::make_filter_range(program.stores, isRowSum))
    for (int64_t step = 0; step < steps; ++step, next += vectors) {
      bool isMasked = (step + 1) * kBlock * schedule.columnBlocksAtOnce() > kernel.columns;
      BlockPlace at = place(e.index(step), columns, isMasked);
      e.storeBlock(Vectors(sums.results().slice(next, vectors)), *store.buffer, start + at.first, at.shape);
    }
}

void RowKernel::emitRow(Number number, Number rows, RowSums *rowSums) {
  if (isUneven) {
    // Threads without a row do as if they had the last one, but without columns: who has it may be writing on what it
    // reads. They store nothing.
    e.storing = number < rows;
    number = e.smallerIndex(number, e.index(kernel.rows - 1));
  }
  Row row = describeRow(number);
  define(program.number, number);
  for (unsigned pass = 0; pass < program.passes; ++pass)
    emitPass(describePass(program, pass), row, rowSums);
  storeScalars();
}

RowKernel::Row RowKernel::describeRow(Number number) {
  // The last chunk of a flat kernel may be shorter.
  int64_t rest = 0;
  if (kernel.op.getKind() == KernelKind::Flat) {
    int64_t elements = 0;
    for (Type type : kernel.op.getBody().getArgumentTypes())
      elements = std::max(elements, cast<RankedTensorType>(type).getNumElements());
    rest = elements % kernel.columns;
  }
  Number columns = e.index(kernel.columns);
  if (rest)
    columns = select(number == e.index(kernel.rows - 1), e.index(rest), columns);
  if (isUneven)
    columns = select(e.storing, columns, e.index(0));
  return {columns, rest || isUneven ? 0 : kernel.columns / (kBlock * schedule.columnBlocksAtOnce())};
}

/// Results that are numbers of the row: its first thread stores them.
void RowKernel::storeScalars() {
  Number isFirst = part == 0.0;
  if (e.storing.value)
    isFirst = isFirst & e.storing;
  auto isScalar = [](const Store &store) { return store.value->kind != RowNode::Columns && !isRowSum(store); };
  if (llvm::any_of(program.stores, isScalar))
    e.onlyIf(isFirst, [&] {
      for (const Store &store : llvm::make_filter_range(program.stores, isScalar))
        e.store(scalars.lookup(store.value), *store.buffer, scalars.lookup(store.start));
    });
}

//===--------------------------------------------------------------------------------------------------------------===//
// A pass over the row
//===--------------------------------------------------------------------------------------------------------------===//

void RowKernel::emitPass(const Pass &pass, const Row &row, RowSums *rowSums) {
  for (RowValue scalar : pass.scalars)
    emitScalar(scalar);
  if (!pass.readsColumns())
    return;
  ThreadSums sums(pass, schedule.sumsPerThread, vectors, e, schedule.lanes);
  if (schedule.isResident)
    emitResident(pass, row, sums, rowSums);
  else
    emitLooped(pass, row, sums);
  finishReductions(pass, sums);
}

/// All steps side by side. `blocks` keeps their values for the passes that follow.
void RowKernel::emitResident(const Pass &pass, const Row &row, ThreadSums &sums, RowSums *rowSums) {
  SmallVector<BlockPlace> places;
  for (int64_t step = 0; step < steps; ++step)
    places.push_back(place(e.index(step), row.columns, step >= row.wholeSteps));
  auto forEachStep = [&](auto function) {
    for (size_t step = 0; step < places.size(); ++step)
      function(step);
  };
  // Loads first: all of them are then on their way at once.
  for (RowValue load : pass.loads)
    forEachStep([&](size_t step) { evaluate(load, pass, places, step); });
  forEachStep([&](size_t step) { addToReductions(pass, places, step, sums); });
  if (!pass.rowSums.empty())
    addToRowSums(pass, places, *rowSums);
  for (const Store *store : pass.stores)
    forEachStep([&](size_t step) { evaluate(store->value, pass, places, step); });
  forEachStep([&](size_t step) { storeColumns(pass, places, step); });
}

/// A loop over the steps, some at a time: a round is a step for each of the thread's sums, and the steps of some rounds
/// have their loads on the way at once. Steps that may reach beyond the row, at its end, have a loop of their own.
void RowKernel::emitLooped(const Pass &pass, const Row &row, ThreadSums &sums) {
  SmallVector<RowValue> loads = findLoads(pass);
  auto emitSteps = [&](Number first, int64_t count, bool isMasked) {
    blocks.clear();
    SmallVector<BlockPlace> places;
    for (int64_t i = 0; i < count; ++i)
      places.push_back(place(first + e.index(i), row.columns, isMasked));
    for (RowValue load : loads)
      for (size_t step = 0; step < places.size(); ++step)
        evaluate(load, pass, places, step);
    for (size_t step = 0; step < places.size(); ++step) {
      addToReductions(pass, places, step, sums);
      storeColumns(pass, places, step);
    }
  };
  auto loop = [&](int64_t begin, int64_t end, int64_t count, bool isMasked) {
    if (end - begin == count)
      return emitSteps(e.index(begin), count, isMasked);
    sums.numbers = e.loop(e.index(begin), e.index(end), count, sums.numbers, [&](Number first, Numbers carried) {
      SmallVector<Number> outside(carried);
      std::swap(outside, sums.numbers);
      emitSteps(first, count, isMasked);
      return sums.numbers;
    });
  };
  const int64_t round = schedule.sumsPerThread, count = round * schedule.roundsAtOnce;
  const int64_t whole = row.wholeSteps / count * count;
  const int64_t rest = llvm::alignTo(steps - whole, round);
  if (whole)
    loop(0, whole, count, false);
  if (rest)
    loop(whole, whole + rest, std::min(rest, count), true);
}

/// A step adds to one of the thread's sums: to the next one than the step before.
void RowKernel::addToReductions(const Pass &pass, Places places, size_t step, ThreadSums &sums) {
  for (auto [i, reduction] : llvm::enumerate(pass.reductions)) {
    SmallVector<Vectors> operands = evaluateOperands(reduction, pass, places, step);
    MutableArrayRef<Number> sum = sums.of(i, step % schedule.sumsPerThread);
    for (unsigned vector = 0; vector < vectors; ++vector)
      sum[vector] = accumulate(reduction, sum[vector], operands, vector, places[step].shape);
  }
}

void RowKernel::addToRowSums(const Pass &pass, Places places, RowSums &rowSums) {
  for (auto [value, place] : pass.rowSums)
    for (size_t step = 0; step < places.size(); ++step) {
      SmallVector<Vectors> operands = evaluateOperands(value, pass, places, step);
      for (unsigned vector = 0; vector < vectors; ++vector) {
        size_t number = (place * places.size() + step) * vectors + vector;
        rowSums.set(number, accumulate(value, rowSums.get(number), operands, vector, places[step].shape));
      }
    }
}

void RowKernel::storeColumns(const Pass &pass, Places places, size_t step) {
  // All values come before the stores: a result may lie on an input.
  SmallVector<Vectors> values;
  for (const Store *store : pass.stores)
    values.push_back(evaluate(store->value, pass, places, step));
  const BlockPlace &at = places[step];
  for (auto [store, block] : llvm::zip(pass.stores, values))
    e.storeBlock(block, *store->buffer, scalars.lookup(store->start) + at.first, at.shape);
}

/// Looped: what the pass reads from memory, itself or what it computes with.
SmallVector<RowValue> RowKernel::findLoads(const Pass &pass) const {
  SmallVector<RowValue> worklist, loads;
  for (RowValue reduction : pass.reductions)
    worklist.append(reduction->operands.begin(), reduction->operands.end());
  for (const Store *store : pass.stores)
    worklist.push_back(store->value);
  DenseSet<RowValue> seen;
  while (!worklist.empty()) {
    RowValue node = worklist.pop_back_val();
    if (node->kind != RowNode::Columns || !seen.insert(node).second)
      continue;
    if (node->source || isReadBack(node, pass))
      loads.push_back(node);
    else
      worklist.append(node->operands.begin(), node->operands.end());
  }
  return loads;
}

/// Makes one number of what the row's threads have summed up, and gives it to all of them.
void RowKernel::finishReductions(const Pass &pass, ThreadSums &sums) {
  if (pass.reductions.empty())
    return;
  const unsigned ownSums = schedule.sumsPerThread;
  SmallVector<Number> results; // of each reduction, its sums
  for (auto [i, reduction] : llvm::enumerate(pass.reductions)) {
    auto both = [&, reduction = reduction](Number a, Number b) { return join(reduction, a, b); };
    for (unsigned which = 0; which < ownSums; ++which) {
      Number sum = joinTree(reduction, llvm::to_vector(ArrayRef<Number>(sums.of(i, which))));
      results.push_back(
          e.combineLanes(e.combineNeighbours(sum, both), 1, std::min(schedule.threadsPerRow, kWarp), both));
    }
  }
  if (schedule.threadsPerRow > kWarp)
    combineWarps(pass, results);
  for (auto [i, reduction] : llvm::enumerate(pass.reductions))
    define(reduction, joinTree(reduction, llvm::to_vector(ArrayRef(results).slice(i * ownSums, ownSums))));
}

/// The first thread of each warp writes its warp's results to shared memory, and every thread reads all of them.
void RowKernel::combineWarps(const Pass &pass, MutableArrayRef<Number> results) {
  const unsigned warps = schedule.threadsPerRow / kWarp;
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
    result = joinTree(pass.reductions[i / schedule.sumsPerThread], std::move(ofWarps));
  }
}

//===--------------------------------------------------------------------------------------------------------------===//
// Values
//===--------------------------------------------------------------------------------------------------------------===//

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

/// This thread's lanes in a step; masked: the row may end before.
BlockPlace RowKernel::place(Number step, Number columns, bool isMasked) {
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

/// A value in a step: a vector for each slice, or one number for all columns.
Vectors RowKernel::evaluate(RowValue node, const Pass &pass, Places places, size_t step) {
  if (node->kind != RowNode::Columns)
    return {broadcasts.count(node) ? broadcasts.lookup(node) : scalars.lookup(node)};
  if (auto known = blocks.find({node, step}); known != blocks.end())
    return known->second;
  const BlockPlace &at = places[step];
  Vectors block;
  if (isReadBack(node, pass)) {
    const Store &home = program.stores[node->home];
    block = e.loadBlock(*home.buffer, scalars.lookup(home.start) + at.first, at.shape);
  } else {
    block = node->block(at, evaluateOperands(node, pass, places, step));
  }
  blocks[{node, step}] = block;
  return block;
}

SmallVector<Vectors> RowKernel::evaluateOperands(RowValue node, const Pass &pass, Places places, size_t step) {
  SmallVector<Vectors> operands;
  for (RowValue operand : node->operands)
    operands.push_back(evaluate(operand, pass, places, step));
  return operands;
}

/// A sum with one more vector of the operands; columns behind the row's end add nothing.
Number RowKernel::accumulate(RowValue reduction, Number sum, ArrayRef<Vectors> operands, unsigned vector,
                             const BlockShape &shape) {
  auto operand = [&](size_t i) { return operands[i].size() == 1 ? operands[i][0] : operands[i][vector]; };
  auto added = [&]() -> Number {
    switch (reduction->reduction) {
    case Reduction::Sum:
      return sum + operand(0);
    case Reduction::Dot:
      return fma(operand(0), operand(1), sum);
    case Reduction::Max:
      return larger(sum, operand(0));
    }
    llvm_unreachable("all reductions are listed");
  };
  return e.selectColumns(added(), sum, vector, shape);
}

/// Neighbours first.
Number RowKernel::joinTree(RowValue reduction, SmallVector<Number> parts) {
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
