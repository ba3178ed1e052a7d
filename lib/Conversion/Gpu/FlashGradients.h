//===- FlashGradients.h - The gradients of core attention -----------------------------------------------*- C++ -*-===//
//
// Blocks of keys give dK and dV, over the heads that share them and the queries that see them; blocks of queries give
// dQ. Both compute scores and probabilities again, and the row sums of dO * O of the queries that they meet: what that
// costs is small beside the products, and nothing has to wait in memory between kernels.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_CONVERSION_GPU_FLASHGRADIENTS_H
#define TX_LIB_CONVERSION_GPU_FLASHGRADIENTS_H

#include "FlashAttention.h"

namespace tx::simt {

class FlashGradients : public FlashAttention {
protected:
  FlashGradients(FlashAttentionGradOp op, emit::Kernel &kernel, const AttentionSchedule &schedule, BlockEmitter &e,
                 int64_t sliceRows);

  /// Of a tile of queries, to shared memory: log-sum-exps to base 2, and row sums. Where there is no query all weights
  /// become 0.
  void findRowSums(const Place &place, emit::Number firstQuery, int64_t rows);
  /// By a query's place in that tile, plus a constant.
  emit::Number lseOf(emit::Number row, int64_t more = 0) { return statistic(lseAt, row, more); }
  emit::Number rowSumOf(emit::Number row, int64_t more = 0) { return statistic(rowSumsAt, row, more); }

  emit::Number weightOf(emit::Number score, emit::Number lse) {
    return e.exp2(fma(score, e.constant(exponentScale(), e.f32()), lse * -1.0));
  }
  /// A weight's gradient under dropout.
  emit::Number masked(emit::Number dropped, emit::Number gradient) {
    return select(dropped, 0.0, gradient * keptScale());
  }
  static void scaleSums(llvm::MutableArrayRef<emit::Number> sums, double factor) {
    for (emit::Number &sum : sums)
      sum = sum * factor;
  }

  FlashAttentionGradOp op;
  const emit::Buffer *dy, *y, *lse;
  SharedTile own[2], others[2];

private:
  emit::Number statistic(int64_t offset, emit::Number row, int64_t more) {
    return e.loadShared(row << 2, offset + 4 * more, e.f32());
  }
  emit::Number sumOfRow(emit::Number row, emit::Number column, emit::Number part, int64_t parts);

  int64_t lseAt, rowSumsAt; // in shared memory
};

void emitKeyGradients(FlashAttentionGradOp op, emit::Kernel &kernel, const AttentionSchedule &schedule, BlockEmitter &e,
                      emit::Number unit);
void emitQueryGradients(FlashAttentionGradOp op, emit::Kernel &kernel, const AttentionSchedule &schedule,
                        BlockEmitter &e, emit::Number unit);

} // namespace tx::simt

#endif // TX_LIB_CONVERSION_GPU_FLASHGRADIENTS_H
