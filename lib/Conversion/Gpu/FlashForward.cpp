//===- FlashForward.cpp - Core attention of a tile of queries -----------------------------------------------------===//
//
// A block loads the values of a tile while it computes the tile's scores, and loads the next tile's keys while it
// multiplies weights and values. So one tile of keys and one of values in shared memory are enough.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "FlashAttention.h"

#include <cmath>

using namespace mlir;
using namespace tx;
using namespace tx::emit;
using namespace tx::simt;

namespace {

class Forward : FlashAttention {
public:
  Forward(FlashAttentionOp op, Kernel &kernel, const AttentionSchedule &schedule, BlockEmitter &e)
      : FlashAttention(op, kernel, schedule, e, schedule.otherRows), op(op),
        queryTile(products->allocate(schedule.ownRows)), keyTile(products->allocate(schedule.otherRows)),
        valueTile(products->allocate(schedule.otherRows)) {}

  void emit();

private:
  SmallVector<Number> addKeys(const Place &place, Number firstQuery, Number other, Number end, Numbers state);
  void storeLse(Numbers largest, Numbers exponentials, const Place &place, Number firstQuery);

  FlashAttentionOp op;
  SharedTile queryTile, keyTile, valueTile;
};

} // namespace

void Forward::emit() {
  // The blocks start with the last tiles of queries: if attention is causal, these take longest.
  int64_t tiles = countTiles(shape.queries, schedule.ownRows);
  Number tile = e.index(tiles - 1) - e.block() % tiles;
  Place place = placeOfQueries(e.block() / static_cast<double>(tiles));
  Number firstQuery = tile * static_cast<double>(schedule.ownRows), end = endOfKeys(firstQuery);
  products->load(queryPanel(q, place, firstQuery), queryTile);
  products->load(keyPanel(k, place, e.index(0)), keyTile);

  // What a thread carries: for each of its rows the largest score and its own sum of exponentials; then its part of O.
  size_t rows = products->rows.size();
  SmallVector<Number> state(rows, e.constant(-INFINITY, e.f32()));
  state.append(rows, e.constant(0.0, e.f32()));
  state.append(products->zeroSums());
  state = e.mainLoop(e.index(0), end, state,
                     [&](Number other, Numbers state) { return addKeys(place, firstQuery, other, end, state); });
  MutableArrayRef<Number> largest(state.data(), rows), exponentials(state.data() + rows, rows);
  Weights sums(ArrayRef<Number>(state).drop_front(2 * rows));
  for (size_t i = 0; i < rows; ++i) {
    exponentials[i] = products->combineRow(exponentials[i], [](Number a, Number b) { return a + b; });
    Number factor = keptScale() / exponentials[i];
    for (unsigned j = 0; j < products->sumColumns; ++j)
      sums[i * products->sumColumns + j] = sums[i * products->sumColumns + j] * factor;
  }
  for (const Buffer *result : kernel.outputs(op.getResult()))
    products->store(sums, queryPanel(result, place, firstQuery), queryTile);
  storeLse(largest, exponentials, place, firstQuery);
}

SmallVector<Number> Forward::addKeys(const Place &place, Number firstQuery, Number other, Number end, Numbers state) {
  size_t rows = products->rows.size(), columns = products->columns.size();
  Number first = other * static_cast<double>(schedule.otherRows);
  products->wait();
  products->load(keyPanel(v, place, first), valueTile);
  Weights weights = products->multiply(queryTile, keyTile);
  // Multiplying scores by a positive scale does not change which is largest, so the scale can be a part of the
  // exponential.
  double later = exponentScale();
  if (later <= 0) {
    for (Number &weight : weights)
      weight = weight * later;
    later = 1;
  }
  products->wait();
  Number next = first + e.index(schedule.otherRows);
  e.onlyIf(other + 1.0 < end, [&] { products->load(keyPanel(k, place, next), keyTile); });
  hideKeys(weights, firstQuery, first, -INFINITY);

  SmallVector<Number> result(state);
  MutableArrayRef<Number> largest(result.data(), rows), exponentials(result.data() + rows, rows);
  MutableArrayRef<Number> sums = MutableArrayRef<Number>(result).drop_front(2 * rows);
  for (size_t i = 0; i < rows; ++i) {
    Number most = weights[products->at(i, 0)];
    for (size_t j = 1; j < columns; ++j)
      most = e.maximum(most, weights[products->at(i, j)]);
    most = products->combineRow(most, [&](Number a, Number b) { return e.maximum(a, b); });
    most = e.maximum(largest[i], most * later); // drops a NaN here; the score's exponential is NaN again
    Number factor = e.exp2(largest[i] - most);
    largest[i] = most;
    exponentials[i] = exponentials[i] * factor;
    for (size_t j = 0; j < columns; ++j) {
      Number &weight = weights[products->at(i, j)];
      weight = e.exp2(fma(weight, e.constant(later, e.f32()), most * -1.0));
      exponentials[i] = exponentials[i] + weight;
    }
    for (unsigned j = 0; j < products->sumColumns; ++j)
      sums[i * products->sumColumns + j] = sums[i * products->sumColumns + j] * factor;
  }
  if (random)
    forDropped(place, firstQuery, other,
               [&](size_t weight, Number dropped) { weights[weight] = select(dropped, 0.0, weights[weight]); });
  products->accumulate(sums, weights, valueTile);
  return result;
}

void Forward::storeLse(Numbers largest, Numbers exponentials, const Place &place, Number firstQuery) {
  for (const Buffer *result : kernel.outputs(op.getLse()))
    for (size_t i = 0; i < products->rows.size(); ++i) {
      Number query = firstQuery + convert(products->rows[i], e.index());
      e.onlyIf(products->isFirstOfRow & (query < e.index(shape.queries)), [&] {
        Number lse = largest[i] * M_LN2 + log(exponentials[i]);
        e.store(lse, *result, rowOfHead(place) + query);
      });
    }
}

void tx::simt::emitFlashForward(FlashAttentionOp op, Kernel &kernel, const AttentionSchedule &schedule,
                                BlockEmitter &e) {
  Forward(op, kernel, schedule, e).emit();
}
