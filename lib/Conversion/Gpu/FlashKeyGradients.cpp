//===- FlashKeyGradients.cpp - dK and dV of a tile of keys --------------------------------------------------------===//
//
// Computes dK and dV. The rows of scores are keys here, and one Philox draw gives the dropout words of four keys, whose
// rows lie in different threads. So the block draws the words of a tile once and keeps their drop bits in shared
// memory.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "FlashGradients.h"

using namespace mlir;
using namespace tx;
using namespace tx::emit;
using namespace tx::simt;

namespace {

class KeyGradients : FlashGradients {
public:
  KeyGradients(FlashAttentionGradOp op, Kernel &kernel, const AttentionSchedule &schedule, BlockEmitter &e)
      : FlashGradients(op, kernel, schedule, e, schedule.columnsOfKeys) {
    if (random)
      masksAt = e.allocate(16 * schedule.otherRows);
  }

  void emit(Number unit);

private:
  void drawMasks(const Place &place, Number firstKey, Number firstQuery);
  void addQueries(const Place &place, Number firstKey, Number other, MutableArrayRef<Number> sums);
  void addSlice(Number slice, Number firstKey, Number firstQuery, MutableArrayRef<Number> sums);
  Weights hideQueries(const Weights &weights, Number firstKey, Number firstQuery);
  Number isMasked(Number key, Number query, int64_t more);

  int64_t masksAt = 0; // byte offset in shared memory
};

} // namespace

void KeyGradients::emit(Number unit) {
  int64_t tiles = countTiles(shape.keys, schedule.ownRows), group = shape.heads / shape.keyHeads;
  Number row = unit / static_cast<double>(tiles);
  Number firstKey = unit % tiles * static_cast<double>(schedule.ownRows);
  Number keyHead = row % shape.keyHeads;
  Place place{row / static_cast<double>(shape.keyHeads), {}, keyHead};
  products->load(keyPanel(k, place, firstKey), own[0]);
  products->load(keyPanel(v, place, firstKey), own[1]);
  Weights sums = products->zeroSums();
  sums.append(products->zeroSums()); // dK, then dV
  sums = e.mainLoop(e.index(0), e.index(group), sums, [&](Number member, Numbers sums) {
    place.head = keyHead * static_cast<double>(group) + member;
    Number first = causal ? firstKey / static_cast<double>(schedule.otherRows) : e.index(0);
    Number end = e.index(countTiles(shape.queries, schedule.otherRows));
    return e.mainLoop(first, end, sums, [&](Number other, Numbers sums) {
      SmallVector<Number> next(sums);
      addQueries(place, firstKey, other, next);
      return next;
    });
  });
  Weights keySums(ArrayRef<Number>(sums).take_front(sums.size() / 2)),
      valueSums(ArrayRef<Number>(sums).drop_front(sums.size() / 2));
  scaleSums(keySums, scale);
  if (random)
    scaleSums(valueSums, keptScale());
  for (const Buffer *result : kernel.outputs(op.getDk()))
    products->store(keySums, keyPanel(result, place, firstKey), own[0]);
  for (const Buffer *result : kernel.outputs(op.getDv()))
    products->store(valueSums, keyPanel(result, place, firstKey), own[1]);
}

/// Writes a byte for each pair of a query of the tile and a key number modulo 16. Bit i of the byte says whether key +
/// 16 i, of the block's 64 keys, is dropped for the query.
void KeyGradients::drawMasks(const Place &place, Number firstKey, Number firstQuery) {
  Number thread = e.toWord(e.thread()), sixtyFour = e.toWord(firstKey) >> 6;
  for (int64_t i = 0; i < 16 * schedule.otherRows; i += schedule.threads) {
    Number pair = thread + e.word(i);
    Number key = pair / static_cast<double>(schedule.otherRows), query = pair % schedule.otherRows;
    auto words = wordsOf(place, (sixtyFour << 4) + key, e.toWord(firstQuery) + query);
    Number bits = e.word(0);
    for (int64_t bit = 0; bit < 4; ++bit)
      bits = bits | select(isDropped(words[bit]), e.word(1 << bit), e.word(0));
    e.storeShared(convert(bits, IntegerType::get(op.getContext(), 8)), pair, masksAt);
  }
}

/// Whether the weight of a key and of query `query` + `more` of the tile is dropped.
Number KeyGradients::isMasked(Number key, Number query, int64_t more) {
  Number bit = e.binary(Emitter::Op::Shl, e.word(1), (key >> 4) & e.word(3));
  Number at = (key & e.word(15)) * static_cast<double>(schedule.otherRows);
  Number mask = e.loadShared(at + query, masksAt + more, IntegerType::get(op.getContext(), 8));
  return (convert(mask, e.i32()) & bit) != 0.0;
}

void KeyGradients::addQueries(const Place &place, Number firstKey, Number other, MutableArrayRef<Number> sums) {
  Number firstQuery = other * static_cast<double>(schedule.otherRows);
  e.barrier(); // other threads may still read the tile before
  products->load(queryPanel(q, place, firstQuery), others[0]);
  products->load(queryPanel(dy, place, firstQuery), others[1]);
  findRowSums(place, firstQuery, schedule.otherRows);
  if (random)
    drawMasks(place, firstKey, firstQuery);
  products->wait();
  int64_t slices = schedule.otherRows / products->sliceRows;
  if (slices == 1)
    return addSlice(e.word(0), firstKey, firstQuery, sums);
  auto next = e.mainLoop(e.index(0), e.index(slices), sums, [&](Number slice, Numbers sums) {
    SmallVector<Number> next(sums);
    addSlice(e.toWord(slice), firstKey, firstQuery, next);
    return next;
  });
  llvm::copy(next, sums.begin());
}

void KeyGradients::addSlice(Number slice, Number firstKey, Number firstQuery, MutableArrayRef<Number> sums) {
  SharedTile queries = others[0].slice(slice, products->sliceRows), dys = others[1].slice(slice, products->sliceRows);
  Number first = slice * static_cast<double>(products->sliceRows);
  auto forColumns = [&](function_ref<void(size_t column, Number lane, int64_t more)> body) {
    for (size_t j = 0; j < products->columns.size(); ++j)
      body(j, first + products->lanes[products->columns[j].lane], 16 * products->columns[j].sixteen);
  };

  Weights weights = products->multiply(own[0], queries);
  forColumns([&](size_t j, Number lane, int64_t more) {
    Number lse = lseOf(lane, more);
    for (size_t i = 0; i < products->rows.size(); ++i)
      weights[products->at(i, j)] = weightOf(weights[products->at(i, j)], lse);
  });
  if (causal)
    weights = hideQueries(weights, firstKey, firstQuery + convert(first, e.index()));

  Weights gradients = products->multiply(own[1], dys);
  forColumns([&](size_t j, Number lane, int64_t more) {
    Number rowSum = rowSumOf(lane, more);
    for (size_t i = 0; i < products->rows.size(); ++i) {
      Number &weight = weights[products->at(i, j)], &gradient = gradients[products->at(i, j)];
      Number p = weight;
      if (random) {
        Number dropped = isMasked(e.toWord(firstKey) + products->rows[i], lane, more);
        weight = select(dropped, 0.0, weight);
        gradient = masked(dropped, gradient);
      }
      gradient = p * (gradient - rowSum);
    }
  });
  products->accumulate(sums.drop_front(sums.size() / 2), weights, dys);
  products->accumulate(sums.take_front(sums.size() / 2), gradients, queries);
}

/// Causal: sets the weights to 0 where the key comes after the query.
Weights KeyGradients::hideQueries(const Weights &weights, Number firstKey, Number firstQuery) {
  return e.choose(firstQuery < firstKey + e.index(schedule.ownRows - 1), weights, [&] {
    Weights seen = weights;
    Number offset = e.toWord(firstKey) - e.toWord(firstQuery);
    for (size_t i = 0; i < products->rows.size(); ++i)
      for (size_t j = 0; j < products->columns.size(); ++j) {
        Number &weight = seen[products->at(i, j)];
        weight = select(columnAt(j) < products->rows[i] + offset, 0.0, weight);
      }
    return seen;
  });
}

void tx::simt::emitKeyGradients(FlashAttentionGradOp op, Kernel &kernel, const AttentionSchedule &schedule,
                                BlockEmitter &e, Number unit) {
  KeyGradients(op, kernel, schedule, e).emit(unit);
}
