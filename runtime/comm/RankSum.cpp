#include "comm/RankSum.h"

#include "txrt/bf16.h"

#include <algorithm>

namespace {

// The sums of so many elements stay in the first-level cache while the operands are read.
constexpr uint64_t blockElements = 1024;

template <typename T> T same(T value) { return value; }

template <typename Stored, typename Sum, Sum (*load)(Stored), Stored (*store)(Sum)>
void sumBlocks(const void *const *from, unsigned ranks, void *to, uint64_t count) {
  Sum sums[blockElements];
  for (uint64_t at = 0; at < count; at += blockElements) {
    const uint64_t length = std::min(blockElements, count - at);
    for (unsigned rank = 0; rank < ranks; ++rank) {
      const Stored *values = static_cast<const Stored *>(from[rank]) + at;
      for (uint64_t i = 0; i < length; ++i)
        sums[i] = rank ? sums[i] + load(values[i]) : load(values[i]);
    }
    Stored *results = static_cast<Stored *>(to) + at;
    for (uint64_t i = 0; i < length; ++i)
      results[i] = store(sums[i]);
  }
}

} // namespace

void txrt::sumInOrder(const void *const *from, unsigned ranks, void *to, uint64_t count, txrt_dtype dtype) {
  switch (dtype) {
  case TXRT_DTYPE_F32:
    return sumBlocks<float, float, same, same>(from, ranks, to, count);
  case TXRT_DTYPE_BF16:
    return sumBlocks<uint16_t, float, txrt_bf16_to_f32, txrt_bf16_from_f32>(from, ranks, to, count);
  case TXRT_DTYPE_I32: // unsigned: overflow is defined
    return sumBlocks<uint32_t, uint32_t, same, same>(from, ranks, to, count);
  case TXRT_DTYPE_I1:
  case TXRT_DTYPE_BYTE:
    break;
  }
}
