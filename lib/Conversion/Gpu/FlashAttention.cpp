//===- FlashAttention.cpp - Places and masks of core attention ----------------------------------------------------===//

#include "FlashAttention.h"

#include "../Common/Philox.h"

using namespace mlir;
using namespace tx;
using namespace tx::emit;
using namespace tx::simt;

FlashAttention::Place FlashAttention::placeOfQueries(Number row) const {
  Number head = row % shape.heads;
  return {row / static_cast<double>(shape.heads), head, head / static_cast<double>(shape.heads / shape.keyHeads)};
}

Panel FlashAttention::panel(const Buffer *buffer, Number sample, Number head, Number first, int64_t rows) const {
  return {buffer, sample * static_cast<double>(rows) + first, e.index(rows) - first,
          head * static_cast<double>(shape.width)};
}

Number FlashAttention::endOfKeys(Number firstQuery) const {
  Number all = e.index(countTiles(shape.keys, schedule.otherRows));
  if (!causal)
    return all;
  Number end = firstQuery + e.index(schedule.ownRows + schedule.otherRows - 1);
  return e.smallerIndex(end / static_cast<double>(schedule.otherRows), all);
}

// Query i sees keys 0 to i if attention is causal, else all keys. Most tiles have no hidden key; one condition, the
// same for all threads, skips the masks there.
void FlashAttention::hideKeys(Weights &weights, Number firstQuery, Number firstKey, double hidden) const {
  bool hasTail = shape.keys % schedule.otherRows;
  if (!causal && !hasTail)
    return;
  Number seenByAll = causal ? e.smallerIndex(firstQuery + 1.0, e.index(shape.keys)) : e.index(shape.keys);
  Number isHidden = firstKey + e.index(schedule.otherRows) > seenByAll;
  weights = e.choose(isHidden, weights, [&] {
    Weights masked = weights;
    for (size_t i = 0; i < products->rows.size(); ++i) {
      Number last = e.index(shape.keys - 1);
      if (causal)
        last = e.smallerIndex(firstQuery + convert(products->rows[i], e.index()), last);
      Number lastInTile = e.toWord(last) - e.toWord(firstKey);
      for (size_t j = 0; j < products->columns.size(); ++j) {
        Number &weight = masked[products->at(i, j)];
        weight = select(columnAt(j) > lastInTile, hidden, weight);
      }
    }
    return masked;
  });
}

SmallVector<Number, 4> FlashAttention::wordsOf(const Place &place, Number block, Number query) const {
  auto word = [&](int64_t i) { return e.load(*random, e.index(i)); };
  Number row = e.toWord(place.head * static_cast<double>(shape.queries)) + query;
  return philox({block, row, e.toWord(place.sample) + word(2), kernel.immediate(site.getInt())}, word(0), word(1));
}

void FlashAttention::forDropped(const Place &place, Number firstQuery, Number otherTile,
                                function_ref<void(size_t, Number)> body) const {
  // The four random words of a lane belong, among each 64 keys, to the keys lane, lane + 16, lane + 32 and lane + 48.
  int64_t sixteens = schedule.otherRows / 16;
  Number sixteen =
      e.toWord(otherTile) * static_cast<double>(sixteens); // number of the tile's first 16 keys within the head
  for (size_t i = 0; i < products->rows.size(); ++i)
    for (unsigned lane = 0; lane < products->lanes.size(); ++lane) {
      Number block = ((sixteen >> 2) << 4) + products->lanes[lane];
      auto words = wordsOf(place, block, e.toWord(firstQuery) + products->rows[i]);
      for (size_t j = 0; j < products->columns.size(); ++j) {
        TileProducts::Column column = products->columns[j];
        if (column.lane != lane)
          continue;
        Number word = words[column.sixteen];
        if (sixteens < 4) { // which of the four words is used depends on the tile
          Number number = (sixteen & e.word(3)) + e.word(column.sixteen);
          word = words[3];
          for (int64_t other = 2; other >= 0; --other)
            word = select(number == static_cast<double>(other), words[other], word);
        }
        body(products->at(i, j), isDropped(word));
      }
    }
}
