//===- FlashGradients.cpp - The gradients of core attention -------------------------------------------------------===//

#include "FlashGradients.h"

#include <cmath>

using namespace mlir;
using namespace tx;
using namespace tx::emit;
using namespace tx::simt;

FlashGradients::FlashGradients(FlashAttentionGradOp op, Kernel &kernel, const AttentionSchedule &schedule,
                               BlockEmitter &e, int64_t sliceRows)
    : FlashAttention(op, kernel, schedule, e, sliceRows), op(op), dy(kernel.input(op.getDy())),
      y(kernel.input(op.getY())), lse(kernel.input(op.getLse())) {
  for (SharedTile &tile : own)
    tile = products->allocate(schedule.ownRows);
  for (SharedTile &tile : others)
    tile = products->allocate(schedule.otherRows);
  int64_t rows = std::max(schedule.ownRows, schedule.otherRows);
  lseAt = e.allocate(4 * rows);
  rowSumsAt = e.allocate(4 * rows);
}

/// A thread's part of the sum of dO * O over a row: part `part` of `parts`.
Number FlashGradients::sumOfRow(Number row, Number column, Number part, int64_t parts) {
  Number a = row * static_cast<double>(dy->stride) + column, b = row * static_cast<double>(y->stride) + column;
  Number zero = e.constant(0.0, e.f32());
  if (!schedule.hasTensorCores)
    return e.loop(part, e.index(shape.width), parts, {zero}, [&](Number i, Numbers sum) {
      return SmallVector<Number>{fma(e.load(*dy, a + i), e.load(*y, b + i), sum[0])};
    })[0];
  int64_t lanes = e.laneCount;
  Number sums = e.broadcast(zero);
  BlockShape one;
  one.vectors = 1;
  for (int64_t first = 0; first < shape.width; first += parts * lanes) {
    Number i = part * static_cast<double>(lanes) + e.index(first);
    sums = fma(e.loadBlock(*dy, a + i, one)[0], e.loadBlock(*y, b + i, one)[0], sums);
  }
  return e.reduceLanes(sums, [](Number a, Number b) { return a + b; });
}

void FlashGradients::findRowSums(const Place &place, Number firstQuery, int64_t rows) {
  int64_t parts = schedule.threads / rows;
  Number row = e.thread() / static_cast<double>(parts), part = e.thread() % parts;
  Number query = e.smallerIndex(firstQuery + row, e.index(shape.queries - 1));
  Panel panel = queryPanel(dy, place, query);
  Number sum = sumOfRow(panel.row, panel.column, part, parts);
  sum = e.combineLanes(sum, 1, parts, [](Number a, Number b) { return a + b; });
  Number logarithm = e.load(*lse, rowOfHead(place) + query) * M_LOG2E;
  logarithm = select(firstQuery + row < e.index(shape.queries), logarithm, INFINITY);
  e.onlyIf(part == 0.0, [&] {
    Number at = e.toWord(row) << 2;
    e.storeShared(logarithm, at, lseAt);
    e.storeShared(sum, at, rowSumsAt);
  });
}

void tx::simt::emitFlashBackward(FlashAttentionGradOp op, Kernel &kernel, const AttentionSchedule &schedule,
                                 BlockEmitter &e) {
  Number border = e.index(schedule.keyUnits);
  e.onlyIf(e.block() < border, [&] { emitKeyGradients(op, kernel, schedule, e, e.block()); });
  e.releaseAll();
  e.onlyIf(border <= e.block(), [&] { emitQueryGradients(op, kernel, schedule, e, e.block() - border); });
}
