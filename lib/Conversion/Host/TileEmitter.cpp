//===- TileEmitter.cpp - Products of tiles in vector registers ----------------------------------------------------===//

#include "TileEmitter.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tx::host;

// How many rows of a product are in registers at once. Each has four vectors of sums: of AVX-512's 32 registers, 24
// hold sums, four hold vectors of B and one holds a broadcast number of A.
static constexpr unsigned kRowsAtOnce = 6;
static constexpr int64_t kLanes = tx::emit::kSlice;
static constexpr unsigned kVectors = TileEmitter::kTile / kLanes;

//===--------------------------------------------------------------------------------------------------------------===//
// Memory
//===--------------------------------------------------------------------------------------------------------------===//

Buffer TileEmitter::allocate(int64_t rows, int64_t columns) {
  auto type = MemRefType::get({rows * columns}, f32());
  auto alignment = builder.getI64IntegerAttr(64);
  Value memory = memref::AllocaOp::create(builder, loc, type, alignment);
  auto tensor = RankedTensorType::get({rows, columns}, f32());
  return {memory, tensor, rows, columns, columns};
}

static Number placeOf(const Buffer &buffer, Number row) { return row * static_cast<double>(buffer.stride); }

Number TileEmitter::loadVector(const Buffer &tile, Number row, Number column) {
  return loadBlock(tile, placeOf(tile, row) + column, {1, kLanes})[0];
}

void TileEmitter::storeVector(Number value, const Buffer &tile, Number row, Number column) {
  storeBlock({value}, tile, placeOf(tile, row) + column, {1, kLanes});
}

Vectors TileEmitter::loadRow(const Buffer &tile, Number row) {
  return loadBlock(tile, placeOf(tile, row), {kVectors, kLanes});
}

void TileEmitter::storeRow(const Vectors &values, const Buffer &tile, Number row) {
  storeBlock(values, tile, placeOf(tile, row), {kVectors, kLanes});
}

void TileEmitter::clear(const Buffer &tile) {
  loop(index(0), index(tile.rows), 1, [&](Number row) { storeRow(Vectors(kVectors, zero()), tile, row); });
}

//===--------------------------------------------------------------------------------------------------------------===//
// Between tensors and tiles
//===--------------------------------------------------------------------------------------------------------------===//

static Number rowOf(const Panel &panel, Number row, TileEmitter &e) {
  Number inside = e.smallerIndex(panel.row + row, panel.lastRow);
  return placeOf(*panel.buffer, inside) + panel.column;
}

void TileEmitter::copy(const Panel &from, const Buffer &to) {
  loop(index(0), index(kTile), 1, [&](Number row) {
    Number source = rowOf(from, row, *this), target = placeOf(to, row);
    for (int64_t first = 0; first < from.columns; first += kTile) {
      int64_t count = std::min(from.columns - first, kTile);
      BlockShape shape = BlockShape::of(count);
      Vectors values = loadBlock(*from.buffer, source + index(first), shape);
      storeBlock(values, to, target + index(first), {shape.vectors, kLanes});
    }
  });
}

void TileEmitter::forColumns(int64_t columns, function_ref<void(Number, unsigned)> body) {
  int64_t whole = columns / kLanes * kLanes;
  if (whole)
    loop(index(0), index(whole), kLanes, [&](Number first) { body(first, kLanes); });
  if (columns != whole)
    body(index(whole), columns - whole);
}

// Transposes 16 x 16 numbers: exchanges halves, quarters, ... across the diagonal.
void TileEmitter::transpose(MutableArrayRef<Number> rows) {
  for (int64_t bit = kLanes / 2; bit; bit /= 2)
    for (int64_t i = 0; i < kLanes; ++i) {
      if (i & bit)
        continue;
      Value low = rows[i].value, high = rows[i | bit].value;
      SmallVector<int64_t> first, second;
      for (int64_t lane = 0; lane < kLanes; ++lane) {
        first.push_back(lane & bit ? kLanes + (lane ^ bit) : lane);
        second.push_back(lane & bit ? kLanes + lane : lane ^ bit);
      }
      auto shuffle = [&](ArrayRef<int64_t> lanes) {
        return wrap(vector::ShuffleOp::create(builder, loc, low, high, lanes));
      };
      rows[i] = shuffle(first);
      rows[i | bit] = shuffle(second);
    }
}

void TileEmitter::copyTransposed(const Panel &from, const Buffer &to) {
  loop(index(0), index(kTile), kLanes, [&](Number row) {
    forColumns(from.columns, [&](Number column, unsigned count) {
      SmallVector<Number> rows;
      for (int64_t i = 0; i < kLanes; ++i) {
        Number at = rowOf(from, row + index(i), *this) + column;
        rows.push_back(loadBlock(*from.buffer, at, {1, count})[0]);
      }
      transpose(rows);
      for (unsigned i = 0; i < count; ++i)
        storeVector(rows[i], to, column + index(i), row);
    });
  });
}

void TileEmitter::scale(const Buffer &tile, const Vectors &factors) {
  loop(index(0), index(tile.rows), 1, [&](Number row) {
    Vectors values = loadRow(tile, row);
    for (unsigned i = 0; i < kVectors; ++i)
      values[i] = values[i] * factors[i];
    storeRow(values, tile, row);
  });
}

void TileEmitter::storeTransposed(const Buffer &from, const Panel &to) {
  loop(index(0), index(kTile), kLanes, [&](Number first) {
    forColumns(to.columns, [&](Number column, unsigned count) {
      SmallVector<Number> rows(kLanes, zero());
      for (unsigned i = 0; i < count; ++i)
        rows[i] = loadVector(from, column + index(i), first);
      transpose(rows);
      for (int64_t i = 0; i < kLanes; ++i) {
        Number row = to.row + first + index(i);
        onlyIf(row <= to.lastRow, [&] {
          Number rounded = roundTo(rows[i], to.buffer->element());
          Number at = placeOf(*to.buffer, row) + to.column + column;
          storeBlock({rounded}, *to.buffer, at, {1, count});
        });
      }
    });
  });
}

//===--------------------------------------------------------------------------------------------------------------===//
// Products
//===--------------------------------------------------------------------------------------------------------------===//

void TileEmitter::product(const Buffer &a, Side side, int64_t rows, Number depth, const Buffer &b, Start start,
                          Finish finish) {
  int64_t rest = rows % kRowsAtOnce, whole = rows - rest;
  if (whole)
    loop(index(0), index(whole), kRowsAtOnce,
         [&](Number first) { productRows(a, side, first, kRowsAtOnce, depth, b, start, finish); });
  if (rest)
    productRows(a, side, index(whole), rest, depth, b, start, finish);
}

void TileEmitter::productRows(const Buffer &a, Side side, Number first, unsigned count, Number depth, const Buffer &b,
                              Start start, Finish finish) {
  SmallVector<Number> sums;
  for (unsigned row = 0; row < count; ++row)
    llvm::append_range(sums, start(first + index(row)));
  sums = loop(index(0), depth, 1, sums, [&](Number k, Numbers sums) {
    bool isRow = side == Side::Rows;
    Number corner = isRow ? placeOf(a, first) + k : placeOf(a, k) + first;
    Vectors vectors = loadRow(b, k);
    SmallVector<Number> next;
    for (unsigned row = 0; row < count; ++row) {
      Number at = corner + index(isRow ? row * a.stride : row);
      Number number = broadcast(load(a, at));
      for (unsigned i = 0; i < kVectors; ++i)
        next.push_back(fma(number, vectors[i], sums[row * kVectors + i]));
    }
    return next;
  });
  for (unsigned row = 0; row < count; ++row)
    finish(first + index(row), Vectors(Numbers(sums).slice(row * kVectors, kVectors)));
}
