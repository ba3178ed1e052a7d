//===- ExpandOps.cpp - Kernels in the place of ops that are none --------------------------------------------------===//

#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Schedule/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace tx;

namespace tx {
#define GEN_PASS_DEF_EXPANDOPSPASS
#include "tx/Schedule/Passes.h.inc"
} // namespace tx

namespace {

struct ExpandOps : tx::impl::ExpandOpsPassBase<ExpandOps> {
  void runOnOperation() override {
    SmallVector<ExpandableOpInterface> ops;
    getOperation().walk([&](ExpandableOpInterface op) { ops.push_back(op); });
    for (ExpandableOpInterface op : ops) {
      OpBuilder builder(op);
      op->replaceAllUsesWith(op.expand(builder));
      op->erase();
    }
  }
};

} // namespace
