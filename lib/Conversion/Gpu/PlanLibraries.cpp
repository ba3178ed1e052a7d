//===- PlanLibraries.cpp - What cuBLASLt and cuDNN get, and compute -----------------------------------------------===//

#include "LibraryAttention.h"

#include "tx/Conversion/Gpu/Passes.h"
#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Dialect/Tx/IR/TxOps.h"

#include "txrt/abi.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tx;

namespace tx {
#define GEN_PASS_DEF_PLANGPULIBRARIES
#include "tx/Conversion/Gpu/Passes.h.inc"
} // namespace tx

/// The most scratch bytes for a product, as NVIDIA advises (https://docs.nvidia.com/cuda/cublas, cublasSetWorkspace).
static int64_t getMostScratch(int capability) { return capability >= 90 ? 32 << 20 : 4 << 20; }

// The most parts into which k is split. With more parts each would have too little of k to be worth an addition.
static constexpr int64_t kMostParts = 16;

static int64_t getScratchBytes(const GemmForm &form, int64_t most) {
  int64_t resultBytes = 0, bytes = 0;
  const int64_t sizes[] = {form.m, form.n, form.batch0, form.batch1};
  resultBytes = sizeof(float);
  for (int64_t size : sizes)
    if (llvm::MulOverflow(resultBytes, size, resultBytes))
      return most;
  if (llvm::MulOverflow(resultBytes, kMostParts, bytes))
    return most;
  return std::min<int64_t>(llvm::alignTo(bytes, TXRT_SCRATCH_ALIGNMENT), most);
}

namespace {

struct PlanGpuLibraries : tx::impl::PlanGpuLibrariesBase<PlanGpuLibraries> {
  using PlanGpuLibrariesBase::PlanGpuLibrariesBase;

  void runOnOperation() override {
    if (forget) {
      getOperation().walk([](Operation *op) {
        op->removeAttr(kScratchBytesAttr);
        op->removeAttr(kLibraryAttentionAttr);
        op->removeAttr(kEpilogueAttr);
      });
      return;
    }
    SmallVector<int> capabilities;
    if (failed(parseArchitectures(capabilities)))
      return signalPassFailure();
    int64_t most = 0;
    for (int capability : capabilities)
      most = std::max(most, getMostScratch(capability));
    getOperation().walk([&](GemmOpInterface op) { setScratch(op, getScratchBytes(op.getGemmForm(), most)); });
    if ((attention == AttentionBackend::Auto || attention == AttentionBackend::Fused) &&
        failed(planAttention(capabilities)))
      signalPassFailure();
  }

private:
  LogicalResult parseArchitectures(SmallVectorImpl<int> &capabilities) {
    for (StringRef name : architectures)
      if (!name.consume_front("sm_") || name.getAsInteger(10, capabilities.emplace_back()))
        return getOperation().emitError("takes architectures such as sm_90, found '") << name << "'";
    if (capabilities.empty())
      capabilities.push_back(90);
    return success();
  }

  static void setScratch(Operation *op, int64_t bytes) {
    op->setAttr(kScratchBytesAttr, Builder(op->getContext()).getI64IntegerAttr(bytes));
  }

  /// Marks all attention of a module for cuDNN or none, so that one word can say what ran.
  LogicalResult planAttention(ArrayRef<int> capabilities) {
    SmallVector<step::GroupOp> groups;
    SmallVector<AttentionOpInterface> alone; // in no group: fusion is still to come
    std::string obstacle;
    Operation *hindered = nullptr;
    getOperation().walk([&](AttentionOpInterface op) {
      if (auto group = dyn_cast<step::GroupOp>(op->getParentOp()))
        groups.push_back(group);
      else
        alone.push_back(op);
      if (obstacle.empty()) {
        obstacle = findObstacle(op.getAttentionForm());
        hindered = op;
      }
    });
    if (!obstacle.empty() && attention == AttentionBackend::Fused)
      return hindered->emitError("attention by cuDNN is refused: ") << obstacle;
    if (!obstacle.empty()) {
      if (!groups.empty())
        hindered->emitRemark("attention is left to generated kernels, not to cuDNN: ") << obstacle;
      return success();
    }
    auto plan = [&](Operation *op, const AttentionForm &form) {
      int64_t bytes = 0;
      for (int capability : capabilities)
        bytes = std::max(bytes, getAttentionScratchBytes(form, deterministic, capability));
      setScratch(op, bytes);
      op->setAttr(kLibraryAttentionAttr, BoolAttr::get(&getContext(), deterministic));
    };
    for (step::GroupOp group : groups) {
      group = giveAllResults(group);
      plan(group, getAttention(group).getAttentionForm());
    }
    for (AttentionOpInterface op : alone)
      plan(op, op.getAttentionForm());
    return success();
  }
};

} // namespace
