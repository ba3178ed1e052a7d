//===- Conversions.cpp - cvt and cvta -----------------------------------------------------------------------------===//

#include "Floats.h"
#include "Lanes.h"

#include <type_traits>

using namespace ptx;

namespace {

template <typename T> T same(T a) { return a; }
template <typename T> T nearest(T a) { return std::nearbyint(a); }
template <typename T> T below(T a) { return std::floor(a); }
template <typename T> T above(T a) { return std::ceil(a); }
template <typename T> T inner(T a) { return std::trunc(a); }

template <typename R, typename A> R convert(A a) { return static_cast<R>(a); }

/// An integer narrower than its register fills it: with its sign, if it has one.
template <typename R, typename A, R (*f)(A)>
void toRegister(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  uint64_t *to = warp.slot(instruction.slots[0]);
  const uint64_t *a = warp.slot(instruction.slots[1]);
  forLanes(lanes, [&](unsigned lane) { to[lane] = static_cast<uint64_t>(f(unpack<A>(a[lane]))); });
}

/// Clamped to the integer's range. What is not a number gives 0, and where one of the two has 64 bits, the integer's
/// highest bit alone.
template <typename R, typename A, A (*round)(A)> R toInteger(A a) {
  if (std::isnan(a))
    return sizeof(A) == 8 || sizeof(R) == 8 ? static_cast<R>(uint64_t(1) << (8 * sizeof(R) - 1)) : R(0);
  A rounded = round(a);
  // 2^bits is exact; the largest integer itself may not be.
  const A limit = std::ldexp(A(1), std::numeric_limits<R>::digits);
  if (rounded >= limit)
    return std::numeric_limits<R>::max();
  if (rounded < static_cast<A>(std::numeric_limits<R>::min()))
    return std::numeric_limits<R>::min();
  return static_cast<R>(rounded);
}
template <typename R, R (*f)(float)> R ofFlushed(float a) { return f(flushed(a)); }

template <typename R, typename A> void addInteger(Table &table, const std::string &to, const std::string &from) {
  table["cvt." + to + "." + from] = {toRegister<R, A, convert<R, A>>, 1, 1};
}
template <typename R> void addIntegersTo(Table &table, const std::string &to) {
  addInteger<R, uint8_t>(table, to, "u8");
  addInteger<R, int8_t>(table, to, "s8");
  addInteger<R, uint16_t>(table, to, "u16");
  addInteger<R, int16_t>(table, to, "s16");
  addInteger<R, uint32_t>(table, to, "u32");
  addInteger<R, int32_t>(table, to, "s32");
  addInteger<R, uint64_t>(table, to, "u64");
  addInteger<R, int64_t>(table, to, "s64");
}

template <typename I, typename F, F (*round)(F)>
void addRounding(Table &table, const std::string &mode, const std::string &integer, const std::string &number) {
  table["cvt." + mode + "." + integer + "." + number] = {toRegister<I, F, toInteger<I, F, round>>, 1, 1};
  if constexpr (std::is_same_v<F, float>)
    table["cvt." + mode + ".ftz." + integer + "." + number] = {toRegister<I, F, ofFlushed<I, toInteger<I, F, round>>>,
                                                               1, 1};
}
template <typename I, typename F> void addNumber(Table &table, const std::string &integer, const std::string &number) {
  table["cvt.rn." + number + "." + integer] = {unary<F, I, convert<F, I>>, 1, 1};
  addRounding<I, F, nearest<F>>(table, "rni", integer, number);
  addRounding<I, F, inner<F>>(table, "rzi", integer, number);
  addRounding<I, F, below<F>>(table, "rmi", integer, number);
  addRounding<I, F, above<F>>(table, "rpi", integer, number);
}
template <typename F> void addNumbers(Table &table, const std::string &number) {
  addNumber<uint16_t, F>(table, "u16", number);
  addNumber<int16_t, F>(table, "s16", number);
  addNumber<uint32_t, F>(table, "u32", number);
  addNumber<int32_t, F>(table, "s32", number);
  addNumber<uint64_t, F>(table, "u64", number);
  addNumber<int64_t, F>(table, "s64", number);
  table["cvt.rni." + number + "." + number] = {unary<F, F, nearest<F>>, 1, 1};
  table["cvt.rzi." + number + "." + number] = {unary<F, F, inner<F>>, 1, 1};
  table["cvt.rmi." + number + "." + number] = {unary<F, F, below<F>>, 1, 1};
  table["cvt.rpi." + number + "." + number] = {unary<F, F, above<F>>, 1, 1};
}

template <Rounding rounding> Bf16 toNarrow(float a) { return narrow(a, rounding); }
float fromNarrow(Bf16 a) { return canonical(widen(a)); }
template <Rounding rounding> uint32_t toPair(float high, float low) {
  return uint32_t(narrow(high, rounding).bits) << 16 | narrow(low, rounding).bits;
}

uint64_t addWindow(uint64_t a) { return a + kSharedWindow; }
uint64_t dropWindow(uint64_t a) { return a - kSharedWindow; }

} // namespace

void ptx::addConversions(Table &table) {
  addIntegersTo<uint8_t>(table, "u8");
  addIntegersTo<int8_t>(table, "s8");
  addIntegersTo<uint16_t>(table, "u16");
  addIntegersTo<int16_t>(table, "s16");
  addIntegersTo<uint32_t>(table, "u32");
  addIntegersTo<int32_t>(table, "s32");
  addIntegersTo<uint64_t>(table, "u64");
  addIntegersTo<int64_t>(table, "s64");
  addNumbers<float>(table, "f32");
  addNumbers<double>(table, "f64");
  table["cvt.f64.f32"] = {unary<double, float, convert<double, float>>, 1, 1};
  table["cvt.rn.f32.f64"] = {unary<float, double, convert<float, double>>, 1, 1};
  table["cvt.ftz.f64.f32"] = {unary<double, float, ofFlushed<double, convert<double, float>>>, 1, 1};
  table["cvt.rn.bf16.f32"] = {unary<Bf16, float, toNarrow<Rounding::Nearest>>, 1, 1};
  table["cvt.rz.bf16.f32"] = {unary<Bf16, float, toNarrow<Rounding::Zero>>, 1, 1};
  table["cvt.f32.bf16"] = {unary<float, Bf16, fromNarrow>, 1, 1};
  table["cvt.rn.bf16x2.f32"] = {binary<uint32_t, float, float, toPair<Rounding::Nearest>>, 1, 2};
  table["cvt.rz.bf16x2.f32"] = {binary<uint32_t, float, float, toPair<Rounding::Zero>>, 1, 2};

  table["cvta.global.u64"] = table["cvta.to.global.u64"] = {unary<uint64_t, uint64_t, same<uint64_t>>, 1, 1};
  table["cvta.shared.u64"] = {unary<uint64_t, uint64_t, addWindow>, 1, 1};
  table["cvta.to.shared.u64"] = {unary<uint64_t, uint64_t, dropWindow>, 1, 1};
}
