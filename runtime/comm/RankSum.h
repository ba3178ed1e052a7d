//===- RankSum.h - A sum in the order of ranks ----------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_COMM_RANKSUM_H
#define TXRT_COMM_RANKSUM_H

#include "txrt/abi.h"

namespace txrt {

/// to[i] = from[0][i] + from[1][i] + ..., added from left to right, for `count` elements. f32 and bf16 are added in f32
/// and rounded once at the end; i32 is added in i32 and wraps. `to` may be one of `from`.
void sumInOrder(const void *const *from, unsigned ranks, void *to, uint64_t count, txrt_dtype dtype);

} // namespace txrt

#endif // TXRT_COMM_RANKSUM_H
