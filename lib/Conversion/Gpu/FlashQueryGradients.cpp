//===- FlashQueryGradients.cpp - dQ of a tile of queries ----------------------------------------------------------===//

#include "FlashGradients.h"

using namespace mlir;
using namespace tx;
using namespace tx::emit;
using namespace tx::simt;

namespace {

class QueryGradients : FlashGradients {
public:
  QueryGradients(FlashAttentionGradOp op, Kernel &kernel, const AttentionSchedule &schedule, BlockEmitter &e)
      : FlashGradients(op, kernel, schedule, e, schedule.otherRows) {}

  void emit(Number unit);

private:
  void addKeys(const Place &place, Number firstQuery, Number other, MutableArrayRef<Number> sums);

  SmallVector<Number> logarithms, rowSums; // for each of the thread's rows
};

} // namespace

void QueryGradients::emit(Number unit) {
  int64_t tiles = countTiles(shape.queries, schedule.ownRows);
  Number tile = e.index(tiles - 1) - unit % tiles; // the units that see most keys come first
  Place place = placeOfQueries(unit / static_cast<double>(tiles));
  Number firstQuery = tile * static_cast<double>(schedule.ownRows);
  products->load(queryPanel(q, place, firstQuery), own[0]);
  products->load(queryPanel(dy, place, firstQuery), own[1]);
  findRowSums(place, firstQuery, schedule.ownRows);
  e.barrier();
  for (Number row : products->rows) {
    logarithms.push_back(lseOf(row));
    rowSums.push_back(rowSumOf(row));
  }
  Weights sums = e.mainLoop(e.index(0), endOfKeys(firstQuery), products->zeroSums(), [&](Number other, Numbers sums) {
    SmallVector<Number> next(sums);
    addKeys(place, firstQuery, other, next);
    return next;
  });
  scaleSums(sums, scale);
  for (const Buffer *result : kernel.outputs(op.getDq()))
    products->store(sums, queryPanel(result, place, firstQuery), own[0]);
}

void QueryGradients::addKeys(const Place &place, Number firstQuery, Number other, MutableArrayRef<Number> sums) {
  Number firstKey = other * static_cast<double>(schedule.otherRows);
  e.barrier(); // other threads may still read the tile before
  products->load(keyPanel(k, place, firstKey), others[0]);
  products->load(keyPanel(v, place, firstKey), others[1]);
  products->wait();
  Weights weights = products->multiply(own[0], others[0]);
  size_t columns = products->columns.size();
  for (size_t i = 0; i < weights.size(); ++i)
    weights[i] = weightOf(weights[i], logarithms[i / columns]);
  hideKeys(weights, firstQuery, firstKey, 0.0);
  Weights gradients = products->multiply(own[1], others[1]);
  if (random)
    forDropped(place, firstQuery, other,
               [&](size_t i, Number dropped) { gradients[i] = masked(dropped, gradients[i]); });
  for (size_t i = 0; i < gradients.size(); ++i)
    gradients[i] = weights[i] * (gradients[i] - rowSums[i / columns]);
  products->accumulate(sums, gradients, others[0]);
}

void tx::simt::emitQueryGradients(FlashAttentionGradOp op, Kernel &kernel, const AttentionSchedule &schedule,
                                  BlockEmitter &e, Number unit) {
  QueryGradients(op, kernel, schedule, e).emit(unit);
}
