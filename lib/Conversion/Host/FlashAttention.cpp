//===- FlashAttention.cpp - Core attention tile by tile -----------------------------------------------------------===//
//
// Flash attention on a CPU (Dao 2023: "FlashAttention-2"). A unit is a tile of 64 queries of one head, or in backward
// of 64 keys. It goes over the tiles of the other side in order, so the bits do not depend on threads. In units of
// queries the lanes of vectors are queries, in units of keys they are keys. So no sum, maximum or product crosses
// lanes, and what changes from tile to tile need not be transposed. Scores, their gradients and sums are f32, in tiles
// on the stack. If attention is causal, units stop at the diagonal.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Tiles.h"

#include "../Common/Philox.h"

#include "tx/Dialect/Tx/IR/TxOps.h"

#include <cmath>

using namespace mlir;
using namespace tx;
using namespace tx::host;
using emit::Kernel;

namespace {

constexpr int64_t kTile = FlashAttentionOp::kTile;
constexpr unsigned kVectors = 4;
static_assert(kTile == TileEmitter::kTile);
/// The widest head. A unit's tiles for wider heads would not fit a thread's stack.
constexpr int64_t kMaxWidth = 256;

/// What forward and backward share: sizes, places and masks.
class Attention {
public:
  template <typename OpT>
  Attention(OpT op, Kernel &kernel, TileEmitter &e)
      : kernel(kernel), e(e), heads(op.getHeads()), causal(op.getCausal()), scale(op.getScale().convertToDouble()),
        probability(op.getProbability().convertToDouble()) {
    q = kernel.input(op.getQ());
    k = kernel.input(op.getK());
    v = kernel.input(op.getV());
    AttentionForm form = op.getAttentionForm();
    batch = form.batch;
    queries = form.queries;
    keys = form.keys;
    keyHeads = form.keyHeads;
    width = form.width;
    queryTiles = llvm::divideCeil(queries, kTile);
    keyTiles = llvm::divideCeil(keys, kTile);
    padded = llvm::alignTo(width, 16);
    if (op.getKey())
      random = kernel.input(op.getKey());
    site = op->template getAttrOfType<IntegerAttr>("step.immediate");
  }

  /// Emits an error and returns false if the host has no code for this op.
  bool check(Operation *op) {
    if (width > kMaxWidth)
      kernel.refuse(op, "has heads of width " + Twine(width) + "; the host takes at most " + Twine(kMaxWidth));
    else if (random && !site)
      kernel.refuse(op, "has no attribute 'step.immediate': the immediate "
                        "with its site's hash");
    return !kernel.isRefused();
  }

protected:
  /// A sample, a head, and the head of keys and values that belongs to it.
  struct Head {
    Number sample, head, keyHead;
  };
  Head headOf(Number sampleAndHead) {
    Number head = sampleAndHead % heads;
    return {sampleAndHead / double(heads), head, head / double(heads / keyHeads)};
  }

  /// 64 rows of a head, in a tensor that has rows for queries or for keys.
  Panel queryPanel(const Buffer *buffer, const Head &at, Number tile) {
    return panel(buffer, at.sample, at.head, tile, queries);
  }
  Panel keyPanel(const Buffer *buffer, const Head &at, Number tile) {
    return panel(buffer, at.sample, at.keyHead, tile, keys);
  }
  /// How many rows of a tile exist.
  Number countRows(Number tile, int64_t rows) {
    return e.smallerIndex(e.index(rows) - tile * double(kTile), e.index(kTile));
  }
  /// How many tiles of keys a tile of queries sees.
  Number endOfKeys(Number queryTile) {
    return causal ? e.smallerIndex(queryTile + 1.0, e.index(keyTiles)) : e.index(keyTiles);
  }
  Number toWord(Number index) { return convert(index, e.i32()); }
  Vectors zeros() { return Vectors(kVectors, e.zero()); }

  /// The random words for one query and a tile of keys, as four vectors whose lanes are keys.
  SmallVector<Number, 4> wordsOfQuery(const Head &at, Number query, Number keyTile) {
    Number first = e.broadcast(toWord(keyTile * 16.0)) + e.lanes();
    return words(at, first, toWord(at.head * double(queries) + query));
  }
  /// The random words for 16 queries (lanes) and the keys `key` + 0, 16, 32 and 48 of a tile.
  SmallVector<Number, 4> wordsOfKeys(const Head &at, Number firstQuery, Number keyTile, Number key) {
    Number query = toWord(at.head * double(queries) + firstQuery);
    return words(at, e.broadcast(toWord(keyTile * 16.0 + key)), e.broadcast(query) + e.lanes());
  }
  /// Calls `body` for each set of four keys of a tile that share random numbers and each 16 queries of a tile. `body`
  /// gets the first key, and the queries' place within the tile and within the head.
  void forSixteens(Number tile, function_ref<void(Number, Number, Number)> body) {
    e.loop(e.index(0), e.index(16), 1, [&](Number key) {
      e.loop(e.index(0), e.index(kTile), 16, [&](Number lanes) { body(key, lanes, tile * double(kTile) + lanes); });
    });
  }
  Number isDropped(Number word) {
    auto limit = static_cast<uint32_t>(probability * 4294967296.0);
    return below(word, e.integer(limit, e.i32()));
  }
  double keptScale() const { return static_cast<float>(1.0 / (1.0 - probability)); }

  Kernel &kernel;
  TileEmitter &e;
  const Buffer *q, *k, *v, *random = nullptr;
  int64_t batch, queries, keys, heads, keyHeads, width, padded;
  int64_t queryTiles, keyTiles;
  bool causal;
  double scale, probability;
  IntegerAttr site;

private:
  Panel panel(const Buffer *buffer, Number sample, Number head, Number tile, int64_t rows) {
    Number first = sample * double(rows);
    return {buffer, first + tile * double(kTile), first + e.index(rows - 1), head * double(width), width};
  }
  SmallVector<Number, 4> words(const Head &at, Number block, Number row) {
    auto word = [&](int64_t i) { return e.load(*random, e.index(i)); };
    Number sample = toWord(at.sample) + word(2);
    return emit::philox({block, row, sample, kernel.immediate(site.getInt())}, word(0), word(1));
  }
};

//===--------------------------------------------------------------------------------------------------------------===//
// Forward
//===--------------------------------------------------------------------------------------------------------------===//

class Forward : Attention {
public:
  Forward(FlashAttentionOp op, Kernel &kernel, TileEmitter &e) : Attention(op, kernel, e), op(op) {}

  void emit(Number begin, Number end) {
    if (!check(op))
      return;
    queryTile = e.allocate(width, kTile);
    sums = e.allocate(width, kTile);
    keyTile = e.allocate(kTile, padded);
    valueTile = e.allocate(kTile, padded);
    scores = e.allocate(kTile, kTile);
    e.loop(begin, end, 1, [&](Number unit) { emitUnit(unit); });
  }

private:
  void emitUnit(Number unit) {
    Number tile = unit % queryTiles, row = unit / double(queryTiles);
    Head at = headOf(row);
    e.copyTransposed(queryPanel(q, at, tile), queryTile);
    e.clear(sums);
    // For each query, the largest score and the sum of exponentials so far.
    SmallVector<Number> state(kVectors, e.number(-INFINITY));
    state.append(kVectors, e.zero());
    state = e.loop(e.index(0), endOfKeys(tile), 1, state,
                   [&](Number other, Numbers state) { return addKeys(at, tile, other, state); });
    Vectors factor, lse;
    for (unsigned i = 0; i < kVectors; ++i) {
      Number sum = state[kVectors + i];
      factor.push_back(keptScale() / sum);
      lse.push_back(state[i] + log(sum));
    }
    e.scale(sums, factor);
    for (const Buffer *result : kernel.outputs(op.getResult()))
      e.storeTransposed(sums, queryPanel(result, at, tile));
    for (const Buffer *result : kernel.outputs(op.getLse()))
      storeRow(lse, *result, row, tile);
  }

  SmallVector<Number> addKeys(const Head &at, Number tile, Number other, Numbers state) {
    Number count = countRows(other, keys);
    e.copy(keyPanel(k, at, other), keyTile);
    e.copy(keyPanel(v, at, other), valueTile);
    e.product(
        keyTile, TileEmitter::Side::Rows, kTile, e.index(width), queryTile, [&](Number) { return zeros(); },
        [&](Number key, Vectors products) {
          for (Number &product : products)
            product = product * scale;
          e.storeRow(products, scores, key);
        });
    if (causal)
      e.onlyIf(other == tile, [&] { hideLaterKeys(); });

    auto largest = e.loop(e.index(0), count, 1, state.take_front(kVectors), [&](Number key, Numbers largest) {
      SmallVector<Number> next;
      Vectors row = e.loadRow(scores, key);
      for (unsigned i = 0; i < kVectors; ++i)
        next.push_back(larger(largest[i], row[i]));
      return next;
    });
    SmallVector<Number> factors, exponentials;
    for (unsigned i = 0; i < kVectors; ++i) {
      factors.push_back(exp(state[i] - largest[i]));
      exponentials.push_back(state[kVectors + i] * factors[i]);
    }
    exponentials = e.loop(e.index(0), count, 1, exponentials, [&](Number key, Numbers sums) {
      SmallVector<Number> next;
      Vectors row = e.loadRow(scores, key);
      for (unsigned i = 0; i < kVectors; ++i) {
        row[i] = exp(row[i] - largest[i]);
        next.push_back(sums[i] + row[i]);
      }
      e.storeRow(row, scores, key);
      return next;
    });
    if (random)
      drop(at, tile, other);
    e.product(
        valueTile, TileEmitter::Side::Columns, width, count, scores,
        [&](Number column) {
          Vectors row = e.loadRow(sums, column);
          for (unsigned i = 0; i < kVectors; ++i)
            row[i] = row[i] * factors[i];
          return row;
        },
        [&](Number column, Vectors products) { e.storeRow(products, sums, column); });
    largest.append(exponentials);
    return largest;
  }

  /// For the tile on the diagonal: query i of the tile sees its keys 0 to i; hides the others.
  void hideLaterKeys() {
    e.loop(e.index(0), e.index(kTile), 1, [&](Number key) {
      Vectors row = e.loadRow(scores, key);
      Number later = e.broadcast(toWord(key));
      for (unsigned i = 0; i < kVectors; ++i) {
        Number hidden = e.lanes() + 16.0 * i < later;
        row[i] = select(hidden, -INFINITY, row[i]);
      }
      e.storeRow(row, scores, key);
    });
  }

  void drop(const Head &at, Number tile, Number other) {
    forSixteens(tile, [&](Number first, Number lanes, Number query) {
      auto words = wordsOfKeys(at, query, other, first);
      for (unsigned i = 0; i < words.size(); ++i) {
        Number key = first + 16.0 * i;
        Number weight = e.loadVector(scores, key, lanes);
        e.storeVector(select(isDropped(words[i]), 0.0, weight), scores, key, lanes);
      }
    });
  }

  /// Stores the tile's part of a tensor's row `row`, which has a column for each query.
  void storeRow(const Vectors &values, const Buffer &to, Number row, Number tile) {
    Number first = tile * double(kTile), at = row * double(queries) + first;
    int64_t rest = queries % kTile;
    if (!rest)
      return e.storeBlock(values, to, at, BlockShape());
    e.onlyIf(tile < e.index(queryTiles - 1), [&] { e.storeBlock(values, to, at, BlockShape()); });
    e.onlyIf(tile == e.index(queryTiles - 1), [&] { e.storeBlock(values, to, at, BlockShape::of(rest)); });
  }

  FlashAttentionOp op;
  Buffer queryTile, sums, keyTile, valueTile, scores;
};

//===--------------------------------------------------------------------------------------------------------------===//
// Backward
//===--------------------------------------------------------------------------------------------------------------===//

class Backward : Attention {
public:
  Backward(FlashAttentionGradOp op, Kernel &kernel, TileEmitter &e)
      : Attention(op, kernel, e), op(op), dy(kernel.input(op.getDy())), y(kernel.input(op.getY())),
        lse(kernel.input(op.getLse())) {}

  void emit(Number begin, Number end) {
    if (!check(op))
      return;
    for (Buffer &tile : own)
      tile = e.allocate(width, kTile);
    for (Buffer &tile : others)
      tile = e.allocate(kTile, padded);
    weights = e.allocate(kTile, kTile);
    gradients = e.allocate(kTile, kTile);
    rowLse = e.allocate(1, kTile);
    rowSums = e.allocate(1, kTile);
    Number border = e.index(batch * keyHeads * keyTiles);
    e.loop(begin, e.smallerIndex(end, border), 1, [&](Number unit) { emitKeys(unit); });
    e.loop(select(begin < border, border, begin), end, 1, [&](Number unit) { emitQueries(unit - border); });
  }

private:
  using Side = TileEmitter::Side;

  /// Adds A^T B to `sums`.
  void accumulate(const Buffer &a, Number depth, const Buffer &b, const Buffer &sums) {
    e.product(
        a, Side::Columns, width, depth, b, [&](Number column) { return e.loadRow(sums, column); },
        [&](Number column, Vectors row) { e.storeRow(row, sums, column); });
  }
  /// Multiplies each row of A with each column of B.
  void multiply(const Buffer &a, const Buffer &b, const Buffer &to) {
    e.product(
        a, Side::Rows, kTile, e.index(width), b, [&](Number) { return zeros(); },
        [&](Number row, Vectors products) { e.storeRow(products, to, row); });
  }
  Number weight(Number product, Number lse) { return exp(fma(product, e.number(scale), lse * -1.0)); }

  // Computes dK and dV for a tile of keys, over the heads that share the keys and their queries. Lanes are keys.
  void emitKeys(Number unit) {
    Number tile = unit % keyTiles, row = unit / double(keyTiles);
    Number sample = row / double(keyHeads), keyHead = row % keyHeads;
    double group = heads / keyHeads;
    const Buffer &keyTile = own[0], &valueTile = own[1];
    const Buffer &keySums = own[2], &valueSums = own[3];
    Head at{sample, keyHead * group, keyHead};
    e.copyTransposed(keyPanel(k, at, tile), keyTile);
    e.copyTransposed(keyPanel(v, at, tile), valueTile);
    e.clear(keySums);
    e.clear(valueSums);
    e.loop(e.index(0), e.index(heads / keyHeads), 1, [&](Number member) {
      Head at{sample, keyHead * group + member, keyHead};
      Number first = causal ? tile : e.index(0);
      e.loop(first, e.index(queryTiles), 1, [&](Number other) { addQueries(at, tile, other); });
    });
    e.scale(keySums, Vectors(kVectors, e.number(scale)));
    for (const Buffer *result : kernel.outputs(op.getDk()))
      e.storeTransposed(keySums, keyPanel(result, at, tile));
    for (const Buffer *result : kernel.outputs(op.getDv()))
      e.storeTransposed(valueSums, keyPanel(result, at, tile));
  }

  void addQueries(const Head &at, Number tile, Number other) {
    const Buffer &keyTile = own[0], &valueTile = own[1];
    const Buffer &keySums = own[2], &valueSums = own[3];
    const Buffer &queryTile = others[0], &dyTile = others[1];
    Number count = countRows(other, queries);
    e.copy(queryPanel(q, at, other), queryTile);
    e.copy(queryPanel(dy, at, other), dyTile);
    multiply(queryTile, keyTile, weights);
    multiply(dyTile, valueTile, gradients);
    e.loop(e.index(0), count, 1, [&](Number row) {
      Number query = other * double(kTile) + row;
      Number sum = e.broadcast(sumOf(at, query));
      Number head = at.sample * double(heads) + at.head;
      Number rowLse = e.broadcast(e.load(*lse, head * double(queries) + query));
      SmallVector<Number, 4> words;
      if (random)
        words = wordsOfQuery(at, query, tile);
      Vectors products = e.loadRow(weights, row);
      Vectors dWeights = e.loadRow(gradients, row);
      for (unsigned i = 0; i < kVectors; ++i) {
        Number p = weight(products[i], rowLse);
        if (causal) {
          Number key = e.lanes() + 16.0 * i + toWord(tile * double(kTile));
          p = select(key <= toWord(query), p, 0.0);
        }
        Number kept = p;
        if (random)
          kept = dropWith(words[i], p, dWeights[i]);
        products[i] = kept;
        dWeights[i] = p * (dWeights[i] - sum);
      }
      e.storeRow(products, weights, row);
      e.storeRow(dWeights, gradients, row);
    });
    accumulate(dyTile, count, weights, valueSums);
    accumulate(queryTile, count, gradients, keySums);
  }

  /// Applies dropout's mask to a weight's gradient, and returns the weight with the mask applied.
  Number dropWith(Number word, Number p, Number &dWeight) {
    Number dropped = isDropped(word);
    dWeight = select(dropped, 0.0, dWeight * keptScale());
    return select(dropped, 0.0, p * keptScale());
  }

  /// The sum of dO * O over the columns of a query in this head.
  Number sumOf(const Head &at, Number query) {
    Number row = at.sample * double(queries) + query;
    Number column = at.head * double(width);
    auto load = [&](const Buffer *buffer, int64_t first, BlockShape shape) {
      Number start = row * double(buffer->stride) + column + e.index(first);
      return e.loadBlock(*buffer, start, shape);
    };
    Number sum = e.zero();
    for (int64_t first = 0; first < width; first += kTile) {
      BlockShape shape = BlockShape::of(std::min(width - first, kTile));
      Vectors a = load(dy, first, shape), b = load(y, first, shape);
      for (unsigned i = 0; i < shape.vectors; ++i)
        sum = fma(a[i], b[i], sum); // masked columns are 0
    }
    return e.reduceLanes(sum, [](Number a, Number b) { return a + b; });
  }

  // Computes dQ for a tile of queries, over its keys. Lanes are queries.
  void emitQueries(Number unit) {
    Number tile = unit % queryTiles, row = unit / double(queryTiles);
    Head at = headOf(row);
    const Buffer &queryTile = own[0], &dyTile = own[1];
    const Buffer &querySums = own[2], &yTile = own[3];
    e.copyTransposed(queryPanel(q, at, tile), queryTile);
    e.copyTransposed(queryPanel(dy, at, tile), dyTile);
    e.copyTransposed(queryPanel(y, at, tile), yTile);
    e.clear(querySums);
    SmallVector<Number> sums(kVectors, e.zero());
    sums = e.loop(e.index(0), e.index(width), 1, sums, [&](Number column, Numbers sums) {
      SmallVector<Number> next;
      Vectors a = e.loadRow(dyTile, column);
      Vectors b = e.loadRow(yTile, column);
      for (unsigned i = 0; i < kVectors; ++i)
        next.push_back(fma(a[i], b[i], sums[i]));
      return next;
    });
    e.storeRow(Vectors(Numbers(sums)), rowSums, e.index(0));
    loadLse(row, tile);
    e.loop(e.index(0), endOfKeys(tile), 1, [&](Number other) { addKeys(at, tile, other); });
    e.scale(querySums, Vectors(kVectors, e.number(scale)));
    for (const Buffer *result : kernel.outputs(op.getDq()))
      e.storeTransposed(querySums, queryPanel(result, at, tile));
  }

  /// Loads the log-sum-exps of a tile of queries; where the tile has no query it gets zeros.
  void loadLse(Number row, Number tile) {
    Number at = row * double(queries) + tile * double(kTile);
    int64_t rest = queries % kTile;
    auto load = [&](BlockShape shape) {
      Vectors values = e.loadBlock(*lse, at, shape);
      values.resize(kVectors, e.zero());
      e.storeRow(values, rowLse, e.index(0));
    };
    if (!rest)
      return load(BlockShape());
    e.onlyIf(tile < e.index(queryTiles - 1), [&] { load(BlockShape()); });
    e.onlyIf(tile == e.index(queryTiles - 1), [&] { load(BlockShape::of(rest)); });
  }

  void addKeys(const Head &at, Number tile, Number other) {
    const Buffer &queryTile = own[0], &dyTile = own[1], &querySums = own[2];
    const Buffer &keyTile = others[0], &valueTile = others[1];
    Number count = countRows(other, keys);
    e.copy(keyPanel(k, at, other), keyTile);
    e.copy(keyPanel(v, at, other), valueTile);
    multiply(keyTile, queryTile, weights);
    multiply(valueTile, dyTile, gradients);
    forSixteens(tile, [&](Number first, Number lanes, Number firstQuery) {
      Number lse = e.loadVector(rowLse, e.index(0), lanes);
      Number sum = e.loadVector(rowSums, e.index(0), lanes);
      SmallVector<Number, 4> words;
      if (random)
        words = wordsOfKeys(at, firstQuery, other, first);
      for (unsigned i = 0; i < kTile / 16; ++i) {
        Number row = first + 16.0 * i;
        Number p = weight(e.loadVector(weights, row, lanes), lse);
        if (causal) {
          Number key = toWord(other * double(kTile) + row);
          Number query = e.lanes() + toWord(firstQuery);
          p = select(e.broadcast(key) <= query, p, 0.0);
        }
        Number dWeight = e.loadVector(gradients, row, lanes);
        if (random)
          dropWith(words[i], p, dWeight);
        e.storeVector(p * (dWeight - sum), gradients, row, lanes);
      }
    });
    accumulate(keyTile, count, gradients, querySums);
  }

  FlashAttentionGradOp op;
  const Buffer *dy, *y, *lse;
  std::array<Buffer, 4> own;    ///< tiles of the unit's own side, one row of the tensor in each column
  std::array<Buffer, 2> others; ///< tiles of the other side, row by row
  Buffer weights, gradients, rowLse, rowSums;
};

} // namespace

static void lowerFlashAttention(FlashAttentionOp op, const Task &task, TileEmitter &emitter) {
  Forward(op, task.kernel, emitter).emit(task.begin, task.end);
}

static void lowerFlashAttentionGrad(FlashAttentionGradOp op, const Task &task, TileEmitter &emitter) {
  Backward(op, task.kernel, emitter).emit(task.begin, task.end);
}

void tx::host::addFlashAttention(TileTable &table) {
  table.add(lowerFlashAttention);
  table.add(lowerFlashAttentionGrad);
}
