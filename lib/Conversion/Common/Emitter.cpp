//===- Emitter.cpp - Writes arithmetic, loops and accesses --------------------------------------------------------===//

#include "Emitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tx::emit;

//===--------------------------------------------------------------------------------------------------------------===//
// Constants
//===--------------------------------------------------------------------------------------------------------------===//

Number Emitter::constant(TypedAttr value) {
  Value &known = constants[value];
  if (!known) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(entry);
    known = arith::ConstantOp::create(builder, loc, value);
  }
  return wrap(known);
}

Number Emitter::constant(double value, Type type) {
  TypedAttr scalar = FloatAttr::get(getElementTypeOrSelf(type), value);
  if (auto vector = dyn_cast<VectorType>(type))
    return constant(DenseElementsAttr::get(vector, static_cast<Attribute>(scalar)));
  return constant(scalar);
}

Number Emitter::integer(int64_t value, Type type) {
  Type element = getElementTypeOrSelf(type);
  unsigned width = element.isIndex() ? 64 : element.getIntOrFloatBitWidth();
  TypedAttr scalar =
      IntegerAttr::get(element, APInt(width, static_cast<uint64_t>(value), /*isSigned=*/false, /*implicitTrunc=*/true));
  if (auto vector = dyn_cast<VectorType>(type))
    return constant(DenseElementsAttr::get(vector, static_cast<Attribute>(scalar)));
  return constant(scalar);
}

Number Emitter::like(Number a, double value) {
  if (isa<FloatType>(a.element()))
    return constant(value, a.value.getType());
  return integer(static_cast<int64_t>(value), a.value.getType());
}

Number Emitter::lanes() {
  auto values = llvm::to_vector(llvm::seq<int32_t>(0, laneCount));
  return constant(DenseElementsAttr::get(vectorOf(i32()), ArrayRef<int32_t>(values)));
}

Number Emitter::vectorOf(ArrayRef<double> values) {
  auto rounded = llvm::map_to_vector(values, [](double value) { return static_cast<float>(value); });
  return constant(DenseElementsAttr::get(VectorType::get({laneCount}, f32()), ArrayRef<float>(rounded)));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Arithmetic
//===--------------------------------------------------------------------------------------------------------------===//

Number Emitter::broadcast(Number scalar) {
  if (scalar.isVector())
    return scalar;
  if (auto constant = scalar.value.getDefiningOp<arith::ConstantOp>())
    return this->constant(
        DenseElementsAttr::get(vectorOf(scalar.element()), static_cast<Attribute>(constant.getValue())));
  return wrap(vector::BroadcastOp::create(builder, loc, vectorOf(scalar.element()), scalar.value));
}

void Emitter::unify(MutableArrayRef<Number> numbers) {
  if (llvm::any_of(numbers, [](Number number) { return number.isVector(); }))
    for (Number &number : numbers)
      number = broadcast(number);
}

template <typename FloatOp, typename IntOp>
static Value createBinary(OpBuilder &builder, Location loc, Number a, Number b) {
  if (isa<FloatType>(a.element()))
    return FloatOp::create(builder, loc, a.value, b.value);
  if (a.element().isIndex()) // addresses are often multiplied by 1, or added to 0
    return builder.createOrFold<IntOp>(loc, a.value, b.value);
  return IntOp::create(builder, loc, a.value, b.value);
}

Number Emitter::binary(Op op, Number a, Number b) {
  Number both[] = {a, b};
  unify(both);
  a = both[0], b = both[1];
  switch (op) {
  case Op::Add:
    return wrap(createBinary<arith::AddFOp, arith::AddIOp>(builder, loc, a, b));
  case Op::Sub:
    return wrap(createBinary<arith::SubFOp, arith::SubIOp>(builder, loc, a, b));
  case Op::Mul:
    return wrap(createBinary<arith::MulFOp, arith::MulIOp>(builder, loc, a, b));
  case Op::Div:
    return wrap(createBinary<arith::DivFOp, arith::DivUIOp>(builder, loc, a, b));
  case Op::Rem:
    return wrap(arith::RemUIOp::create(builder, loc, a.value, b.value));
  case Op::Xor:
    return wrap(arith::XOrIOp::create(builder, loc, a.value, b.value));
  case Op::And:
    return wrap(arith::AndIOp::create(builder, loc, a.value, b.value));
  case Op::Or:
    return wrap(arith::OrIOp::create(builder, loc, a.value, b.value));
  case Op::Shl:
    return wrap(arith::ShLIOp::create(builder, loc, a.value, b.value));
  case Op::Shr:
    return wrap(arith::ShRUIOp::create(builder, loc, a.value, b.value));
  }
  llvm_unreachable("all operations are listed");
}

Number Emitter::compare(Compare predicate, Number a, Number b) {
  Number both[] = {a, b};
  unify(both);
  a = both[0], b = both[1];
  using arith::CmpFPredicate;
  using arith::CmpIPredicate;
  CmpFPredicate onFloats = CmpFPredicate::OLT;
  CmpIPredicate onIntegers = CmpIPredicate::ult;
  switch (predicate) {
  case Compare::Less:
    onFloats = CmpFPredicate::OLT, onIntegers = CmpIPredicate::slt;
    break;
  case Compare::Greater:
    onFloats = CmpFPredicate::OGT, onIntegers = CmpIPredicate::sgt;
    break;
  case Compare::LessEqual:
    onFloats = CmpFPredicate::OLE, onIntegers = CmpIPredicate::sle;
    break;
  case Compare::Equal:
    onFloats = CmpFPredicate::OEQ, onIntegers = CmpIPredicate::eq;
    break;
  case Compare::NotEqual:
    onFloats = CmpFPredicate::UNE, onIntegers = CmpIPredicate::ne;
    break;
  case Compare::Below:
    break;
  }
  if (isa<FloatType>(a.element()))
    return wrap(arith::CmpFOp::create(builder, loc, onFloats, a.value, b.value));
  return wrap(arith::CmpIOp::create(builder, loc, onIntegers, a.value, b.value));
}

Number Emitter::smallerIndex(Number a, Number b) {
  return wrap(arith::MinSIOp::create(builder, loc, a.value, b.value));
}

Number tx::emit::select(Number condition, Number a, Number b) {
  Emitter &e = *condition.emitter;
  Number all[] = {condition, a, b};
  e.unify(all);
  return e.wrap(arith::SelectOp::create(e.builder, e.loc, all[0].value, all[1].value, all[2].value));
}

Number tx::emit::fma(Number a, Number b, Number c) {
  Emitter &e = *a.emitter;
  Number all[] = {a, b, c};
  e.unify(all);
  return e.wrap(math::FmaOp::create(e.builder, e.loc, all[0].value, all[1].value, all[2].value));
}

Number tx::emit::sqrt(Number a) {
  Emitter &e = *a.emitter;
  return e.wrap(math::SqrtOp::create(e.builder, e.loc, a.value));
}

/// The type of `a` (scalar or vector) with another element type.
static Type withElement(Number a, Type element) {
  auto vector = dyn_cast<VectorType>(a.value.getType());
  return vector ? VectorType::get(vector.getShape(), element) : element;
}

Number tx::emit::bitcast(Number a, Type element) {
  Emitter &e = *a.emitter;
  return e.wrap(arith::BitcastOp::create(e.builder, e.loc, withElement(a, element), a.value));
}

Number tx::emit::convert(Number a, Type element) {
  Emitter &e = *a.emitter;
  Type from = a.element(), to = withElement(a, element);
  if (from == element)
    return a;
  if (from.isIndex() || element.isIndex()) // ids and positions are not negative, so the conversion is unsigned
    return e.wrap(arith::IndexCastUIOp::create(e.builder, e.loc, to, a.value));
  if (isa<FloatType>(from) && isa<FloatType>(element))
    return from.getIntOrFloatBitWidth() < element.getIntOrFloatBitWidth()
               ? e.wrap(arith::ExtFOp::create(e.builder, e.loc, to, a.value))
               : e.wrap(arith::TruncFOp::create(e.builder, e.loc, to, a.value));
  if (isa<FloatType>(element))
    return e.wrap(arith::SIToFPOp::create(e.builder, e.loc, to, a.value));
  return from.getIntOrFloatBitWidth() < element.getIntOrFloatBitWidth()
             ? e.wrap(arith::ExtUIOp::create(e.builder, e.loc, to, a.value))
             : e.wrap(arith::TruncIOp::create(e.builder, e.loc, to, a.value));
}

std::pair<Number, Number> tx::emit::multiplyWide(Number a, Number b) {
  Emitter &e = *a.emitter;
  Number both[] = {a, b};
  e.unify(both);
  auto product = arith::MulUIExtendedOp::create(e.builder, e.loc, both[0].value, both[1].value);
  return {e.wrap(product.getHigh()), e.wrap(product.getLow())};
}

Number Emitter::reduceLanes(Number vector, function_ref<Number(Number, Number)> combine) {
  for (int64_t width = cast<VectorType>(vector.value.getType()).getNumElements() / 2; width >= 1; width /= 2) {
    auto half = [&](int64_t first) {
      auto lanes = llvm::to_vector(llvm::seq<int64_t>(first, first + width));
      return wrap(vector::ShuffleOp::create(builder, loc, vector.value, vector.value, lanes));
    };
    Number low = half(0), high = half(width);
    vector = combine(low, high);
  }
  return wrap(vector::ExtractOp::create(builder, loc, vector.value, ArrayRef<int64_t>{0}));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Memory
//===--------------------------------------------------------------------------------------------------------------===//

static Type elementOf(const Buffer &buffer) { return cast<MemRefType>(buffer.memref.getType()).getElementType(); }

/// A bf16 is the upper half of an f32. It is handled as an integer, since a CPU's own conversion instructions flush
/// denormals to zero, and some CPUs have none.
Number Emitter::widen(Number stored, const Buffer &buffer) {
  if (!buffer.element().isBF16())
    return stored;
  return bitcast(convert(stored, i32()) << 16, f32());
}
Number Emitter::narrow(Number rounded, const Buffer &buffer) {
  if (!buffer.element().isBF16())
    return rounded;
  return convert(bitcast(rounded, i32()) >> 16, elementOf(buffer));
}

Number Emitter::load(const Buffer &buffer, Number element) {
  return widen(wrap(memref::LoadOp::create(builder, loc, buffer.memref, ValueRange{element.value})), buffer);
}

void Emitter::store(Number value, const Buffer &buffer, Number element) {
  value = narrow(value, buffer);
  memref::StoreOp::create(builder, loc, value.value, buffer.memref, ValueRange{element.value});
}

Number Emitter::areApart(const Buffer &a, const Buffer &b) {
  auto address = [&](const Buffer &buffer) {
    return wrap(memref::ExtractAlignedPointerAsIndexOp::create(builder, loc, buffer.memref));
  };
  return address(a) != address(b);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Control flow
//===--------------------------------------------------------------------------------------------------------------===//

static SmallVector<Value> valuesOf(Numbers numbers) {
  return llvm::map_to_vector(numbers, [](Number number) { return number.value; });
}

SmallVector<Number> Emitter::loop(Number begin, Number end, int64_t step, Numbers carried, LoopBody body) {
  auto wrapAll = [&](ValueRange values) {
    return llvm::map_to_vector(values, [&](Value value) { return wrap(value); });
  };
  auto loop = scf::ForOp::create(builder, loc, begin.value, end.value, index(step).value, valuesOf(carried),
                                 [&](OpBuilder &, Location, Value iv, ValueRange arguments) {
                                   SmallVector<Number> results = body(wrap(iv), wrapAll(arguments));
                                   scf::YieldOp::create(builder, loc, valuesOf(results));
                                 });
  return wrapAll(loop.getResults());
}

void Emitter::loop(Number begin, Number end, int64_t step, function_ref<void(Number)> body) {
  loop(begin, end, step, {}, [&](Number at, Numbers) {
    body(at);
    return SmallVector<Number>();
  });
}

void Emitter::onlyIf(Number condition, function_ref<void()> body) {
  scf::IfOp::create(builder, loc, condition.value, [&](OpBuilder &, Location) {
    body();
    scf::YieldOp::create(builder, loc);
  });
}
