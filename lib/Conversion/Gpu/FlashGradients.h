//===- FlashGradients.h - The gradients of core attention -----------------------------------------------*- C++ -*-===//
//
// In backward, blocks of threads with a tile of keys compute dK and dV: they go over the heads that share the keys and
// over the queries that see them. Blocks with a tile of queries compute dQ. Both sorts compute the scores, the
// probabilities and the row sums of dO * O again: beside the products this costs little, and no intermediate result is
// stored between kernels.
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

  /// Writes the log-sum-exps (to base 2) and the row sums of dO * O for a tile of queries to shared memory. For rows of
  /// the tile after the last query it writes values that make all weights 0.
  void findRowSums(const Place &place, emit::Number firstQuery, int64_t rows);
  /// The log-sum-exp and the row sum of the tile's query `row` + `more`, from shared memory.
  emit::Number lseOf(emit::Number row, int64_t more = 0) { return statistic(lseAt, row, more); }
  emit::Number rowSumOf(emit::Number row, int64_t more = 0) { return statistic(rowSumsAt, row, more); }

  emit::Number weightOf(emit::Number score, emit::Number lse) {
    return e.exp2(fma(score, e.constant(exponentScale(), e.f32()), lse * -1.0));
  }
  /// The gradient of a weight before dropout, from that of the weight after it.
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

  int64_t lseAt, rowSumsAt; // byte offsets in shared memory
};

void emitKeyGradients(FlashAttentionGradOp op, emit::Kernel &kernel, const AttentionSchedule &schedule, BlockEmitter &e,
                      emit::Number unit);
void emitQueryGradients(FlashAttentionGradOp op, emit::Kernel &kernel, const AttentionSchedule &schedule,
                        BlockEmitter &e, emit::Number unit);

} // namespace tx::simt

#endif // TX_LIB_CONVERSION_GPU_FLASHGRADIENTS_H
