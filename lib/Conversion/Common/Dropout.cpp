//===- Dropout.cpp - Random masks that need no memory -------------------------------------------------------------===//
//
// Dropout and its random words: Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011: "Parallel random numbers: as easy as 1,
// 2, 3"). The 16 lanes of a block of columns have 16 counters, and the four words of each counter go to the block's
// four vectors. So no word moves to another lane.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "OpTable.h"
#include "Philox.h"

using namespace mlir;
using namespace tx;
using namespace tx::emit;

SmallVector<Number, 4> tx::emit::philox(SmallVector<Number, 4> counter, Number key0, Number key1) {
  Emitter &e = *key0.emitter;
  auto word = [&](uint32_t value) { return e.integer(value, e.i32()); };
  for (int round = 0; round < 10; ++round) {
    auto [high0, low0] = multiplyWide(counter[0], word(0xD2511F53));
    auto [high1, low1] = multiplyWide(counter[2], word(0xCD9E8D57));
    counter = {high1 ^ counter[1] ^ key0, low1, high0 ^ counter[3] ^ key1, low0};
    key0 = key0 + word(0x9E3779B9);
    key1 = key1 + word(0xBB67AE85);
  }
  return counter;
}

static void lowerDropout(DropoutOp op, RowProgram &row) {
  auto type = cast<RankedTensorType>(op.getX().getType());
  double probability = op.getProbability().convertToDouble();
  RowValue x = row.columns(op.getX());
  auto immediate = op->getAttrOfType<IntegerAttr>("step.immediate");
  if (!immediate)
    return row.kernel.refuse(op, "has no attribute 'step.immediate': the immediate with its site's hash");
  int64_t rowsPerSample = row.kernel.rows / type.getDimSize(0);
  auto toWord = [](Emitter &e, Numbers v) { return convert(v[0], e.i32()); };
  RowValue inSample = row.map(
      {row.map({row.rowNumber()}, [rowsPerSample](Emitter &, Numbers v) { return v[0] % rowsPerSample; })}, toWord);
  RowValue sample =
      row.map({row.map({row.rowNumber()},
                       [rowsPerSample](Emitter &, Numbers v) { return v[0] / static_cast<double>(rowsPerSample); })},
              toWord);
  sample = row.map({sample, row.uniform(op.getKey(), 2)}, [](Emitter &, Numbers v) { return v[0] + v[1]; });
  RowValue site = row.immediate(immediate.getInt());
  double scale = static_cast<float>(1.0 / (1.0 - probability));
  auto threshold = static_cast<uint32_t>(probability * 4294967296.0);
  row.result(op.getResult(),
             row.mapBlock({x, row.uniform(op.getKey(), 0), row.uniform(op.getKey(), 1), inSample, sample, site},
                          [=](const BlockPlace &at, ArrayRef<Vectors> v) {
                            Emitter &e = at.emitter;
                            auto words = philox({at.laneNumbers(), v[3][0], v[4][0], v[5][0]}, v[1][0], v[2][0]);
                            Vectors result;
                            for (unsigned i = 0; i < at.shape.vectors; ++i) {
                              Number dropped = below(words[i], e.integer(threshold, e.i32()));
                              result.push_back(select(dropped, 0.0, v[0][i] * scale));
                            }
                            return result;
                          }));
}

void tx::emit::addDropout(OpTable &table) { table.addRow(lowerDropout); }
