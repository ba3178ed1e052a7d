//===- TableKernel.cpp - What threads do for some rows of a table -------------------------------------------------===//
//
// The gradient of row r of a table (an embedding's weight) is the sum of those rows of dy whose token is r, in the
// order of the tokens. A block of threads has some rows of the table. It takes the tokens in chunks of 32 for each of
// its threads:
//
// 1. A warp compares 32 tokens at a time with the block's rows. At the end each thread has a word with a bit for each
// of its own 32 tokens: whether the token belongs to one of the block's rows.
// 2. The threads write one list into shared memory: the block's tokens in their order. Each thread counts the bits of
// the threads before it, and so knows where its part of the list begins.
// 3. Each thread adds up its columns of dy along the list, in registers.
//
// This takes no atomics and no sorting. Each block reads all tokens once, for all its rows; the tokens stay in the
// cache.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Kernels.h"

#include "tx/Dialect/Tx/IR/TxOps.h"

using namespace mlir;
using namespace tx;
using namespace tx::emit;
using namespace tx::simt;

namespace {

class TableRows {
public:
  TableRows(const KernelSchedule &schedule, ThreadEmitter &emitter, int64_t tableRows, int64_t tokens, int64_t columns)
      : schedule(schedule), e(emitter), tokens(tokens), tableRows(tableRows), columns(columns),
        list(emitter.shared(schedule.threads * kWarp, emitter.i32())),
        counts(emitter.shared(schedule.threads / kWarp, emitter.i32())) {
    steps = llvm::divideCeil(columns, schedule.threads * schedule.lanes);
    firstRow = e.block() * static_cast<double>(schedule.unitsPerBlock);
    lane = convert(e.thread() % kWarp, e.i32());
  }

  void emit(const Buffer &tokenBuffer, const Buffer &dy, const Buffer &accumulator, const Buffer &result, Number reset);

private:
  Number i32(int64_t value) { return e.integer(value, e.i32()); }
  /// The token's row, counted from the block's first row. For a token of another block the result, as an unsigned
  /// number, is not below unitsPerBlock.
  Number rowOf(const Buffer &tokenBuffer, Number token);
  Number findBits(const Buffer &tokenBuffer, Number chunk);
  /// Writes the list and returns its length.
  Number writeList(const Buffer &tokenBuffer, Number chunk, Number bits);
  SmallVector<Number> addRows(const Buffer &dy, Number length, SmallVector<Number> sums);
  Number columnOf(int64_t step) {
    return (e.thread() + e.index(step * schedule.threads)) * static_cast<double>(schedule.lanes);
  }
  BlockShape shapeOf(int64_t step) {
    BlockShape shape;
    shape.vectors = 1;
    if ((step + 1) * schedule.threads * schedule.lanes > columns)
      shape.left = e.index(columns) - columnOf(step);
    return shape;
  }

  const KernelSchedule &schedule;
  ThreadEmitter &e;
  const int64_t tokens, tableRows, columns;
  Buffer list, counts;
  int64_t steps;
  Number firstRow, lane;
};

} // namespace

Number TableRows::rowOf(const Buffer &tokenBuffer, Number token) {
  Number id = e.load(tokenBuffer, token), last = i32(tableRows - 1);
  return select(below(id, last), id, last) - convert(firstRow, e.i32());
}

Number TableRows::findBits(const Buffer &tokenBuffer, Number chunk) {
  Number warp = e.thread() / static_cast<double>(kWarp);
  Number first = chunk + warp * static_cast<double>(kWarp * kWarp) + e.thread() % kWarp;
  Number mine = e.binary(Emitter::Op::Shl, i32(1), lane);
  auto result = e.loop(e.index(0), e.index(kWarp), 1, {i32(0)}, [&](Number i, Numbers bits) -> SmallVector<Number> {
    Number token = first + i * static_cast<double>(kWarp);
    Number isThere = token < e.index(tokens);
    Number row = rowOf(tokenBuffer, e.smallerIndex(token, e.index(tokens - 1)));
    Number found = select(isThere & below(row, i32(schedule.unitsPerBlock)), mine, i32(0));
    found = e.combineLanes(found, 1, kWarp, [](Number a, Number b) { return a | b; });
    return {select(convert(i, e.i32()) == lane, found, bits[0])};
  });
  return result[0];
}

/// How many of 32 bits are set.
static Number countBits(Number bits) {
  Emitter &e = *bits.emitter;
  auto mask = [&](uint32_t value) { return e.integer(value, e.i32()); };
  bits = bits - ((bits >> 1) & mask(0x55555555));
  bits = (bits & mask(0x33333333)) + ((bits >> 2) & mask(0x33333333));
  bits = (bits + (bits >> 4)) & mask(0x0f0f0f0f);
  return (bits * 16843009.0) >> 24; // times 0x01010101: the top byte is the sum of all four bytes
}

Number TableRows::writeList(const Buffer &tokenBuffer, Number chunk, Number bits) {
  // Count the tokens of the threads before this one: a butterfly within the warp, then the warps one after another.
  Number count = countBits(bits), before = i32(0), total = count;
  for (unsigned bit = 1; bit < kWarp; bit *= 2) {
    Number other = e.combineLanes(total, bit, 2 * bit, [](Number, Number b) { return b; });
    before = before + select((lane & i32(bit)) != 0.0, other, i32(0));
    total = total + other;
  }
  Number warp = e.thread() / static_cast<double>(kWarp);
  e.onlyIf(e.thread() % kWarp == 0.0, [&] { e.store(total, counts, warp); });
  e.barrier();
  Number length = i32(0);
  for (unsigned other = 0; other < schedule.threads / kWarp; ++other) {
    Number theirs = e.load(counts, e.index(other));
    before = before + select(e.index(other) < warp, theirs, i32(0));
    length = length + theirs;
  }
  Number end = select(bits != 0.0, e.index(kWarp), e.index(0));
  Number mine = chunk + e.thread() * static_cast<double>(kWarp);
  e.loop(e.index(0), end, 1, {before}, [&](Number i, Numbers place) -> SmallVector<Number> {
    Number bit = e.binary(Emitter::Op::Shr, bits, convert(i, e.i32())) & i32(1);
    e.onlyIf(bit != 0.0, [&] {
      Number row = rowOf(tokenBuffer, mine + i);
      e.store(convert(mine + i, e.i32()) * static_cast<double>(kMostTableRows) + row, list,
              convert(place[0], e.index()));
    });
    return {place[0] + bit};
  });
  e.barrier();
  return length;
}

SmallVector<Number> TableRows::addRows(const Buffer &dy, Number length, SmallVector<Number> sums) {
  const int64_t atOnce = std::max<int64_t>(1, 8 / steps); // eight vectors in flight
  Number end = convert(length, e.index());
  return e.loop(e.index(0), end, atOnce, sums, [&](Number first, Numbers carried) {
    SmallVector<Number> sums(carried), rows, values;
    for (int64_t i = 0; i < atOnce; ++i) {
      Number place = first + e.index(i);
      Number entry = e.load(list, e.smallerIndex(place, end - e.index(1)));
      Number row = entry & i32(kMostTableRows - 1);
      rows.push_back(select(place < end, row, i32(kMostTableRows)));
      Number start = convert(entry >> llvm::Log2_32(kMostTableRows), e.index()) * static_cast<double>(dy.stride);
      for (int64_t step = 0; step < steps; ++step)
        values.push_back(e.loadBlock(dy, start + columnOf(step), shapeOf(step))[0]);
    }
    for (int64_t i = 0; i < atOnce; ++i)
      for (int64_t row = 0; row < schedule.unitsPerBlock; ++row)
        for (int64_t step = 0; step < steps; ++step) {
          Number &sum = sums[row * steps + step];
          sum = select(rows[i] == i32(row), sum + values[i * steps + step], sum);
        }
    // Note which of the block's rows had a token.
    Number &found = sums.back();
    for (Number row : rows)
      found = found | e.binary(Emitter::Op::Shl, i32(1), row);
    return sums;
  });
}

void TableRows::emit(const Buffer &tokenBuffer, const Buffer &dy, const Buffer &accumulator, const Buffer &result,
                     Number reset) {
  SmallVector<Number> sums(schedule.unitsPerBlock * steps, e.broadcast(e.constant(0.0, e.f32())));
  sums.push_back(i32(0));
  sums = e.loop(e.index(0), e.index(tokens), schedule.threads * kWarp, sums, [&](Number chunk, Numbers carried) {
    Number length = writeList(tokenBuffer, chunk, findBits(tokenBuffer, chunk));
    SmallVector<Number> next = addRows(dy, length, SmallVector<Number>(carried));
    e.barrier(); // all threads have read the list and the counts
    return next;
  });

  // A row without tokens need not be written if the result lies on the accumulator and is not reset.
  Number writes = e.areApart(accumulator, result);
  if (reset.value)
    writes = writes | reset;
  for (int64_t i = 0; i < schedule.unitsPerBlock; ++i) {
    Number row = firstRow + e.index(i);
    Number isFound = ((sums.back() >> i) & i32(1)) != 0.0;
    e.onlyIf((writes | isFound) & (row < e.index(tableRows)), [&] {
      for (int64_t step = 0; step < steps; ++step) {
        BlockShape shape = shapeOf(step);
        Number at = columnOf(step),
               old = e.loadBlock(accumulator, row * static_cast<double>(accumulator.stride) + at, shape)[0];
        if (reset.value)
          old = select(reset, 0.0, old);
        e.storeBlock({old + sums[i * steps + step]}, result, row * static_cast<double>(result.stride) + at, shape);
      }
    });
  }
}

bool tx::simt::isTableKernel(step::KernelOp kernel) {
  mlir::Block &body = kernel.getBody().front();
  auto op = dyn_cast<ScatteringOpInterface>(body.front());
  return body.without_terminator().begin() == std::prev(body.without_terminator().end()) && op && op.getScatterIds();
}

void tx::simt::emitTable(Kernel &kernel, const KernelSchedule &schedule, ThreadEmitter &emitter) {
  Operation *op = &kernel.op.getBody().front().front();
  auto scatter = cast<ScatteringOpInterface>(op);
  auto accumulating = cast<AccumulatingOpInterface>(op);
  auto [operand, result] = accumulating.getTies().front();
  const Buffer *tokens = kernel.input(scatter.getScatterIds()), *dy = kernel.input(scatter.getScatteredRows());
  const Buffer *accumulator = kernel.input(op->getOperand(operand));
  auto results = kernel.outputs(op->getResult(result));
  if (results.size() != 1)
    return kernel.refuse(op, "adds into memory, and its kernel has " + Twine(results.size()) + " buffers for a result");
  Number reset;
  if (Value bit = accumulating.getResetValue())
    reset = emitter.load(*kernel.input(bit), emitter.index(0)) != 0.0;
  TableRows rows(schedule, emitter, results[0]->rows, kernel.rows, kernel.columns);
  rows.emit(*tokens, *dy, *accumulator, *results[0], reset);
}
