//===- JoinHead.cpp - tx-join-head: the head and its loss as one op -----------------------------------------------===//

#include "Functions.h"

#include "tx/Autodiff/Passes.h"

namespace tx {
#define GEN_PASS_DEF_TXJOINHEADPASS
#include "tx/Autodiff/Passes.h.inc"
} // namespace tx

using namespace mlir;
using namespace tx;

namespace {

struct TxJoinHeadPass : public tx::impl::TxJoinHeadPassBase<TxJoinHeadPass> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> loss = findLoss(getOperation());
    if (failed(loss))
      return signalPassFailure();
    if (!*loss)
      return;
    for (auto reduce : llvm::to_vector(loss->getOps<ReduceLossOp>())) {
      OpBuilder builder(reduce);
      auto joined = LinearCrossEntropyOp::join(builder, reduce);
      if (!joined)
        continue;
      reduce->replaceAllUsesWith(joined);
      Operation *entropy = reduce.getLosses().getDefiningOp();
      Operation *product = entropy->getOperand(0).getDefiningOp();
      for (Operation *op : {reduce.getOperation(), entropy, product})
        op->erase();
    }
  }
};

} // namespace
