//===- Narrow.h - bf16 and f32 --------------------------------------------------------------------------*- C++ -*-===//

#ifndef TX_TEST_RUNTIME_FAKECUDA_NARROW_H
#define TX_TEST_RUNTIME_FAKECUDA_NARROW_H

#include <cstdint>
#include <cstring>

namespace fake {

inline float widen(uint16_t narrow) {
  uint32_t bits = uint32_t(narrow) << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}
/// To the nearest, ties to even; NaN stays NaN.
inline uint16_t narrow(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits = value != value ? 0x7fff0000 : bits + 0x7fff + (bits >> 16 & 1);
  return static_cast<uint16_t>(bits >> 16);
}

} // namespace fake

#endif // TX_TEST_RUNTIME_FAKECUDA_NARROW_H
