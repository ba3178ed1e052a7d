//===- RankSum.h - A sum in the order of ranks ----------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_COMM_RANKSUM_H
#define TXRT_COMM_RANKSUM_H

#include "txrt/abi.h"

namespace txrt {

/// to[i] = from[0][i] + from[1][i] + ..., added from the left: in f32, rounded once at the end, for f32 and bf16; in
/// i32, which wraps, for i32. `to` may be one of `from`.
void sumInOrder(const void *const *from, unsigned ranks, void *to, uint64_t count, txrt_dtype dtype);

} // namespace txrt

#endif // TXRT_COMM_RANKSUM_H
