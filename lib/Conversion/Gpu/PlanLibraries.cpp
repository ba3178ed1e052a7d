//===- PlanLibraries.cpp - What cuBLASLt does for a product, with what ----===//

#include "tx/Conversion/Gpu/Passes.h"

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Dialect/Tx/IR/TxOps.h"

#include "txrt/abi.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tx;

namespace tx {
#define GEN_PASS_DEF_PLANGPULIBRARIES
#include "tx/Conversion/Gpu/Passes.h.inc"
} // namespace tx

/// NVIDIA's advice: https://docs.nvidia.com/cuda/cublas, cublasSetWorkspace.
static int64_t getMostScratch(int capability) { return capability >= 90 ? 32 << 20 : 4 << 20; }

// More parts than this leave each too little of k to be worth a sum.
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

/// The library adds a row of C's type.
static bool addsBias(const GemmForm &form) {
  return form.bias && form.batch0 * form.batch1 == 1 &&
         cast<RankedTensorType>(form.bias.getType()).getElementType() ==
             cast<RankedTensorType>(form.c.value.getType()).getElementType();
}

namespace {

struct PlanGpuLibraries : tx::impl::PlanGpuLibrariesBase<PlanGpuLibraries> {
  using PlanGpuLibrariesBase::PlanGpuLibrariesBase;

  void runOnOperation() override {
    int capability = 0;
    if (!StringRef(arch).starts_with("sm_") || StringRef(arch).drop_front(3).getAsInteger(10, capability)) {
      getOperation().emitError("takes an architecture such as sm_90, found '") << arch << "'";
      return signalPassFailure();
    }
    Builder builder(&getContext());
    getOperation().walk([&](GemmOpInterface op) {
      GemmForm form = op.getGemmForm();
      op->setAttr(kScratchBytesAttr, builder.getI64IntegerAttr(getScratchBytes(form, getMostScratch(capability))));
      if (addsBias(form))
        op->setAttr(kEpilogueAttr, step::EpilogueAttr::get(&getContext(), step::Epilogue::Bias));
    });
  }
};

} // namespace
