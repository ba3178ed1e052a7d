//===- HostEmitter.cpp - Memory of kernels on the host ------------------------------------------------------------===//

#include "HostEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace tx::emit;
using namespace tx::host;

static unsigned lanesOf(Value vector) { return cast<VectorType>(vector.getType()).getNumElements(); }

static VectorType vectorIn(Value memory, unsigned lanes) {
  return VectorType::get({lanes}, cast<MemRefType>(memory.getType()).getElementType());
}

//===--------------------------------------------------------------------------------------------------------------===//
// Runs
//===--------------------------------------------------------------------------------------------------------------===//

Value HostEmitter::loadRun(Value memory, Number at, unsigned lanes) {
  VectorType type = vectorIn(memory, lanes);
  if (lanes > 1)
    return vector::LoadOp::create(builder, loc, type, memory, ValueRange{at.value});
  Value scalar = memref::LoadOp::create(builder, loc, memory, ValueRange{at.value});
  return vector::BroadcastOp::create(builder, loc, type, scalar);
}

void HostEmitter::storeRun(Value vector, Value memory, Number at) {
  if (lanesOf(vector) > 1) {
    vector::StoreOp::create(builder, loc, vector, memory, ValueRange{at.value});
    return;
  }
  Value scalar = vector::ExtractOp::create(builder, loc, vector, ArrayRef<int64_t>{0});
  memref::StoreOp::create(builder, loc, scalar, memory, ValueRange{at.value});
}

Value HostEmitter::zeros(Value memory, unsigned lanes) {
  return constant(cast<TypedAttr>(builder.getZeroAttr(vectorIn(memory, lanes)))).value;
}

Value HostEmitter::slice(Value vector, unsigned first, unsigned lanes) {
  if (lanes == lanesOf(vector))
    return vector;
  auto chosen = llvm::to_vector(llvm::seq<int64_t>(first, first + lanes));
  return vector::ShuffleOp::create(builder, loc, vector, vector, chosen);
}

Value HostEmitter::join(Value low, Value high) {
  auto all = llvm::to_vector(llvm::seq<int64_t>(0, lanesOf(low) + lanesOf(high)));
  return vector::ShuffleOp::create(builder, loc, low, high, all);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Lanes of a known number
//===--------------------------------------------------------------------------------------------------------------===//

/// Calls `body` with the first lane and the length of each run, the longest first.
static void forRuns(unsigned count, function_ref<void(unsigned, unsigned)> body) {
  for (unsigned first = 0; first < count;) {
    unsigned run = llvm::bit_floor(count - first);
    body(first, run);
    first += run;
  }
}

// Each run is widened to a whole vector and then shuffled into its place. When runs were joined one after another
// instead, LLVM moved halves of 16-bit vectors through scalar registers.
Value HostEmitter::loadLanes(Value memory, Number at, unsigned count, unsigned lanes) {
  if (count == lanes)
    return loadRun(memory, at, lanes);
  Value vector = zeros(memory, lanes);
  forRuns(count, [&](unsigned first, unsigned run) {
    Value loaded = loadRun(memory, at + index(first), run);
    SmallVector<int64_t> spread(lanes, vector::ShuffleOp::kPoisonIndex), placed;
    for (unsigned lane = 0; lane < lanes; ++lane) {
      if (lane < run)
        spread[lane] = lane;
      placed.push_back(lane >= first && lane < first + run ? lanes + lane - first : lane);
    }
    Value whole = vector::ShuffleOp::create(builder, loc, loaded, loaded, spread);
    vector = vector::ShuffleOp::create(builder, loc, vector, whole, placed);
  });
  return vector;
}

void HostEmitter::storeLanes(Value vector, Value memory, Number at, unsigned count) {
  forRuns(count, [&](unsigned first, unsigned run) { storeRun(slice(vector, first, run), memory, at + index(first)); });
}

//===--------------------------------------------------------------------------------------------------------------===//
// Lanes of a number that is known later
//===--------------------------------------------------------------------------------------------------------------===//

Value HostEmitter::choose(Number condition, Branch yes, Branch no) {
  auto branch = [](Branch body) {
    return [body](OpBuilder &builder, Location loc) { scf::YieldOp::create(builder, loc, body()); };
  };
  return scf::IfOp::create(builder, loc, condition.value, branch(yes), branch(no)).getResult(0);
}

Value HostEmitter::loadLanes(Value memory, Number at, Number count, unsigned lanes) {
  return choose(
      index(lanes) <= count, [&] { return loadRun(memory, at, lanes); },
      [&] { return loadFewer(memory, at, count, lanes); });
}

/// Loads fewer than `lanes` lanes: half of them or none as one run, then what is left of the other half. So the place
/// of each run within the vector is known when the code is written, though its place in memory is not.
Value HostEmitter::loadFewer(Value memory, Number at, Number count, unsigned lanes) {
  if (lanes == 1)
    return zeros(memory, 1);
  unsigned half = lanes / 2;
  Number hasHalf = index(half) <= count, taken = select(hasHalf, index(half), index(0));
  Value rest = loadFewer(memory, at + taken, count - taken, half);
  return choose(
      hasHalf, [&] { return join(loadRun(memory, at, half), rest); }, [&] { return join(rest, zeros(memory, half)); });
}

void HostEmitter::storeLanes(Value vector, Value memory, Number at, Number count) {
  Number isWhole = index(lanesOf(vector)) <= count;
  onlyIf(isWhole, [&] { storeRun(vector, memory, at); });
  onlyIf(count < index(lanesOf(vector)), [&] { storeFewer(vector, memory, at, count); });
}

void HostEmitter::storeFewer(Value vector, Value memory, Number at, Number count) {
  unsigned half = lanesOf(vector) / 2;
  if (!half)
    return;
  Number hasHalf = index(half) <= count, taken = select(hasHalf, index(half), index(0));
  Value rest = choose(
      hasHalf,
      [&] {
        storeRun(slice(vector, 0, half), memory, at);
        return slice(vector, half, half);
      },
      [&] { return slice(vector, 0, half); });
  storeFewer(rest, memory, at + taken, count - taken);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Blocks
//===--------------------------------------------------------------------------------------------------------------===//

static unsigned lanesOf(const BlockShape &shape, unsigned vector) {
  return shape.isMasked(vector) ? shape.lastLanes : kSlice;
}

Vectors HostEmitter::loadBlock(const Buffer &buffer, Number start, BlockShape shape) {
  Vectors block;
  for (unsigned i = 0; i < shape.vectors; ++i) {
    Number at = i ? start + index(i * kSlice) : start;
    block.push_back(widen(wrap(loadLanes(buffer.memref, at, lanesOf(shape, i), kSlice)), buffer));
  }
  return block;
}

/// The upper halves of two vectors' lanes, one vector after the other: as bf16, if the lanes are rounded to it.
static Value joinUpperHalves(OpBuilder &builder, Location loc, Value low, Value high) {
  unsigned lanes = lanesOf(low);
  auto halves = VectorType::get({2 * lanes}, builder.getI16Type());
  Value lowHalves = vector::BitCastOp::create(builder, loc, halves, low);
  Value highHalves = vector::BitCastOp::create(builder, loc, halves, high);
  SmallVector<int64_t> upper;
  for (unsigned lane = 0; lane < 2 * lanes; ++lane)
    upper.push_back(2 * lane + 1);
  return vector::ShuffleOp::create(builder, loc, lowHalves, highHalves, upper);
}

// Two whole vectors of bf16 are stored at once: with AVX-512 that is one permutation, instead of two shifts and two
// truncations of two operations each.
void HostEmitter::storeBlock(const Vectors &block, const Buffer &buffer, Number start, BlockShape shape) {
  for (unsigned i = 0; i < shape.vectors; ++i) {
    Number at = i ? start + index(i * kSlice) : start;
    if (buffer.element().isBF16() && i + 1 < shape.vectors && !shape.isMasked(i + 1)) {
      storeRun(joinUpperHalves(builder, loc, broadcast(block[i]).value, broadcast(block[i + 1]).value), buffer.memref,
               at);
      ++i;
      continue;
    }
    storeLanes(narrow(broadcast(block[i]), buffer).value, buffer.memref, at, lanesOf(shape, i));
  }
}

Number HostEmitter::selectColumns(Number value, Number other, unsigned vector, BlockShape shape) {
  if (!shape.isMasked(vector))
    return value;
  SmallVector<bool> isThere(kSlice, false);
  std::fill_n(isThere.begin(), shape.lastLanes, true);
  auto type = vectorOf(builder.getI1Type());
  return select(constant(DenseElementsAttr::get(type, ArrayRef<bool>(isThere))), value, other);
}
