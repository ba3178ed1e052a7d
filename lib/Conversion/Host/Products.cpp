//===- Products.cpp - Products of bf16 matrices -------------------------------------------------------------------===//
//
// for each part of the depth:
//   pack op(A) and op(B) as tiles on the stack
//   sums += products of tiles
// C = alpha sums + beta C
//
// A tile of an operand has 16 rows of 16 pairs of bf16, in the layout that the CPU's matrix unit reads. For op(A), a
// row of the tile is a row of op(A) with 32 elements along the depth. For op(B), a row of the tile holds two elements
// along the depth for each of 16 columns. For a CPU without a matrix unit the tiles have the same elements as f32,
// widened while they are packed: for op(A) a row has the pairs' first elements, then their second ones; for op(B) each
// pair becomes two rows.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "HostEmitter.h"

#include "tx/Conversion/Passes.h"
#include "tx/Dialect/Step/IR/StepOps.h"

#include "txrt/abi.h"

#include "mlir/Dialect/AMX/AMXDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tx;
using namespace tx::emit;

namespace {

constexpr int64_t kTileRows = 16, kPairs = 16, kTileDepth = 2 * kPairs;
constexpr int64_t kRowTiles = TXRT_HOST_PRODUCT_M / kTileRows;
constexpr int64_t kColumnTiles = TXRT_HOST_PRODUCT_N / kTileRows;
// The extent of memrefs that callers pass: the code does not know how long they are.
constexpr int64_t kUnbounded = int64_t(1) << 46;

/// The properties in which the generated product functions differ.
struct Form {
  bool transposeA, transposeB, isWide; // isWide: C is f32

  std::string name() const {
    return std::string("gemm_bf16_") + (transposeA ? 't' : 'n') + (transposeB ? 't' : 'n') +
           (isWide ? "_f32" : "_bf16");
  }
};

/// One operand of a product: `extent` rows of op(A), or `extent` columns of op(B).
struct Operand {
  Value memory;
  Number leading, extent;
  bool isAlongDepth; // whether neighbors in memory are neighbors along the depth
  bool isA;
};

class ProductEmitter : public host::HostEmitter {
public:
  ProductEmitter(OpBuilder &builder, Location loc, Block *entry, ProductUnits units)
      : HostEmitter(builder, loc, entry), units(units) {}

  void emit(Form form, ValueRange arguments);

private:
  using Block16 = SmallVector<Value, kTileRows>;

  Value allocate(ArrayRef<int64_t> shape, Type element);
  Value constantIndex(int64_t value) { return index(value).value; }
  Number tilesIn(Number extent, int64_t tile) { return (extent + double(tile - 1)) / double(tile); }
  void either(Number condition, function_ref<void(bool)> body);

  void pack(const Operand &operand, Number firstDepth, Number depth, Value to);
  Block16 loadAlongDepth(const Operand &operand, Number first, Number start, Number left, bool isWhole);
  Block16 loadAcrossDepth(const Operand &operand, Number first, Number start, Number left, bool isWhole);
  void transpose(Block16 &rows);
  void storeTile(const Block16 &rows, bool isA, Number tile, Value to);

  // Elements of k that are packed at once: so many that both operands' tiles and the sums stay in the L2 cache
  // (docs/Rationale/cpu-gemm.md).
  int64_t depthAtOnce() const { return units.tiles ? 768 : 256; }

  void clear();
  void multiplyTiles(Number depthTiles);
  void multiplyVectors(Number depthTiles);
  void finish(Form form, Value c, Number leading, Number alpha, Number beta);
  void finishRows(Form form, Value c, Number leading, Number alpha, const Number *beta);

  VectorType lanesOf(Type element, int64_t lanes = kPairs) { return VectorType::get({lanes}, element); }
  Type i16() { return builder.getIntegerType(16); }
  Type bf16() { return builder.getBF16Type(); }

  const ProductUnits units;
  Value tilesA, tilesB, sums; // tiles of the current part of the depth; sums[row tile * kColumnTiles + column tile]
  Number rows, columns;
};

} // namespace

Value ProductEmitter::allocate(ArrayRef<int64_t> shape, Type element) {
  return memref::AllocaOp::create(builder, loc, MemRefType::get(shape, element), builder.getI64IntegerAttr(64));
}

void ProductEmitter::either(Number condition, function_ref<void(bool)> body) {
  auto branch = [&](bool taken) {
    return [&, taken](OpBuilder &, Location) {
      body(taken);
      scf::YieldOp::create(builder, loc);
    };
  };
  scf::IfOp::create(builder, loc, condition.value, branch(true), branch(false));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Packing
//===--------------------------------------------------------------------------------------------------------------===//

/// Loads 16 vectors: vector i holds row (or column) first + i, in pairs along the depth. Rows after the last one repeat
/// it: they only add to sums that nobody reads.
ProductEmitter::Block16 ProductEmitter::loadAlongDepth(const Operand &operand, Number first, Number start, Number left,
                                                       bool isWhole) {
  Block16 result;
  for (int64_t i = 0; i < kTileRows; ++i) {
    Number row = first + double(i);
    if (!isWhole)
      row = smallerIndex(row, operand.extent - 1.0);
    Number at = row * operand.leading + start;
    Value loaded = isWhole ? loadLanes(operand.memory, at, kTileDepth, kTileDepth)
                           : loadLanes(operand.memory, at, left, kTileDepth);
    result.push_back(vector::BitCastOp::create(builder, loc, lanesOf(i32()), loaded));
  }
  return result;
}

/// Loads 16 vectors: vector i holds elements 2 i and 2 i + 1 along the depth, for 16 rows (or columns).
ProductEmitter::Block16 ProductEmitter::loadAcrossDepth(const Operand &operand, Number first, Number start, Number left,
                                                        bool isWhole) {
  Block16 result;
  Number across = operand.extent - first;
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(lanesOf(i16())));
  for (int64_t i = 0; i < kPairs; ++i) {
    Value pair[2];
    for (int64_t half = 0; half < 2; ++half) {
      Number depth = index(2 * i + half);
      Number inside = isWhole ? depth : smallerIndex(depth, left - 1.0);
      Number at = (start + inside) * operand.leading + first;
      if (isWhole) {
        pair[half] = loadLanes(operand.memory, at, kPairs, kPairs);
        continue;
      }
      Value loaded = loadLanes(operand.memory, at, across, kPairs);
      pair[half] = arith::SelectOp::create(builder, loc, (depth < left).value, loaded, zero);
    }
    Value loaded = vector::InterleaveOp::create(builder, loc, pair[0], pair[1]);
    result.push_back(vector::BitCastOp::create(builder, loc, lanesOf(i32()), loaded));
  }
  return result;
}

/// Transposes 16 x 16 lanes: exchanges lane i of vector j with lane j of vector i, for one bit of i and j at a time.
void ProductEmitter::transpose(Block16 &rows) {
  for (int64_t bit = kTileRows / 2; bit; bit /= 2)
    for (int64_t i = 0; i < kTileRows; ++i) {
      if (i & bit)
        continue;
      SmallVector<int64_t> first, second;
      for (int64_t lane = 0; lane < kPairs; ++lane) {
        first.push_back(lane & bit ? kPairs + (lane ^ bit) : lane);
        second.push_back(lane & bit ? kPairs + lane : lane ^ bit);
      }
      Value low = rows[i], high = rows[i | bit];
      rows[i] = vector::ShuffleOp::create(builder, loc, low, high, first);
      rows[i | bit] = vector::ShuffleOp::create(builder, loc, low, high, second);
    }
}

void ProductEmitter::pack(const Operand &operand, Number firstDepth, Number depth, Value to) {
  Number depthTiles = tilesIn(depth, kTileDepth);
  loop(index(0), tilesIn(operand.extent, kTileRows), 1, [&](Number tile) {
    loop(index(0), depthTiles, 1, [&](Number step) {
      Number first = tile * double(kTileRows), start = firstDepth + step * double(kTileDepth);
      Number left = depth - step * double(kTileDepth);
      Number isWhole = (first + double(kTileRows) <= operand.extent) & (index(kTileDepth) <= left);
      Number at = tile * depthTiles + step;
      either(isWhole, [&](bool isWhole) {
        Block16 rows = operand.isAlongDepth ? loadAlongDepth(operand, first, start, left, isWhole)
                                            : loadAcrossDepth(operand, first, start, left, isWhole);
        if (operand.isA != operand.isAlongDepth)
          transpose(rows);
        storeTile(rows, operand.isA, at, to);
      });
    });
  });
}

void ProductEmitter::storeTile(const Block16 &rows, bool isA, Number tile, Value to) {
  auto store = [&](Value stored, int64_t row, int64_t column) {
    vector::StoreOp::create(builder, loc, stored, to,
                            ValueRange{tile.value, constantIndex(row), constantIndex(column)});
  };
  for (auto [i, row] : llvm::enumerate(rows)) {
    if (units.tiles) {
      store(vector::BitCastOp::create(builder, loc, lanesOf(bf16(), kTileDepth), row), i, 0);
      continue;
    }
    // bf16 is the upper half of an f32; the pair's first element is the lower one.
    Number pairs = wrap(row);
    Value first = bitcast(pairs << 16, f32()).value, second = bitcast((pairs >> 16) << 16, f32()).value;
    store(first, isA ? i : 2 * i, 0);
    store(second, isA ? i : 2 * i + 1, isA ? kPairs : 0);
  }
}

//===--------------------------------------------------------------------------------------------------------------===//
// Products
//===--------------------------------------------------------------------------------------------------------------===//

void ProductEmitter::clear() {
  Value zero = constant(0.0, lanesOf(f32())).value;
  loop(index(0), tilesIn(rows, 2 * kTileRows) * 2.0, 1, [&](Number tile) {
    loop(index(0), tilesIn(columns, 2 * kTileRows) * 2.0, 1, [&](Number column) {
      loop(index(0), index(kTileRows), 1, [&](Number row) {
        Number at = tile * double(kColumnTiles) + column;
        vector::StoreOp::create(builder, loc, zero, sums, ValueRange{at.value, row.value, constantIndex(0)});
      });
    });
  });
}

/// Multiplies in the matrix unit. Its eight registers hold 2 x 2 tiles of sums and two tiles of each operand.
void ProductEmitter::multiplyTiles(Number depthTiles) {
  auto narrow = amx::TileType::get({kTileRows, kTileDepth}, bf16());
  auto wide = amx::TileType::get({kTileRows, kPairs}, f32());
  auto loadTile = [&](Type type, Value from, Number tile) -> Value {
    return amx::TileLoadOp::create(builder, loc, type, from,
                                   ValueRange{tile.value, constantIndex(0), constantIndex(0)});
  };
  loop(index(0), tilesIn(columns, kTileRows), 2, [&](Number column) {
    loop(index(0), tilesIn(rows, kTileRows), 2, [&](Number row) {
      SmallVector<Number, 4> places, carried;
      for (int64_t i : {0, 1})
        for (int64_t j : {0, 1}) {
          places.push_back((row + double(i)) * double(kColumnTiles) + (column + double(j)));
          carried.push_back(wrap(loadTile(wide, sums, places.back())));
        }
      SmallVector<Number> results = loop(index(0), depthTiles, 1, carried, [&](Number step, Numbers sums) {
        Value a[2], b[2];
        for (int64_t i : {0, 1}) {
          a[i] = loadTile(narrow, tilesA, (row + double(i)) * depthTiles + step);
          b[i] = loadTile(narrow, tilesB, (column + double(i)) * depthTiles + step);
        }
        SmallVector<Number> next;
        for (int64_t i = 0; i < 4; ++i)
          next.push_back(wrap(amx::TileMulFOp::create(builder, loc, wide, a[i / 2], b[i % 2], sums[i].value)));
        return next;
      });
      for (auto [result, place] : llvm::zip(results, places))
        amx::TileStoreOp::create(builder, loc, sums, ValueRange{place.value, constantIndex(0), constantIndex(0)},
                                 result.value);
    });
  });
}

/// Multiplies in vector registers. Enough rows of sums are in registers at once to hide the latency of fma, within the
/// registers that there are: AVX2 has 16, and a row of sums takes two of them.
void ProductEmitter::multiplyVectors(Number depthTiles) {
  const int64_t rowsAtOnce = units.wideVectors ? 8 : 4;
  VectorType wide = lanesOf(f32());
  loop(index(0), tilesIn(columns, kTileRows), 1, [&](Number column) {
    loop(index(0), tilesIn(rows, kTileRows), 1, [&](Number row) {
      loop(index(0), index(kTileRows), rowsAtOnce, [&](Number first) {
        Number tile = row * double(kColumnTiles) + column;
        SmallVector<Number> carried;
        auto place = [&](int64_t i) {
          return SmallVector<Value>{tile.value, (first + double(i)).value, constantIndex(0)};
        };
        for (int64_t i = 0; i < rowsAtOnce; ++i)
          carried.push_back(wrap(vector::LoadOp::create(builder, loc, wide, sums, place(i))));
        carried = loop(index(0), depthTiles, 1, carried, [&](Number step, Numbers sums) {
          Number atA = row * depthTiles + step, atB = column * depthTiles + step;
          return loop(index(0), index(kPairs), 1, sums, [&](Number pair, Numbers sums) {
            SmallVector<Number> next(sums);
            for (int64_t half : {0, 1}) {
              Number b = wrap(
                  vector::LoadOp::create(builder, loc, wide, tilesB,
                                         ValueRange{atB.value, (pair * 2.0 + double(half)).value, constantIndex(0)}));
              for (int64_t i = 0; i < rowsAtOnce; ++i) {
                Number a = wrap(memref::LoadOp::create(
                    builder, loc, tilesA,
                    ValueRange{atA.value, (first + double(i)).value, (pair + double(half * kPairs)).value}));
                next[i] = fma(a, b, next[i]);
              }
            }
            return next;
          });
        });
        for (int64_t i = 0; i < rowsAtOnce; ++i)
          vector::StoreOp::create(builder, loc, carried[i].value, sums, place(i));
      });
    });
  });
}

//===--------------------------------------------------------------------------------------------------------------===//
// C
//===--------------------------------------------------------------------------------------------------------------===//

void ProductEmitter::finishRows(Form form, Value c, Number leading, Number alpha, const Number *beta) {
  auto step = [&](Number row, Number column, bool isWhole) {
    Number tile = row / double(kTileRows) * double(kColumnTiles) + column / double(kTileRows);
    Number value = wrap(vector::LoadOp::create(builder, loc, lanesOf(f32()), sums,
                                               ValueRange{tile.value, (row % kTileRows).value, constantIndex(0)}));
    value = value * alpha;
    Number at = row * leading + column;
    Number left = columns - column;
    if (beta) {
      Value old = isWhole ? loadLanes(c, at, kPairs, kPairs) : loadLanes(c, at, left, kPairs);
      Number wide = form.isWide ? wrap(old) : bitcast(convert(wrap(old), i32()) << 16, f32());
      value = fma(wide, *beta, value);
    }
    if (!form.isWide)
      value = convert(bitcast(roundTo(value, bf16()), i32()) >> 16, i16());
    if (isWhole)
      storeLanes(value.value, c, at, kPairs);
    else
      storeLanes(value.value, c, at, left);
  };
  Number whole = columns / double(kPairs) * double(kPairs);
  loop(index(0), rows, 1, [&](Number row) {
    loop(index(0), whole, kPairs, [&](Number column) { step(row, column, true); });
    onlyIf(whole < columns, [&] { step(row, whole, false); });
  });
}

/// Writes C. If beta is 0, the old C is not read, since it may hold anything.
void ProductEmitter::finish(Form form, Value c, Number leading, Number alpha, Number beta) {
  either(beta == 0.0, [&](bool isFirst) { finishRows(form, c, leading, alpha, isFirst ? nullptr : &beta); });
}

void ProductEmitter::emit(Form form, ValueRange arguments) {
  auto argument = [&](unsigned i) { return wrap(arguments[i]); };
  rows = argument(3);
  columns = argument(4);
  Number k = argument(5);
  Operand a{arguments[0], argument(6), rows, !form.transposeA, true};
  Operand b{arguments[1], argument(7), columns, form.transposeB, false};
  const int64_t depthTiles = depthAtOnce() / kTileDepth;
  if (units.tiles) {
    tilesA = allocate({kRowTiles * depthTiles, kTileRows, kTileDepth}, bf16());
    tilesB = allocate({kColumnTiles * depthTiles, kTileRows, kTileDepth}, bf16());
  } else {
    tilesA = allocate({kRowTiles * depthTiles, kTileRows, kTileDepth}, f32());
    tilesB = allocate({kColumnTiles * depthTiles, kTileDepth, kTileRows}, f32());
  }
  sums = allocate({kRowTiles * kColumnTiles, kTileRows, kPairs}, f32());
  clear();
  // Divide the depth into parts of equal size, in whole tiles.
  Number parts = tilesIn(k, depthAtOnce());
  Number part = (k + parts - 1.0) / parts;
  part = tilesIn(part, kTileDepth) * double(kTileDepth);
  loop(index(0), parts, 1, [&](Number number) {
    Number first = number * part;
    onlyIf(first < k, [&] {
      Number depth = smallerIndex(part, k - first);
      Number depthTiles = tilesIn(depth, kTileDepth);
      pack(a, first, depth, tilesA);
      pack(b, first, depth, tilesB);
      if (units.tiles)
        multiplyTiles(depthTiles);
      else
        multiplyVectors(depthTiles);
    });
  });
  finish(form, arguments[2], argument(8), argument(9), argument(10));
}

static void emitFunction(OpBuilder &builder, Location loc, Form form, ProductUnits units) {
  MLIRContext *context = builder.getContext();
  auto memory = [&](Type element) { return MemRefType::get({kUnbounded}, element); };
  Type narrow = IntegerType::get(context, 16), wide = Float32Type::get(context);
  SmallVector<Type> types = {memory(narrow), memory(narrow), memory(form.isWide ? wide : narrow)};
  types.append(6, IndexType::get(context));
  types.append(2, wide);
  auto function = func::FuncOp::create(builder, loc, form.name(), FunctionType::get(context, types, {}));
  OpBuilder::InsertionGuard guard(builder);
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  Operation *end = func::ReturnOp::create(builder, loc);
  builder.setInsertionPoint(end);
  ProductEmitter(builder, loc, entry, units).emit(form, entry->getArguments());
}

static bool isBF16(step::BufferAttr buffer) { return buffer.getType().getElementType().isBF16(); }

bool tx::hasNarrowProducts(step::ProgramOp program) {
  return program
      .walk([](step::GemmOp gemm) { return isBF16(gemm.getA()) ? WalkResult::interrupt() : WalkResult::advance(); })
      .wasInterrupted();
}

void tx::addNarrowProducts(step::ProgramOp program, ModuleOp module, ProductUnits units) {
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  program.walk([&](step::GemmOp gemm) {
    if (!isBF16(gemm.getA()))
      return;
    Form form{gemm.getTransposeA(), gemm.getTransposeB(), !isBF16(gemm.getC())};
    if (!module.lookupSymbol(form.name()))
      emitFunction(builder, module.getLoc(), form, units);
  });
}
