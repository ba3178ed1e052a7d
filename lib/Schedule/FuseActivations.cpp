//===- FuseActivations.cpp - A product and its activation as one op -----------------------------------------------===//
//
// Runs on the joint function, before rematerialization: the same products and activations are fused under every policy.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "LibraryEpilogues.h"

#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Schedule/Passes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;
using namespace tx;

namespace tx {
#define GEN_PASS_DEF_FUSEACTIVATIONSPASS
#include "tx/Schedule/Passes.h.inc"
} // namespace tx

static Segment getSegment(Operation *op) { return cast<ScopedOpInterface>(op).getScope().getSegment(); }

namespace {

struct FuseActivations : tx::impl::FuseActivationsPassBase<FuseActivations> {
  using FuseActivationsPassBase::FuseActivationsPassBase;

  void runOnOperation() override {
    SmallVector<ActivationOpInterface> activations;
    Operation *replay = nullptr;
    getOperation().walk([&](ScopedOpInterface op) {
      if (auto activation = dyn_cast<ActivationOpInterface>(op.getOperation()))
        activations.push_back(activation);
      if (op.getScope().getSegment() == Segment::Recompute)
        replay = op;
    });
    if (replay) {
      replay->emitOpError("is a recomputation; tx-fuse-activations comes before tx-rematerialize, since a fused "
                          "activation has other bits than one that is recomputed alone");
      return signalPassFailure();
    }
    unsigned count = llvm::count_if(activations, [&](ActivationOpInterface op) { return fuse(op); });
    if (obstacle.empty() && count == 0)
      getOperation().emitRemark("no activation is computed beside a product: none reads a product's result alone");
    if (!obstacle.empty())
      hindered->emitRemark("an activation is left to a kernel, not computed beside the product: ") << obstacle;
  }

private:
  bool fuse(ActivationOpInterface activation) {
    Value value = activation.getProductValue();
    auto product = value.getDefiningOp<GemmOpInterface>();
    if (!product || product->getBlock() != activation->getBlock() || getSegment(product) != getSegment(activation))
      return false;
    // If only the activation reads the product, the fused op stands in the activation's place: the activation's other
    // operands may be computed after the product.
    OpBuilder builder(value.hasOneUse() ? activation.getOperation() : product.getOperation());
    Operation *fused = product.buildWithActivation(builder, activation);
    if (!fused)
      return false;
    bool givesProduct = fused->getNumResults() > 1;
    std::string reason = findObstacle(cast<GemmOpInterface>(fused).getGemmForm(), /*replaced=*/value);
    if (!reason.empty() && obstacle.empty()) {
      obstacle = reason;
      hindered = product;
    }
    if (!reason.empty() || (!givesProduct && !value.hasOneUse())) {
      fused->erase();
      return false;
    }
    fused->setDiscardableAttrs(product->getDiscardableAttrDictionary());
    activation->getResult(0).replaceAllUsesWith(fused->getResult(0));
    activation->erase();
    if (givesProduct)
      value.replaceAllUsesWith(fused->getResult(1));
    product->erase();
    return true;
  }

  std::string obstacle; // why the first activation that was not fused was not
  Operation *hindered = nullptr;
};

} // namespace
