//===- Finite.cpp - Find NaN and Inf ------------------------------------------------------------------------------===//

#include "train/Finite.h"
#include "train/Safetensors.h"

#include <algorithm>
#include <cstring>

namespace txrt::train {

namespace {

float valueOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
float valueOf(uint16_t bits) { return txrt_bf16_to_f32(bits); }

/// An element is NaN or Inf when all bits of its exponent are set. The function first asks whether any element of a
/// part is: the compiler can vectorize that loop, since it does not exit early.
template <typename Bits> std::optional<Element> find(const void *block, uint64_t bytes, Bits exponent) {
  constexpr uint64_t partElements = 1024;
  Bits part[partElements];
  const uint64_t count = bytes / sizeof(Bits);
  for (uint64_t at = 0; at < count; at += partElements) {
    const uint64_t size = std::min(partElements, count - at);
    std::memcpy(part, static_cast<const char *>(block) + at * sizeof(Bits), size * sizeof(Bits));
    bool any = false;
    for (uint64_t i = 0; i < size; ++i)
      any |= (part[i] & exponent) == exponent;
    if (!any)
      continue;
    for (uint64_t i = 0; i < size; ++i)
      if ((part[i] & exponent) == exponent)
        return Element{at + i, valueOf(part[i])};
  }
  return std::nullopt;
}

} // namespace

std::optional<Element> findNonFinite(txrt_dtype dtype, const void *block, uint64_t bytes) {
  if (dtype == TXRT_DTYPE_F32)
    return find<uint32_t>(block, bytes, 0x7f800000);
  if (dtype == TXRT_DTYPE_BF16)
    return find<uint16_t>(block, bytes, 0x7f80);
  return std::nullopt;
}

} // namespace txrt::train
