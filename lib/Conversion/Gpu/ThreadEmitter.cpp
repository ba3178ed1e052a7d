//===- ThreadEmitter.cpp - Writes what one thread of a GPU does ---------------------------------------------------===//

#include "ThreadEmitter.h"

#include "KernelSchedule.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tx::emit;
using namespace tx::simt;

ThreadEmitter::ThreadEmitter(OpBuilder &builder, gpu::GPUFuncOp function, unsigned lanes)
    : Emitter(builder, function.getLoc(), &function.getBody().front(), lanes), function(function) {
  threadId = wrap(gpu::ThreadIdOp::create(builder, loc, gpu::Dimension::x));
  blockId = wrap(gpu::BlockIdOp::create(builder, loc, gpu::Dimension::x));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Functions
//===--------------------------------------------------------------------------------------------------------------===//

Number ThreadEmitter::call(StringRef intrinsic, Number x) {
  auto name = builder.getStringAttr(intrinsic);
  auto one = [&](Value value) -> Value {
    return LLVM::CallIntrinsicOp::create(builder, loc, f32(), name, value).getResult(0);
  };
  auto type = dyn_cast<VectorType>(x.value.getType());
  if (!type)
    return wrap(one(x.value));
  SmallVector<Value> lanes;
  for (int64_t lane = 0; lane < type.getNumElements(); ++lane)
    lanes.push_back(one(vector::ExtractOp::create(builder, loc, x.value, ArrayRef<int64_t>{lane})));
  return wrap(vector::FromElementsOp::create(builder, loc, type, lanes));
}

Number ThreadEmitter::exp2(Number x) { return call("llvm.nvvm.ex2.approx.ftz", x); }
Number ThreadEmitter::quotient(Number a, Number b) { return a * call("llvm.nvvm.rcp.approx.ftz.f", b); }
Number ThreadEmitter::root(Number a) { return call("llvm.nvvm.sqrt.approx.ftz.f", a); }

//===--------------------------------------------------------------------------------------------------------------===//
// Memory
//===--------------------------------------------------------------------------------------------------------------===//

/// A bf16 is the upper half of an f32. So two bf16 in one 32-bit word become f32 with one operation each; from 16-bit
/// halves ptxas would make two operations each.
Number ThreadEmitter::widenBf16(Number narrow) {
  auto type = dyn_cast<VectorType>(narrow.value.getType());
  if (!type || type.getNumElements() == 1)
    return convert(narrow, f32());
  const int64_t lanes = type.getNumElements();
  auto words = VectorType::get({lanes / 2}, i32());
  Number pairs = wrap(vector::BitCastOp::create(builder, loc, words, narrow.value));
  Number low = pairs << 16, high = pairs & integer(0xffff0000, words);
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < lanes; ++i)
    order.push_back(i / 2 + i % 2 * (lanes / 2));
  return bitcast(wrap(vector::ShuffleOp::create(builder, loc, low.value, high.value, order)), f32());
}

Number ThreadEmitter::widen(Number stored, const Buffer &buffer) {
  return buffer.element().isBF16() ? widenBf16(stored) : stored;
}
Number ThreadEmitter::narrow(Number rounded, const Buffer &buffer) {
  return buffer.element().isBF16() ? convert(rounded, buffer.element()) : rounded;
}
Number ThreadEmitter::roundToBf16(Number a) { return widenBf16(convert(a, builder.getBF16Type())); }

Number ThreadEmitter::exists(unsigned vector, const BlockShape &shape) {
  if (!shape.left.value)
    return {};
  return index(vector * kSlice) < shape.left;
}

/// The number of bytes that the vector's address is a multiple of.
static llvm::MaybeAlign alignmentOf(VectorType type) {
  unsigned bytes = type.getNumElements() * type.getElementTypeBitWidth() / 8;
  return llvm::Align(std::min(bytes, kAccessBytes));
}

Vectors ThreadEmitter::loadBlock(const Buffer &buffer, Number start, BlockShape shape) {
  Vectors result;
  VectorType type = vectorOf(cast<MemRefType>(buffer.memref.getType()).getElementType());
  for (unsigned i = 0; i < shape.vectors; ++i) {
    auto load = [&](OpBuilder &builder, Location loc) -> Value {
      Number at = i ? start + index(i * kSlice) : start;
      return vector::LoadOp::create(builder, loc, type, buffer.memref, ValueRange{at.value}, /*nontemporal=*/false,
                                    alignmentOf(type));
    };
    Number isThere = exists(i, shape);
    Value value;
    if (!isThere.value) {
      value = load(builder, loc);
    } else {
      Number zero = isa<FloatType>(type.getElementType()) ? constant(0.0, type) : integer(0, type);
      value = scf::IfOp::create(
                  builder, loc, isThere.value,
                  [&](OpBuilder &builder, Location loc) { scf::YieldOp::create(builder, loc, load(builder, loc)); },
                  [&](OpBuilder &builder, Location loc) { scf::YieldOp::create(builder, loc, zero.value); })
                  .getResult(0);
    }
    result.push_back(widen(wrap(value), buffer));
  }
  return result;
}

void ThreadEmitter::storeBlock(const Vectors &block, const Buffer &buffer, Number start, BlockShape shape) {
  for (unsigned i = 0; i < shape.vectors; ++i) {
    Number value = narrow(broadcast(block[i]), buffer);
    auto store = [&] {
      Number at = i ? start + index(i * kSlice) : start;
      vector::StoreOp::create(builder, loc, value.value, buffer.memref, ValueRange{at.value}, /*nontemporal=*/false,
                              alignmentOf(cast<VectorType>(value.value.getType())));
    };
    Number isThere = exists(i, shape);
    if (storing.value)
      isThere = isThere.value ? isThere & storing : storing;
    if (isThere.value)
      onlyIf(isThere, store);
    else
      store();
  }
}

Number ThreadEmitter::selectColumns(Number value, Number other, unsigned vector, BlockShape shape) {
  Number isThere = exists(vector, shape);
  return isThere.value ? select(isThere, value, other) : value;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Other threads
//===--------------------------------------------------------------------------------------------------------------===//

Number ThreadEmitter::combineLanes(Number scalar, unsigned low, unsigned high, Combine combine) {
  for (unsigned bit = low; bit < high; bit *= 2) {
    auto other = gpu::ShuffleOp::create(builder, loc, scalar.value, bit, kWarp, gpu::ShuffleMode::XOR);
    scalar = combine(scalar, wrap(other.getShuffleResult()));
  }
  return scalar;
}

Number ThreadEmitter::combineNeighbours(Number vector, Combine combine) {
  while (int64_t width = cast<VectorType>(vector.value.getType()).getNumElements() / 2) {
    auto everySecond = [&](int64_t first) {
      SmallVector<int64_t> lanes;
      for (int64_t lane = 0; lane < width; ++lane)
        lanes.push_back(2 * lane + first);
      return wrap(vector::ShuffleOp::create(builder, loc, vector.value, vector.value, lanes));
    };
    Number even = everySecond(0), odd = everySecond(1);
    vector = combine(even, odd);
  }
  return wrap(vector::ExtractOp::create(builder, loc, vector.value, ArrayRef<int64_t>{0}));
}

Number ThreadEmitter::combineVectors(Number vector, unsigned low, unsigned high, Combine combine) {
  SmallVector<Value> lanes;
  for (int64_t lane = 0; lane < laneCount; ++lane) {
    Number scalar = wrap(vector::ExtractOp::create(builder, loc, vector.value, ArrayRef<int64_t>{lane}));
    lanes.push_back(combineLanes(scalar, low, high, combine).value);
  }
  return wrap(vector::FromElementsOp::create(builder, loc, vector.value.getType(), lanes));
}

Buffer ThreadEmitter::shared(int64_t elements, Type element) {
  if (!element)
    element = f32();
  auto space = gpu::AddressSpaceAttr::get(builder.getContext(), gpu::AddressSpace::Workgroup);
  auto type = MemRefType::get({elements}, element, MemRefLayoutAttrInterface(), space);
  Value memory = function.addWorkgroupAttribution(type, loc);
  function.setWorkgroupAttributionAttr(function.getNumWorkgroupAttributions() - 1, "llvm.align",
                                       builder.getI64IntegerAttr(kAccessBytes));
  return {memory, RankedTensorType::get({elements}, element)};
}

void ThreadEmitter::barrier() { gpu::BarrierOp::create(builder, loc); }
