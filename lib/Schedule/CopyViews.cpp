//===- CopyViews.cpp - A copy where a view can not be used --------------------------------------------------------===//
//
// Slices, and the parts of concats, are columns of a wider tensor, so their rows do not lie side by side. Most kernels
// can read and write such columns. The pass inserts a copy for an op that can not, and for a part of a concat (of
// columns or of rows) that already has a place elsewhere. So later passes need not check either.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Schedule/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace tx;

namespace tx {
#define GEN_PASS_DEF_COPYVIEWSPASS
#include "tx/Schedule/Passes.h.inc"
} // namespace tx

namespace {

/// `op` as a view whose parts are columns of the whole; null if it is none.
ViewOpInterface getView(Operation *op) {
  auto view = dyn_cast_or_null<ViewOpInterface>(op);
  return view && !view.hasRuns() ? view : nullptr;
}
/// Whether the parts of a view are written where the whole lies, columns or rows.
bool isConcat(ViewOpInterface view) { return view.getViewedWhole().getDefiningOp() == view && !view.packsState(); }

class Copier {
public:
  explicit Copier(Block &block) : block(block) {}

  void run() {
    // From the last concat to the first, as tx-place-memory gives places: if two concats have a part in common, the
    // later one has it in place.
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (auto view = dyn_cast<ViewOpInterface>(op); view && isConcat(view))
        for (OpOperand &part : op.getOpOperands())
          placePart(part);
    for (Operation &op : llvm::make_early_inc_range(block))
      if (!getView(&op))
        for (OpOperand &operand : op.getOpOperands())
          if (areRowsApart(operand.get()) && !takesColumns(operand))
            copy(operand);
  }

private:
  /// Marks the part of a concat as written in its place, or inserts a copy that is.
  void placePart(OpOperand &part) {
    Value value = part.get();
    if (placed.contains(value) || !mayBePlaced(part))
      copy(part);
    placed[part.get()] = part.getOwner();
  }

  bool mayBePlaced(OpOperand &part) {
    auto result = dyn_cast<OpResult>(part.get());
    if (!result || !isa<KernelOpInterface>(result.getOwner()) || isa<ViewOpInterface>(result.getOwner()))
      return false;
    auto kernel = cast<KernelOpInterface>(result.getOwner());
    auto accumulating = dyn_cast<AccumulatingOpInterface>(result.getOwner());
    if (accumulating &&
        llvm::any_of(accumulating.getTies(), [&](auto tie) { return tie.second == result.getResultNumber(); }))
      return false;
    // Whether the rows of the part lie side by side in the concat too.
    if (getRows(result.getType()) == 1 || part.getOwner()->getNumOperands() == 1 || !getView(part.getOwner()))
      return true;
    return kernel.givesColumns(result.getResultNumber()) && llvm::all_of(result.getUses(), takesColumns);
  }

  bool areRowsApart(Value value) const {
    if (getRowsOf(value) <= 1)
      return false;
    ViewOpInterface view = getView(value.getDefiningOp());
    if (view && isConcat(view))
      view = nullptr;
    if (!view)
      view = getView(placed.lookup(value));
    if (!view)
      return false;
    Value whole = view.getViewedWhole();
    return getColumns(whole.getType()) != getColumns(value.getType()) || areRowsApart(whole);
  }
  static int64_t getRowsOf(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    return type && type.hasStaticShape() ? getRows(type) : 1;
  }

  static bool takesColumns(OpOperand &use) {
    auto kernel = dyn_cast<KernelOpInterface>(use.getOwner());
    return kernel && kernel.takesColumns(use.getOperandNumber());
  }

  static ScopeAttr getScope(OpOperand &use) {
    auto user = dyn_cast<ScopedOpInterface>(use.getOwner());
    auto scoped = user ? user : cast<ScopedOpInterface>(use.get().getDefiningOp());
    return scoped.getScope();
  }

  static void copy(OpOperand &use) {
    OpBuilder builder(use.getOwner());
    use.set(CastOp::create(builder, use.getOwner()->getLoc(), use.get().getType(), use.get(), getScope(use)));
  }

  Block &block;
  DenseMap<Value, Operation *> placed; // for each part: the concat in which it lies
};

struct CopyViews : tx::impl::CopyViewsPassBase<CopyViews> {
  void runOnOperation() override {
    if (getOperation().getBody().hasOneBlock()) // tx-fuse-kernels reports functions of several blocks
      Copier(getOperation().getBody().front()).run();
  }
};

} // namespace
