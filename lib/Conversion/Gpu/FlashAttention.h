//===- FlashAttention.h - Core attention by blocks of threads -------------------------------------------*- C++ -*-===//
//
// Flash attention on a GPU (Dao 2023: "FlashAttention-2"): what forward and backward share, namely sizes, places and
// masks. A block of threads has one tile of queries, or of keys, of one head, and goes over the tiles of the other side
// in order. There are no atomics, so the order of additions, and with it the bits, is always the same.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_CONVERSION_GPU_FLASHATTENTION_H
#define TX_LIB_CONVERSION_GPU_FLASHATTENTION_H

#include "../Common/Kernel.h"
#include "TileProducts.h"

#include "tx/Dialect/Tx/IR/TxOps.h"

namespace tx::simt {

class FlashAttention {
public:
  /// `sliceRows`: the rows of a slice, the part of the other side's tile whose scores a thread computes at once.
  template <typename OpT>
  FlashAttention(OpT op, emit::Kernel &kernel, const AttentionSchedule &schedule, BlockEmitter &e, int64_t sliceRows)
      : kernel(kernel), schedule(schedule), e(e), shape(describe(op)), causal(op.getCausal()),
        scale(op.getScale().convertToDouble()), probability(op.getProbability().convertToDouble()),
        q(kernel.input(op.getQ())), k(kernel.input(op.getK())), v(kernel.input(op.getV())) {
    if (op.getKey())
      random = kernel.input(op.getKey());
    site = op->template getAttrOfType<mlir::IntegerAttr>("step.immediate");
    products = schedule.hasTensorCores ? createMmaProducts(e, schedule, shape.width, sliceRows)
                                       : createSimtProducts(e, schedule, shape.width, sliceRows);
  }

  template <typename OpT> static AttentionShape describe(OpT op) {
    AttentionForm form = op.getAttentionForm();
    AttentionShape shape;
    shape.batch = form.batch;
    shape.queries = form.queries;
    shape.keys = form.keys;
    shape.heads = form.heads;
    shape.width = form.width;
    shape.keyHeads = form.keyHeads;
    shape.elementBytes = llvm::cast<mlir::RankedTensorType>(op.getQ().getType()).getElementTypeBitWidth() / 8;
    shape.isBackward = form.backward;
    return shape;
  }

protected:
  /// Which sample, which head, and which head of keys and values belongs to it; indices.
  struct Place {
    emit::Number sample, head, keyHead;
  };
  Place placeOfQueries(emit::Number row) const;
  Panel queryPanel(const emit::Buffer *buffer, const Place &place, emit::Number first) const {
    return panel(buffer, place.sample, place.head, first, shape.queries);
  }
  Panel keyPanel(const emit::Buffer *buffer, const Place &place, emit::Number first) const {
    return panel(buffer, place.sample, place.keyHead, first, shape.keys);
  }
  /// The element at which a head's log-sum-exps begin.
  emit::Number rowOfHead(const Place &place) const {
    return (place.sample * static_cast<double>(shape.heads) + place.head) * static_cast<double>(shape.queries);
  }
  /// The number of tiles of keys that a tile of queries sees, from the first tile on.
  emit::Number endOfKeys(emit::Number firstQuery) const;
  static int64_t countTiles(int64_t rows, int64_t tile) { return llvm::divideCeil(rows, tile); }
  /// A thread's column, counted from the slice's first column; i32.
  emit::Number columnAt(size_t column) const {
    return products->lanes[products->columns[column].lane] + e.word(16 * products->columns[column].sixteen);
  }

  /// If rows are queries: sets the weights of keys that a query does not see to `hidden`.
  void hideKeys(Weights &weights, emit::Number firstQuery, emit::Number firstKey, double hidden) const;
  /// If rows are queries: calls `body` for each weight with whether dropout drops it. The random words are those of
  /// `tx.dropout` on a tensor [b, a, s, t].
  void forDropped(const Place &place, emit::Number firstQuery, emit::Number otherTile,
                  llvm::function_ref<void(size_t weight, emit::Number dropped)> body) const;
  llvm::SmallVector<emit::Number, 4> wordsOf(const Place &place, emit::Number block, emit::Number query) const;
  emit::Number isDropped(emit::Number word) const {
    return emit::below(word, e.word(static_cast<uint32_t>(probability * 4294967296.0)));
  }
  double keptScale() const { return static_cast<float>(1.0 / (1.0 - probability)); }
  /// The factor of a score in the exponent of 2: scale / ln 2.
  double exponentScale() const { return static_cast<float>(scale * 1.4426950408889634); }

  emit::Kernel &kernel;
  const AttentionSchedule &schedule;
  BlockEmitter &e;
  const AttentionShape shape;
  const bool causal;
  const double scale, probability;
  const emit::Buffer *q, *k, *v, *random = nullptr;
  mlir::IntegerAttr site;
  std::unique_ptr<TileProducts> products;

private:
  Panel panel(const emit::Buffer *buffer, emit::Number sample, emit::Number head, emit::Number first,
              int64_t rows) const;
};

// Each writes the code of all blocks; a block finds its tile by its number.
void emitFlashForward(FlashAttentionOp op, emit::Kernel &kernel, const AttentionSchedule &schedule, BlockEmitter &e);
void emitFlashBackward(FlashAttentionGradOp op, emit::Kernel &kernel, const AttentionSchedule &schedule,
                       BlockEmitter &e);

} // namespace tx::simt

#endif // TX_LIB_CONVERSION_GPU_FLASHATTENTION_H
