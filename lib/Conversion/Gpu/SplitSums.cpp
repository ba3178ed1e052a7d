//===- SplitSums.cpp - Sums over rows beside what reads the rows --------------------------------------------------===//

#include "KernelSchedule.h"

#include "tx/Conversion/Gpu/Passes.h"

#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

namespace tx {
#define GEN_PASS_DEF_SPLITROWSUMS
#include "tx/Conversion/Gpu/Passes.h.inc"
} // namespace tx

using namespace mlir;
using namespace tx;

/// Whether the rows that the op sums are also read by an op of backward that becomes a kernel of rows of the same
/// shape. This is so in every step or in none: what a policy recomputes does not change it.
static bool isReadByRow(PartialSumsOpInterface op) {
  auto space = cast<KernelOpInterface>(op.getOperation()).getKernelSpace();
  return llvm::any_of(op.getSummedRows().getUsers(), [&](Operation *user) {
    auto kernel = dyn_cast<KernelOpInterface>(user);
    auto scoped = dyn_cast<ScopedOpInterface>(user);
    return kernel && kernel.getKernelKind() == KernelKind::Row && kernel.getKernelSpace() == space && scoped &&
           scoped.getScope().getSegment() == Segment::Backward;
  });
}

namespace {
struct SplitRowSums : tx::impl::SplitRowSumsBase<SplitRowSums> {
  using SplitRowSumsBase::SplitRowSumsBase;

  void runOnOperation() override {
    const simt::GpuArchitecture *architecture = simt::findArchitecture(arch);
    if (!architecture) {
      getOperation().emitError("takes an architecture such as sm_90, found '") << arch << "'";
      return signalPassFailure();
    }
    getOperation().walk([&](PartialSumsOpInterface op) {
      if (!isReadByRow(op))
        return;
      simt::KernelShape shape;
      std::tie(shape.rows, shape.columns) = cast<KernelOpInterface>(op.getOperation()).getKernelSpace();
      shape.elementBytes = getElementTypeOrSelf(op.getSummedRows().getType()).getIntOrFloatBitWidth() / 8;
      int64_t parts = simt::countRowParts(shape, *architecture);
      if (parts == 0)
        return;
      OpBuilder builder(op);
      op->replaceAllUsesWith(op.buildInParts(builder, parts));
      op.erase();
    });
  }
};
} // namespace
