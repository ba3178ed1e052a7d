//===- DataParallel.cpp - tx-data-parallel: parts of the batch ----------------------------------------------------===//

#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Parallel/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace tx {
#define GEN_PASS_DEF_TXDATAPARALLELPASS
#include "tx/Parallel/Passes.h.inc"
} // namespace tx

using namespace mlir;
using namespace tx;

namespace {

/// The mesh axis has Megatron's name for it.
constexpr llvm::StringLiteral kAxis = "dp";

struct TxDataParallelPass : public tx::impl::TxDataParallelPassBase<TxDataParallelPass> {
  using Base::Base;

  void runOnOperation() override {
    if (size != 1 && failed(splitBatch()))
      signalPassFailure();
  }

private:
  LogicalResult splitBatch() {
    if (size < 1 || size > kMaxRanks)
      return getOperation().emitError("option size is ") << int64_t(size) << ", must be 1 to " << kMaxRanks;
    if (Operation *taken = getOperation().lookupSymbol(kAxis))
      return taken->emitError("@") << kAxis << " exists already; is the batch split?";
    auto builder = OpBuilder::atBlockBegin(getOperation().getBody());
    MeshAxisOp::create(builder, getOperation().getLoc(), kAxis, size,
                       AxisKindAttr::get(&getContext(), AxisKind::Batch));
    for (auto loss : getOperation().getOps<func::FuncOp>())
      if (loss->hasAttr("tx.train") && !loss.isExternal())
        sumResults(loss);
    return success();
  }

  void sumResults(func::FuncOp loss) {
    for (Block &block : loss.getBody()) {
      auto returned = dyn_cast<func::ReturnOp>(block.getTerminator());
      if (!returned)
        continue;
      OpBuilder builder(returned);
      for (OpOperand &result : returned->getOpOperands()) {
        auto scoped = dyn_cast_or_null<ScopedOpInterface>(result.get().getDefiningOp());
        auto scope = scoped ? scoped.getScope() : ScopeAttr::get(&getContext(), Segment::Forward, -1, "loss");
        result.set(AllReduceOp::create(builder, loss.getLoc(), result.get().getType(), result.get(),
                                       FlatSymbolRefAttr::get(&getContext(), kAxis), scope));
      }
    }
  }
};

} // namespace
