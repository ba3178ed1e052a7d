//===- MmaProducts.cpp - Products of tiles by tensor cores --------------------------------------------------------===//
//
// Products of tiles by tensor cores. Each of four warps has 16 rows of the block's own tile, and works on all rows of
// the other tile. In a product of 16 x 8, lane l of a warp holds columns 2 (l % 4) and 2 (l % 4) + 1 of rows l / 4 and
// l / 4 + 8. In pairs, the sums of one product are laid out as the left operand of the next product, so weights never
// leave a thread's registers.
//
// In shared memory a row of a tile is cut into chunks of 16 bytes. Their order differs from row to row, so that the
// eight rows that ldmatrix reads at once lie in different banks.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "TileProducts.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tx::emit;
using namespace tx::simt;

namespace {

constexpr int64_t kChunk = 8; // bf16 numbers in 16 bytes

class MmaProducts : public TileProducts {
public:
  MmaProducts(BlockEmitter &e, const AttentionSchedule &schedule, int64_t width, int64_t sliceRows);

  void load(const Panel &from, const SharedTile &to) override;
  void wait() override {
    e.waitForCopies();
    e.barrier();
  }
  Weights multiply(const SharedTile &own, const SharedTile &other) override;
  void accumulate(MutableArrayRef<Number> sums, const Weights &weights, const SharedTile &other) override;
  Number combineRow(Number number, ThreadEmitter::Combine combine) override {
    return e.combineLanes(number, 1, 4, combine);
  }
  void store(const Weights &sums, const Panel &to, const SharedTile &tile) override;

private:
  /// How to get from the address of a row's chunk 0 to that of another chunk: `^` with `flip`, then add `offset`.
  struct Place {
    int64_t flip, offset;
  };
  Number place(Number row, Number chunk) { return row * static_cast<double>(2 * width) + ((chunk ^ phase(row)) << 4); }
  /// The number that permutes a row's chunks: chunk c lies at place c ^ phase.
  Number phase(Number row) { return (row >> llvm::Log2_64(8 / period)) & e.word(period - 1); }
  static Number elementOf(const Panel &panel, Number row, Number chunk) {
    Number first = (panel.row + convert(row, panel.row.emitter->index())) * static_cast<double>(panel.buffer->stride);
    return first + panel.column + convert(chunk, panel.row.emitter->index()) * static_cast<double>(kChunk);
  }
  Place moveTo(int64_t chunk) const { return {(chunk & (period - 1)) * 16, (chunk & ~(period - 1)) * 16}; }
  Number flipped(Number at, int64_t flip) { return flip ? at ^ e.word(flip) : at; }
  SmallVector<Number> loadMatrices(Number at, const SharedTile &tile, int64_t row, int64_t chunk, bool transposed) {
    Place to = moveTo(chunk);
    return e.loadMatrices(flipped(tile.from(at), to.flip), tile.offset + row * tile.rowBytes + to.offset, transposed);
  }
  /// Calls `body` for each chunk that this thread copies. The chunk is in row `row` + `more` of the tile; `at` is the
  /// address of that chunk in row `row`.
  void forChunks(int64_t rows, function_ref<void(Number row, int64_t more, Number chunk, Number at)> body);

  int64_t chunks, period;
  Number inRows; ///< address of this lane's row, for ldmatrix of a left operand
  Number across; ///< the same for a right operand whose rows are the product's columns
  Number along;  ///< the same for a right operand whose rows are multiplied with the left operand's columns
  Number result; ///< address of this lane's first pair of results in the own tile
};

} // namespace

MmaProducts::MmaProducts(BlockEmitter &e, const AttentionSchedule &schedule, int64_t width, int64_t sliceRows)
    : TileProducts(e, schedule, width, sliceRows), chunks(width / kChunk),
      period(std::min<int64_t>(chunks & -chunks, 8)) {
  Number thread = e.toWord(e.thread());
  Number lane = thread & e.word(31), warp = thread >> 5;
  auto bits = [&](unsigned low, int64_t mask) { return (lane >> low) & e.word(mask); };
  Number ownRow = warp << 4;
  for (int64_t half = 0; half < 2; ++half)
    rows.push_back(ownRow + (bits(2, 7) | e.word(8 * half)));
  for (int64_t column : {0, 1, 8, 9})
    lanes.push_back((bits(0, 3) << 1) + e.word(column));
  for (unsigned column = 0; column < sliceRows / 4; ++column)
    columns.push_back({column % 4, column / 4});
  sumColumns = width / 4;
  isFirstOfRow = bits(0, 3) == 0.0;

  along = place(bits(0, 15), bits(4, 1));
  inRows = ownRow * static_cast<double>(2 * width) + along;
  across = place(bits(0, 7) | (bits(4, 1) << 3), bits(3, 1));
  result = place(rows[0], e.word(0)) + (bits(0, 3) << 2);
}

// A thread copies the same chunk of every `step`-th row; in all these rows it has the same permutation. If the number
// of chunks is no power of two, some threads copy nothing.
void MmaProducts::forChunks(int64_t count, function_ref<void(Number, int64_t, Number, Number)> body) {
  int64_t threads = llvm::PowerOf2Ceil(chunks), step = schedule.threads / threads;
  Number thread = e.toWord(e.thread());
  Number row = thread / static_cast<double>(threads), chunk = thread % threads, at = place(row, chunk);
  auto all = [&] {
    for (int64_t more = 0; more < count; more += step)
      body(row, more, chunk, at);
  };
  if (threads == chunks)
    all();
  else
    e.onlyIf(chunk < e.word(chunks), all);
}

void MmaProducts::load(const Panel &from, const SharedTile &to) {
  const Buffer &buffer = *from.buffer;
  bool isWhole = buffer.type.getDimSize(1) % to.rows == 0;
  forChunks(to.rows, [&](Number row, int64_t more, Number chunk, Number at) {
    Number isThere;
    if (!isWhole)
      isThere = e.toWord(from.left) > row + e.word(more);
    e.copyAsync(buffer, elementOf(from, row, chunk), more * buffer.stride, at, to.offset + more * to.rowBytes, isThere);
  });
}

Weights MmaProducts::multiply(const SharedTile &own, const SharedTile &other) {
  // The sums lie product by product (16 x 8) while they are computed, and are then put in the order of rows.
  SmallVector<Number> sums(2 * columns.size(), e.constant(0.0, e.f32()));
  MutableArrayRef<Number> all(sums);
  for (int64_t k = 0; k < width / 16; ++k) {
    SmallVector<Number> a = loadMatrices(inRows, own, 0, 2 * k, false);
    for (int64_t n = 0; n < other.rows / 16; ++n) {
      SmallVector<Number> b = loadMatrices(across, other, 16 * n, 2 * k, false);
      for (int64_t half = 0; half < 2; ++half)
        e.multiplyAdd(a, Numbers(b).slice(2 * half, 2), all.slice(8 * n + 4 * half, 4));
    }
  }
  Weights weights(sums.size());
  for (size_t i = 0; i < sums.size(); ++i)
    weights[at(i / 2 % 2, i / 4 * 2 + i % 2)] = sums[i];
  return weights;
}

void MmaProducts::accumulate(MutableArrayRef<Number> sums, const Weights &weights, const SharedTile &other) {
  for (int64_t k = 0; k < other.rows / 16; ++k) {
    SmallVector<Number> a;
    for (int64_t half = 0; half < 2; ++half)
      for (unsigned row = 0; row < 2; ++row) {
        size_t first = at(row, 4 * k + 2 * half);
        a.push_back(e.pack(weights[first], weights[first + 1]));
      }
    for (int64_t n = 0; n < width / 16; ++n) {
      SmallVector<Number> b = loadMatrices(along, other, 16 * k, 2 * n, true);
      for (int64_t half = 0; half < 2; ++half) {
        size_t column = 4 * n + 2 * half;
        SmallVector<Number, 4> c;
        for (size_t i = 0; i < 4; ++i)
          c.push_back(sums[i / 2 * sumColumns + column + i % 2]);
        e.multiplyAdd(a, Numbers(b).slice(2 * half, 2), c);
        for (size_t i = 0; i < 4; ++i)
          sums[i / 2 * sumColumns + column + i % 2] = c[i];
      }
    }
  }
}

void MmaProducts::store(const Weights &sums, const Panel &to, const SharedTile &tile) {
  wait(); // other threads may still read the tile, or its copy has not arrived yet
  for (unsigned row = 0; row < 2; ++row)
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      size_t first = row * sumColumns + 2 * chunk;
      Place place = moveTo(chunk);
      e.storeShared(e.pack(sums[first], sums[first + 1]), flipped(result, place.flip),
                    tile.offset + row * 8 * tile.rowBytes + place.offset);
    }
  e.barrier();
  const Buffer &buffer = *to.buffer;
  bool isWhole = buffer.type.getDimSize(1) % tile.rows == 0;
  forChunks(tile.rows, [&](Number row, int64_t more, Number chunk, Number at) {
    auto store = [&] {
      Number vector = e.loadShared(at, tile.offset + more * tile.rowBytes, VectorType::get({kChunk}, buffer.element()));
      e.storeVector(vector, buffer, elementOf(to, row, chunk) + e.index(more * buffer.stride));
    };
    if (isWhole)
      store();
    else
      e.onlyIf(e.toWord(to.left) > row + e.word(more), store);
  });
}

std::unique_ptr<TileProducts> tx::simt::createMmaProducts(BlockEmitter &e, const AttentionSchedule &schedule,
                                                          int64_t width, int64_t sliceRows) {
  assert(schedule.threads == 2 * schedule.ownRows && "a warp has 16 rows");
  return std::make_unique<MmaProducts>(e, schedule, width, sliceRows);
}
