//===- Finite.h - Find NaN and Inf ----------------------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_TRAIN_FINITE_H
#define TXRT_TRAIN_FINITE_H

#include "txrt/abi.h"

#include <cstdint>
#include <optional>

namespace txrt::train {

struct Element {
  uint64_t index;
  float value;
};

/// The first f32 or bf16 element of a block that is NaN or Inf; nothing for other dtypes. It is as fast as memory.
std::optional<Element> findNonFinite(txrt_dtype dtype, const void *block, uint64_t bytes);

} // namespace txrt::train

#endif // TXRT_TRAIN_FINITE_H
