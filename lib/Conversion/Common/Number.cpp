//===- Number.cpp - Operators and elementary functions ------------------------------------------------------------===//

#include "Emitter.h"

#include <cmath>

using namespace mlir;
using namespace tx::emit;

using Binary = Emitter::Op;
using Compare = Emitter::Compare;

namespace tx::emit {

Number operator+(Number a, Number b) { return a.emitter->binary(Binary::Add, a, b); }
Number operator-(Number a, Number b) { return a.emitter->binary(Binary::Sub, a, b); }
Number operator*(Number a, Number b) { return a.emitter->binary(Binary::Mul, a, b); }
Number operator/(Number a, Number b) { return a.emitter->binary(Binary::Div, a, b); }
Number operator+(Number a, double b) { return a + a.emitter->like(a, b); }
Number operator-(Number a, double b) { return a - a.emitter->like(a, b); }
Number operator*(Number a, double b) { return a * a.emitter->like(a, b); }
Number operator/(Number a, double b) { return a / a.emitter->like(a, b); }
Number operator+(double a, Number b) { return b.emitter->like(b, a) + b; }
Number operator-(double a, Number b) { return b.emitter->like(b, a) - b; }
Number operator*(double a, Number b) { return b.emitter->like(b, a) * b; }
Number operator/(double a, Number b) { return b.emitter->like(b, a) / b; }

static Number integerLike(Number a, int64_t b) { return a.emitter->integer(b, a.value.getType()); }

Number operator%(Number a, int64_t b) { return a.emitter->binary(Binary::Rem, a, integerLike(a, b)); }
Number operator^(Number a, Number b) { return a.emitter->binary(Binary::Xor, a, b); }
Number operator&(Number a, Number b) { return a.emitter->binary(Binary::And, a, b); }
Number operator|(Number a, Number b) { return a.emitter->binary(Binary::Or, a, b); }
Number operator<<(Number a, int64_t bits) { return a.emitter->binary(Binary::Shl, a, integerLike(a, bits)); }
Number operator>>(Number a, int64_t bits) { return a.emitter->binary(Binary::Shr, a, integerLike(a, bits)); }

Number operator<(Number a, Number b) { return a.emitter->compare(Compare::Less, a, b); }
Number operator>(Number a, Number b) { return a.emitter->compare(Compare::Greater, a, b); }
Number operator<=(Number a, Number b) { return a.emitter->compare(Compare::LessEqual, a, b); }
Number operator==(Number a, Number b) { return a.emitter->compare(Compare::Equal, a, b); }
Number operator!=(Number a, Number b) { return a.emitter->compare(Compare::NotEqual, a, b); }
Number operator<(Number a, double b) { return a < a.emitter->like(a, b); }
Number operator>(Number a, double b) { return a > a.emitter->like(a, b); }
Number operator==(Number a, double b) { return a == a.emitter->like(a, b); }
Number operator!=(Number a, double b) { return a != a.emitter->like(a, b); }
Number below(Number a, Number b) { return a.emitter->compare(Compare::Below, a, b); }

Number select(Number condition, Number a, double b) { return select(condition, a, a.emitter->like(a, b)); }
Number select(Number condition, double a, Number b) { return select(condition, b.emitter->like(b, a), b); }
Number larger(Number a, Number b) { return select(a > b, a, b); }

Number exp2(Number x) { return x.emitter->exp2(x); }
Number quotient(Number a, Number b) { return a.emitter->quotient(a, b); }
Number root(Number a) { return a.emitter->root(a); }

// exp(x) is 2^n times a polynomial in r, |r| <= ln 2 / 2: the minimax polynomial of exp by relative error (3e-9).
// Adding kMagic = 1.5 2^23 rounds to n, and the low bits of the sum are n as an integer, ready to become an exponent;
// also if x is NaN.
static constexpr double kMagic = 12582912.0;

static Number limit(Number x, double least, double greatest) {
  Number t = select(x < least, least, x);
  return select(t > greatest, greatest, t);
}

/// e^r 2^n, where `shifted` is n + kMagic; 0 if x is below `least`.
static Number power(Number r, Number shifted, Number x, double least) {
  constexpr double c[] = {0.49999993412490173, 0.16666520107833427, 0.04166839421332109, 0.008368780409864668,
                          0.001381446693454923};
  Emitter &e = *x.emitter;
  auto number = [&](double value) { return e.like(x, value); };
  Number p = number(c[4]);
  for (int i = 3; i >= 0; --i)
    p = fma(p, r, number(c[i]));
  p = fma(p, r, number(1.0));
  p = fma(p, r, number(1.0));
  Number power = (bitcast(shifted, e.i32()) << 23) + static_cast<double>(0x3f800000);
  return select(x < least, 0.0, p * bitcast(power, e.f32()));
}

Number exp(Number x) {
  constexpr double least = -87.3, greatest = 88.0;
  constexpr double ln2High = 0.693147182464599609375, ln2Low = -1.9046542121259336e-09;
  Emitter &e = *x.emitter;
  Number t = limit(x, least, greatest);
  Number shifted = fma(t, e.like(x, 1.0 / M_LN2), e.like(x, kMagic));
  Number n = shifted - kMagic;
  Number r = fma(n, e.like(x, -ln2High), t);
  return power(fma(n, e.like(x, -ln2Low), r), shifted, x, least);
}

Number Emitter::exp2(Number x) {
  constexpr double least = -126.0, greatest = 127.0;
  Number t = limit(x, least, greatest);
  Number shifted = t + kMagic;
  return power((t - (shifted - kMagic)) * M_LN2, shifted, x, least);
}

// x = 2^k m with m in [sqrt(1/2), sqrt(2)). log m = 2 atanh(s) with s = (m - 1) / (m + 1), by its series: s^2 < 0.03,
// so eight terms give an error of 1e-13.
Number log(Number x) {
  Emitter &e = *x.emitter;
  Type i64 = IntegerType::get(x.value.getContext(), 64);
  Number bits = bitcast(convert(x, e.f64()), i64);
  constexpr int64_t sqrtHalf = 0x3fe6a09e667f3bcd, fraction = (int64_t(1) << 52) - 1;
  Number offset = bits - integerLike(bits, sqrtHalf);
  Number k = convert((offset >> 52), e.i32()) << 20; // the top 12 bits, so that their sign is that of the i32
  Number exponent = convert(k, e.f64()) / 1048576.0;
  Number m = bitcast((offset & integerLike(bits, fraction)) + integerLike(bits, sqrtHalf), e.f64());
  Number s = (m - 1.0) / (m + 1.0);
  Number s2 = s * s;
  Number series = e.like(s, 1.0 / 15);
  for (int odd = 13; odd >= 1; odd -= 2)
    series = fma(series, s2, e.like(s, 1.0 / odd));
  Number result = fma(exponent, e.like(s, M_LN2), 2.0 * s * series);
  // For infinity and NaN the exponent means nothing: return x.
  Number finite = x < e.like(x, INFINITY);
  return select(finite, convert(result, e.f32()), x);
}

// x = k pi/2 + r with |r| <= pi/4: adding 1.5 2^52 rounds to k, whose low bits say the quadrant. pi/2 comes in two
// parts, so that r has an error of 1e-16 k at most. The Taylor series of r have errors below 1e-11.
std::pair<Number, Number> cosAndSin(Number angle) {
  constexpr double magic = 6755399441055744.0, halfPi = 1.5707963267948966, halfPiRest = 6.123233995736766e-17;
  Emitter &e = *angle.emitter;
  Number x = convert(angle, e.f64());
  Number shifted = fma(x, e.like(x, M_2_PI), e.like(x, magic));
  Number k = shifted - magic;
  Number r = fma(k, e.like(x, -halfPiRest), fma(k, e.like(x, -halfPi), x)), r2 = r * r;
  auto series = [&](ArrayRef<double> coefficients) {
    Number sum = e.like(x, coefficients.back());
    for (double next : llvm::reverse(coefficients.drop_back()))
      sum = fma(sum, r2, e.like(x, next));
    return sum;
  };
  Number sine = r * series({1.0, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800});
  Number cosine = series({1.0, -1.0 / 2, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800, 1.0 / 479001600});
  Number quadrant = bitcast(shifted, IntegerType::get(x.value.getContext(), 64));
  Number isOdd = (quadrant & integerLike(quadrant, 1)) != 0.0;
  auto signedBy = [&](Number value, Number bits) {
    return select((bits & integerLike(bits, 2)) != 0.0, value * -1.0, value);
  };
  return {convert(signedBy(select(isOdd, sine, cosine), quadrant + integerLike(quadrant, 1)), e.f32()),
          convert(signedBy(select(isOdd, cosine, sine), quadrant), e.f32())};
}

Number roundTo(Number a, Type element) { return element.isBF16() ? a.emitter->roundToBf16(a) : a; }

Number Emitter::roundToBf16(Number a) {
  Number bits = bitcast(a, i32());
  Number nearestEven = bits + ((bits >> 16) & integerLike(bits, 1)) + static_cast<double>(0x7fff);
  Number quiet = bits | integerLike(bits, 0x400000);
  Number kept = select(a != a, quiet, nearestEven) & integerLike(bits, 0xffff0000);
  return bitcast(kept, f32());
}

} // namespace tx::emit
