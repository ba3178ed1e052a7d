//===- SimtProducts.cpp - Products of tiles without tensor cores --------------------------------------------------===//
//
// Products of tiles by fused multiply-adds: for f32, and for heads of widths that tensor cores cannot multiply. Sixteen
// threads share some rows; thread l of them has the columns l, l + 16, ... of these rows' weights and sums. The threads
// exchange weights through shared memory.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "TileProducts.h"

using namespace mlir;
using namespace tx::emit;
using namespace tx::simt;

namespace {

constexpr int64_t kLanes = 16;

class SimtProducts : public TileProducts {
public:
  SimtProducts(BlockEmitter &e, const AttentionSchedule &schedule, int64_t width, int64_t sliceRows);

  void load(const Panel &from, const SharedTile &to) override;
  void wait() override { e.barrier(); }
  Weights multiply(const SharedTile &own, const SharedTile &other) override;
  void accumulate(MutableArrayRef<Number> sums, const Weights &weights, const SharedTile &other) override;
  Number combineRow(Number number, ThreadEmitter::Combine combine) override {
    return e.combineLanes(number, 1, kLanes, combine);
  }
  void store(const Weights &sums, const Panel &to, const SharedTile &tile) override;

private:
  Number number(Number at, int64_t offset) { return e.loadShared(at, offset, e.f32()); }
  /// An element's offset in bytes.
  Number bytes(Number index) { return e.toWord(index) << 2; }

  int64_t rowBytes, weightBytes, weightsAt;
  Number row, lane; // the thread's first row, and its number among the 16 threads of that row; i32
};

} // namespace

SimtProducts::SimtProducts(BlockEmitter &e, const AttentionSchedule &schedule, int64_t width, int64_t sliceRows)
    : TileProducts(e, schedule, width, sliceRows), rowBytes(schedule.rowBytes(width)), weightBytes(4 * (sliceRows + 1)),
      weightsAt(e.allocate(schedule.ownRows * weightBytes)) {
  Number thread = e.toWord(e.thread());
  lane = thread & e.word(kLanes - 1);
  int64_t count = schedule.ownRows * kLanes / schedule.threads;
  row = (thread >> 4) * static_cast<double>(count);
  for (int64_t i = 0; i < count; ++i)
    rows.push_back(row + e.word(i));
  lanes.push_back(lane);
  for (unsigned sixteen = 0; sixteen < sliceRows / kLanes; ++sixteen)
    columns.push_back({0, sixteen});
  sumColumns = schedule.columnsPadded(width) / kLanes;
  isFirstOfRow = lane == 0.0;
}

void SimtProducts::load(const Panel &from, const SharedTile &to) {
  const Buffer &buffer = *from.buffer;
  Number first = from.row * static_cast<double>(buffer.stride) + from.column;
  int64_t padded = schedule.columnsPadded(width);
  e.loop(e.thread(), e.index(to.rows * padded), schedule.threads, [&](Number i) {
    Number row = i / static_cast<double>(padded), column = i % padded;
    Number isThere = (row < from.left) & (column < e.index(width));
    Number element = first + e.smallerIndex(row, from.left - 1.0) * static_cast<double>(buffer.stride) +
                     e.smallerIndex(column, e.index(width - 1));
    Number value = select(isThere, e.load(buffer, element), 0.0);
    e.storeShared(value, bytes(row * static_cast<double>(rowBytes / 4) + column), to.offset);
  });
}

Weights SimtProducts::multiply(const SharedTile &own, const SharedTile &other) {
  Weights zeros(rows.size() * columns.size(), e.constant(0.0, e.f32()));
  Number ownAt = row * static_cast<double>(rowBytes), otherAt = lane * static_cast<double>(rowBytes);
  return e.loop(e.index(0), e.index(width), 1, zeros, [&](Number k, Numbers sums) {
    SmallVector<Number> a, b, next;
    for (size_t i = 0; i < rows.size(); ++i)
      a.push_back(number(ownAt + bytes(k), own.offset + i * rowBytes));
    for (const Column &column : columns)
      b.push_back(number(other.from(otherAt) + bytes(k), other.offset + column.sixteen * kLanes * rowBytes));
    for (size_t i = 0; i < rows.size(); ++i)
      for (size_t j = 0; j < columns.size(); ++j)
        next.push_back(fma(a[i], b[j], sums[at(i, j)]));
    return next;
  });
}

void SimtProducts::accumulate(MutableArrayRef<Number> sums, const Weights &weights, const SharedTile &other) {
  Number weightAt = row * static_cast<double>(weightBytes), laneAt = lane << 2;
  e.barrier(); // other threads may still read the weights before
  for (size_t i = 0; i < rows.size(); ++i)
    for (size_t j = 0; j < columns.size(); ++j)
      e.storeShared(weights[at(i, j)], weightAt + laneAt,
                    weightsAt + i * weightBytes + columns[j].sixteen * kLanes * 4);
  e.barrier();
  auto result = e.loop(e.index(0), e.index(other.rows), 1, sums, [&](Number k, Numbers sums) {
    SmallVector<Number> a, b, next;
    for (size_t i = 0; i < rows.size(); ++i)
      a.push_back(number(weightAt + bytes(k), weightsAt + i * weightBytes));
    Number at = other.from(e.toWord(k) * static_cast<double>(rowBytes) + laneAt);
    for (unsigned j = 0; j < sumColumns; ++j)
      b.push_back(number(at, other.offset + j * kLanes * 4));
    for (size_t i = 0; i < rows.size(); ++i)
      for (unsigned j = 0; j < sumColumns; ++j)
        next.push_back(fma(a[i], b[j], sums[i * sumColumns + j]));
    return next;
  });
  llvm::copy(result, sums.begin());
}

void SimtProducts::store(const Weights &sums, const Panel &to, const SharedTile &) {
  const Buffer &buffer = *to.buffer;
  for (size_t i = 0; i < rows.size(); ++i) {
    Number row = convert(rows[i], e.index());
    Number first = (to.row + row) * static_cast<double>(buffer.stride) + to.column;
    for (unsigned j = 0; j < sumColumns; ++j) {
      Number column = convert(lane, e.index()) + e.index(j * kLanes);
      Number isThere = row < to.left;
      if (static_cast<int64_t>(j + 1) * kLanes > width)
        isThere = isThere & (column < e.index(width));
      e.onlyIf(isThere, [&] { e.store(sums[i * sumColumns + j], buffer, first + column); });
    }
  }
}

std::unique_ptr<TileProducts> tx::simt::createSimtProducts(BlockEmitter &e, const AttentionSchedule &schedule,
                                                           int64_t width, int64_t sliceRows) {
  return std::make_unique<SimtProducts>(e, schedule, width, sliceRows);
}
