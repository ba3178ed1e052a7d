//===- Floats.h - Numbers as the GPU has them -----------------------------------------------------------*- C++ -*-===//

#ifndef TX_TEST_GPU_EMULATOR_FLOATS_H
#define TX_TEST_GPU_EMULATOR_FLOATS_H

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace ptx {

inline uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}
inline float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

/// Any operation's NaN.
inline float canonical(float value) { return std::isnan(value) ? floatOf(0x7fffffff) : value; }
/// Denormals as zeros of their sign.
inline float flushed(float value) {
  return std::fpclassify(value) == FP_SUBNORMAL ? std::copysign(0.0f, value) : value;
}

enum class Rounding { Nearest, Zero };

struct Bf16 {
  uint16_t bits;
};
inline float widen(Bf16 value) { return floatOf(uint32_t(value.bits) << 16); }
inline Bf16 narrow(float value, Rounding rounding = Rounding::Nearest) {
  uint32_t bits = bitsOf(value);
  if (std::isnan(value))
    return {0x7fff};
  if (rounding == Rounding::Nearest)
    bits += 0x7fff + (bits >> 16 & 1);
  return {static_cast<uint16_t>(bits >> 16)};
}

} // namespace ptx

#endif // TX_TEST_GPU_EMULATOR_FLOATS_H
