//===- Floats.cpp - f32, f64 and bf16 arithmetic ------------------------------------------------------------------===//
//
// What PTX rounds (.rn) is rounded; its approximations are the host library's functions, closer to the truth than a
// device's. f32 sums and products without .rn are no operations here: an assembler may contract them to fma.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Floats.h"

#include "Lanes.h"

using namespace ptx;

namespace {

template <typename T> T add(T a, T b) { return a + b; }
template <typename T> T sub(T a, T b) { return a - b; }
template <typename T> T mul(T a, T b) { return a * b; }
template <typename T> T div(T a, T b) { return a / b; }
template <typename T> T fused(T a, T b, T c) { return std::fma(a, b, c); }
template <typename T> T negate(T a) { return -a; }
template <typename T> T absolute(T a) { return std::fabs(a); }
template <typename T> T reciprocal(T a) { return 1 / a; }
template <typename T> T root(T a) { return std::sqrt(a); }
float reciprocalRoot(float a) { return static_cast<float>(1 / std::sqrt(static_cast<double>(a))); }
float power2(float a) { return static_cast<float>(std::exp2(static_cast<double>(a))); }
float log2Of(float a) { return static_cast<float>(std::log2(static_cast<double>(a))); }
float sine(float a) { return static_cast<float>(std::sin(static_cast<double>(a))); }
float cosine(float a) { return static_cast<float>(std::cos(static_cast<double>(a))); }
float hyperbolicTangent(float a) { return static_cast<float>(std::tanh(static_cast<double>(a))); }

// The other one, if one is not a number; -0 is less than +0.
template <typename T> T smaller(T a, T b) {
  if (std::isnan(a) || std::isnan(b))
    return std::isnan(a) ? b : a;
  return a < b || (a == b && std::signbit(a)) ? a : b;
}
template <typename T> T larger(T a, T b) {
  if (std::isnan(a) || std::isnan(b))
    return std::isnan(a) ? b : a;
  return a > b || (a == b && !std::signbit(a)) ? a : b;
}
template <typename T, T (*f)(T, T)> T orNan(T a, T b) {
  return std::isnan(a) || std::isnan(b) ? std::numeric_limits<T>::quiet_NaN() : f(a, b);
}
/// The sign of a, the number of b.
template <typename T> T withSign(T a, T b) { return std::copysign(b, a); }

template <float (*f)(float)> float ftz1(float a) { return flushed(f(flushed(a))); }
template <float (*f)(float, float)> float ftz2(float a, float b) { return flushed(f(flushed(a), flushed(b))); }
template <float (*f)(float, float, float)> float ftz3(float a, float b, float c) {
  return flushed(f(flushed(a), flushed(b), flushed(c)));
}

template <float (*f)(float)> float nan1(float a) { return canonical(f(a)); }
template <float (*f)(float, float)> float nan2(float a, float b) { return canonical(f(a, b)); }
template <float (*f)(float, float, float)> float nan3(float a, float b, float c) { return canonical(f(a, b, c)); }

template <float (*f)(float)> void add1(Table &table, const std::string &head, const std::string &tail) {
  table[head + tail] = {unary<float, float, nan1<f>>, 1, 1};
  table[head + ".ftz" + tail] = {unary<float, float, nan1<ftz1<f>>>, 1, 1};
}
template <float (*f)(float, float)> void add2(Table &table, const std::string &head, const std::string &tail) {
  table[head + tail] = {binary<float, float, float, nan2<f>>, 1, 2};
  table[head + ".ftz" + tail] = {binary<float, float, float, nan2<ftz2<f>>>, 1, 2};
}
template <float (*f)(float, float, float)> void add3(Table &table, const std::string &head, const std::string &tail) {
  table[head + tail] = {ternary<float, float, float, float, nan3<f>>, 1, 3};
  table[head + ".ftz" + tail] = {ternary<float, float, float, float, nan3<ftz3<f>>>, 1, 3};
}

template <typename T> uint8_t lt(T a, T b) { return a < b; }
template <typename T> uint8_t le(T a, T b) { return a <= b; }
template <typename T> uint8_t gt(T a, T b) { return a > b; }
template <typename T> uint8_t ge(T a, T b) { return a >= b; }
template <typename T> uint8_t eq(T a, T b) { return a == b; }
template <typename T> uint8_t ne(T a, T b) { return a < b || a > b; }
template <typename T> uint8_t unordered(T a, T b) { return std::isnan(a) || std::isnan(b); }
/// The comparison, or one of them is not a number.
template <typename T, uint8_t (*f)(T, T)> uint8_t orUnordered(T a, T b) { return f(a, b) || unordered(a, b); }
template <typename T> uint8_t ordered(T a, T b) { return !unordered(a, b); }
template <uint8_t (*f)(float, float)> uint8_t ftzCompare(float a, float b) { return f(flushed(a), flushed(b)); }

template <typename T, uint8_t (*f)(T, T)>
void addComparison(Table &table, const std::string &name, const std::string &type) {
  table["setp." + name + "." + type] = {binary<uint8_t, T, T, f>, 1, 2};
  if constexpr (std::is_same_v<T, float>)
    table["setp." + name + ".ftz." + type] = {binary<uint8_t, T, T, ftzCompare<f>>, 1, 2};
}
template <typename T> void addComparisons(Table &table, const std::string &type) {
  addComparison<T, lt<T>>(table, "lt", type);
  addComparison<T, le<T>>(table, "le", type);
  addComparison<T, gt<T>>(table, "gt", type);
  addComparison<T, ge<T>>(table, "ge", type);
  addComparison<T, eq<T>>(table, "eq", type);
  addComparison<T, ne<T>>(table, "ne", type);
  addComparison<T, orUnordered<T, lt<T>>>(table, "ltu", type);
  addComparison<T, orUnordered<T, le<T>>>(table, "leu", type);
  addComparison<T, orUnordered<T, gt<T>>>(table, "gtu", type);
  addComparison<T, orUnordered<T, ge<T>>>(table, "geu", type);
  addComparison<T, orUnordered<T, eq<T>>>(table, "equ", type);
  addComparison<T, orUnordered<T, ne<T>>>(table, "neu", type);
  addComparison<T, ordered<T>>(table, "num", type);
  addComparison<T, unordered<T>>(table, "nan", type);
}

template <typename T> T choose(T a, T b, uint8_t first) { return first & 1 ? a : b; }
template <typename T> T same(T a) { return a; }

/// Two numbers in 64 bits.
struct Two {
  float low, high;
};
template <float (*f)(float, float)> Two two2(Two a, Two b) { return {f(a.low, b.low), f(a.high, b.high)}; }
Two twoFused(Two a, Two b, Two c) {
  return {nan3<fused<float>>(a.low, b.low, c.low), nan3<fused<float>>(a.high, b.high, c.high)};
}

// bf16: sums and products of two are rounded from f32, which is as if from all bits.
struct Pair {
  Bf16 low, high;
};
template <float (*f)(float)> Bf16 narrow1(Bf16 a) { return narrow(f(widen(a))); }
template <float (*f)(float, float)> Bf16 narrow2(Bf16 a, Bf16 b) { return narrow(f(widen(a), widen(b))); }
Bf16 fusedNarrow(Bf16 a, Bf16 b, Bf16 c) {
  double sum = static_cast<double>(widen(a)) * widen(b) + static_cast<double>(widen(c));
  // To f32 by rounding to odd, so that the second rounding sees what is left.
  auto f = static_cast<float>(sum);
  if (static_cast<double>(f) != sum && !(bitsOf(f) & 1) && std::isfinite(f)) {
    bool up = std::fabs(static_cast<double>(f)) < std::fabs(sum);
    f = floatOf(bitsOf(f) + (up ? 1 : -1));
  }
  return narrow(f);
}
Bf16 negateNarrow(Bf16 a) { return {static_cast<uint16_t>(a.bits ^ 0x8000)}; }
Bf16 absoluteNarrow(Bf16 a) { return {static_cast<uint16_t>(a.bits & 0x7fff)}; }
template <Bf16 (*f)(Bf16)> Pair pair1(Pair a) { return {f(a.low), f(a.high)}; }
template <Bf16 (*f)(Bf16, Bf16)> Pair pair2(Pair a, Pair b) { return {f(a.low, b.low), f(a.high, b.high)}; }
template <Bf16 (*f)(Bf16, Bf16, Bf16)> Pair pair3(Pair a, Pair b, Pair c) {
  return {f(a.low, b.low, c.low), f(a.high, b.high, c.high)};
}

template <Bf16 (*f)(Bf16)> void addNarrow1(Table &table, const std::string &head) {
  table[head + ".bf16"] = {unary<Bf16, Bf16, f>, 1, 1};
  table[head + ".bf16x2"] = {unary<Pair, Pair, pair1<f>>, 1, 1};
}
template <Bf16 (*f)(Bf16, Bf16)> void addNarrow2(Table &table, const std::string &head) {
  table[head + ".bf16"] = {binary<Bf16, Bf16, Bf16, f>, 1, 2};
  table[head + ".bf16x2"] = {binary<Pair, Pair, Pair, pair2<f>>, 1, 2};
}

} // namespace

void ptx::addFloats(Table &table) {
  add2<add<float>>(table, "add.rn", ".f32");
  add2<sub<float>>(table, "sub.rn", ".f32");
  add2<mul<float>>(table, "mul.rn", ".f32");
  add3<fused<float>>(table, "fma.rn", ".f32");
  table["add.rn.f32x2"] = {binary<Two, Two, Two, two2<nan2<add<float>>>>, 1, 2, Control::Next, 0, Halves::Apart};
  table["sub.rn.f32x2"] = {binary<Two, Two, Two, two2<nan2<sub<float>>>>, 1, 2, Control::Next, 0, Halves::Apart};
  table["mul.rn.f32x2"] = {binary<Two, Two, Two, two2<nan2<mul<float>>>>, 1, 2, Control::Next, 0, Halves::Apart};
  table["fma.rn.f32x2"] = {ternary<Two, Two, Two, Two, twoFused>, 1, 3, Control::Next, 0, Halves::Apart};
  for (const char *kind : {"rn", "full", "approx"})
    add2<div<float>>(table, std::string("div.") + kind, ".f32");
  for (const char *kind : {"rn", "approx"}) {
    add1<reciprocal<float>>(table, std::string("rcp.") + kind, ".f32");
    add1<root<float>>(table, std::string("sqrt.") + kind, ".f32");
  }
  add1<reciprocalRoot>(table, "rsqrt.approx", ".f32");
  add1<power2>(table, "ex2.approx", ".f32");
  add1<log2Of>(table, "lg2.approx", ".f32");
  add1<sine>(table, "sin.approx", ".f32");
  add1<cosine>(table, "cos.approx", ".f32");
  table["tanh.approx.f32"] = {unary<float, float, nan1<hyperbolicTangent>>, 1, 1};
  table["neg.f32"] = {unary<float, float, negate<float>>, 1, 1};
  table["neg.ftz.f32"] = {unary<float, float, ftz1<negate<float>>>, 1, 1};
  table["abs.f32"] = {unary<float, float, absolute<float>>, 1, 1};
  table["abs.ftz.f32"] = {unary<float, float, ftz1<absolute<float>>>, 1, 1};
  add2<smaller<float>>(table, "min", ".f32");
  add2<larger<float>>(table, "max", ".f32");
  add2<orNan<float, smaller<float>>>(table, "min", ".NaN.f32");
  add2<orNan<float, larger<float>>>(table, "max", ".NaN.f32");
  table["copysign.f32"] = {binary<float, float, float, withSign<float>>, 1, 2};

  table["add.rn.f64"] = {binary<double, double, double, add<double>>, 1, 2};
  table["sub.rn.f64"] = {binary<double, double, double, sub<double>>, 1, 2};
  table["mul.rn.f64"] = {binary<double, double, double, mul<double>>, 1, 2};
  table["div.rn.f64"] = {binary<double, double, double, div<double>>, 1, 2};
  table["fma.rn.f64"] = {ternary<double, double, double, double, fused<double>>, 1, 3};
  table["rcp.rn.f64"] = {unary<double, double, reciprocal<double>>, 1, 1};
  table["sqrt.rn.f64"] = {unary<double, double, root<double>>, 1, 1};
  table["neg.f64"] = {unary<double, double, negate<double>>, 1, 1};
  table["abs.f64"] = {unary<double, double, absolute<double>>, 1, 1};
  table["min.f64"] = {binary<double, double, double, smaller<double>>, 1, 2};
  table["max.f64"] = {binary<double, double, double, larger<double>>, 1, 2};
  table["copysign.f64"] = {binary<double, double, double, withSign<double>>, 1, 2};

  addComparisons<float>(table, "f32");
  addComparisons<double>(table, "f64");
  table["selp.f32"] = {ternary<float, float, float, uint8_t, choose<float>>, 1, 3};
  table["selp.f64"] = {ternary<double, double, double, uint8_t, choose<double>>, 1, 3};
  table["mov.f32"] = {unary<uint32_t, uint32_t, same<uint32_t>>, 1, 1};
  table["mov.f64"] = {unary<uint64_t, uint64_t, same<uint64_t>>, 1, 1};

  addNarrow2<narrow2<add<float>>>(table, "add.rn");
  addNarrow2<narrow2<sub<float>>>(table, "sub.rn");
  addNarrow2<narrow2<mul<float>>>(table, "mul.rn");
  addNarrow2<narrow2<smaller<float>>>(table, "min");
  addNarrow2<narrow2<larger<float>>>(table, "max");
  addNarrow2<narrow2<orNan<float, smaller<float>>>>(table, "min.NaN");
  addNarrow2<narrow2<orNan<float, larger<float>>>>(table, "max.NaN");
  addNarrow1<negateNarrow>(table, "neg");
  addNarrow1<absoluteNarrow>(table, "abs");
  table["fma.rn.bf16"] = {ternary<Bf16, Bf16, Bf16, Bf16, fusedNarrow>, 1, 3};
  table["fma.rn.bf16x2"] = {ternary<Pair, Pair, Pair, Pair, pair3<fusedNarrow>>, 1, 3};
}
