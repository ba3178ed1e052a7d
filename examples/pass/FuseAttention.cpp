//===- FuseAttention.cpp - A pass of one's own, as a plug-in of tx-opt and tx-compile -----------------------------===//
//
// A model may write attention in its parts: scores, softmax, dropout, product with V. This pass makes them one op,
// tx.flash_attention, which computes the same and saves neither scores nor probabilities for backward:
//
//   %s = tx.attention_scores %q, %k heads 2 scale 0.5 in <…>      %o, %lse = tx.flash_attention %q, %k, %v heads 2
//   %p = tx.softmax %s causal in <…>                         =>       scale 0.5 causal dropout %key p 0.1 in <…>
//   %d = tx.dropout %p, %key p 0.1 in <…>
//   %o = tx.attention_context %d, %v in <…>
//
// It asks for ops by their C++ types. That works across libraries since plug-in and program share one libTxCompiler.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Tools/Plugins/PassPlugin.h"

using namespace mlir;

namespace {

/// The widest head of tx.flash_attention.
constexpr int64_t kWidestHead = 256;

/// The op that makes the value, if it has this type and nobody else reads the value. (Backward would: so this finds
/// nothing behind the phase `model`.)
template <typename Op> Op findOnlyFor(Value value) { return value.hasOneUse() ? value.getDefiningOp<Op>() : Op(); }

struct FuseAttention : PassWrapper<FuseAttention, OperationPass<>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(FuseAttention)

  StringRef getArgument() const override { return "fuse-attention"; }
  StringRef getDescription() const override { return "make attention in its parts one tx.flash_attention"; }

  void runOnOperation() override {
    getOperation()->walk([](tx::AttentionContextOp context) { fuse(context); });
  }

  static void fuse(tx::AttentionContextOp context) {
    auto dropout = findOnlyFor<tx::DropoutOp>(context.getP());
    auto softmax = findOnlyFor<tx::SoftmaxOp>(dropout ? dropout.getX() : context.getP());
    auto scores = softmax ? findOnlyFor<tx::AttentionScoresOp>(softmax.getX()) : nullptr;
    bool isProduct = !context.getTransposed() && context.getScale().isExactlyValue(1.0);
    if (!scores || !isProduct)
      return;
    int64_t heads = scores.getHeads();
    int64_t columns = scores.getQ().getType().getDimSize(2);
    if (scores.getK().getType() != context.getV().getType() || columns < scores.getK().getType().getDimSize(2) ||
        columns / heads > kWidestHead)
      return;

    OpBuilder builder(context);
    auto flash = tx::FlashAttentionOp::create(
        builder, context.getLoc(), scores.getQ(), scores.getK(), context.getV(), dropout ? dropout.getKey() : Value(),
        heads, scores.getScale(), softmax.getCausal(), dropout ? dropout.getProbability() : llvm::APFloat(0.0),
        context.getScope());
    context.getResult().replaceAllUsesWith(flash.getResult());
    context.erase();
    if (dropout)
      dropout.erase();
    softmax.erase();
    scores.erase();
  }
};

} // namespace

/// What tx-opt and tx-compile look for in a plug-in.
extern "C" PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "fuse-attention", "0.1", [] { PassRegistration<FuseAttention>(); }};
}
