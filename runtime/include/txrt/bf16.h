//===- bf16.h - How an f32 is rounded to a bf16 -----------------------------------------------------------*- C -*-===//
//
// Kernels, runtime and tools round by one rule (docs/Rationale/cpu-memory.md): to the nearest bf16, ties to even.
// Subnormal numbers are kept. A number beyond the largest bf16 becomes an infinity. A NaN keeps its sign and the upper
// bits of its payload, and becomes quiet.
//
//   uint16_t bits = txrt_bf16_from_f32(1.0f / 3);
//   float rounded = txrt_bf16_to_f32(bits);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BF16_H
#define TXRT_BF16_H

#include <stdint.h>
#include <string.h>

static inline float txrt_bf16_to_f32(uint16_t bits) {
  uint32_t wide = (uint32_t)bits << 16;
  float value;
  memcpy(&value, &wide, sizeof value);
  return value;
}

static inline uint16_t txrt_bf16_from_f32(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffff) > 0x7f800000)
    return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

#endif /* TXRT_BF16_H */
