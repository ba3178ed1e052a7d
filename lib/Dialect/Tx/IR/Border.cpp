//===- Border.cpp - The ops of backward that forward's last kernel computes ---------------------------------------===//

#include "tx/Dialect/Tx/IR/Border.h"

#include "tx/Dialect/Tx/IR/TxInterfaces.h"

using namespace mlir;
using namespace tx;

static std::optional<Segment> getSegment(Operation *op) {
  auto scoped = dyn_cast_or_null<ScopedOpInterface>(op);
  return scoped ? std::optional(scoped.getScope().getSegment()) : std::nullopt;
}

/// Whether one kernel can compute both ops: each is a row op, and their rows are alike.
static bool isRowOpLike(Operation *op, KernelOpInterface other) {
  auto kernel = dyn_cast_or_null<KernelOpInterface>(op);
  return kernel && kernel.getKernelKind() == KernelKind::Row && kernel.getKernelSpace() == other.getKernelSpace();
}

/// Whether the op is a loss of forward whose kernel can compute `gradient` too.
static bool isLossOf(Operation *op, KernelOpInterface gradient) {
  if (getSegment(op) != Segment::Forward || !isRowOpLike(op, gradient))
    return false;
  auto evaluated = dyn_cast<EvaluationOpInterface>(op);
  return evaluated && evaluated.getPrediction();
}

/// The row ops with which backward begins, up to the first op that is something else.
static SmallVector<KernelOpInterface> getFirstRowOpsOfBackward(Block &block) {
  SmallVector<KernelOpInterface> ops;
  for (Operation &op : block) {
    std::optional<Segment> segment = getSegment(&op);
    if (!segment || segment == Segment::Forward)
      continue;
    auto kernel = dyn_cast<KernelOpInterface>(op);
    if (segment != Segment::Backward || !kernel || kernel.getKernelKind() != KernelKind::Row)
      break;
    ops.push_back(kernel);
  }
  return ops;
}

/// The loss that the op is the gradient of; the last one, if it reads several. Null if it reads none.
static Operation *findLoss(KernelOpInterface gradient) {
  Operation *loss = nullptr;
  for (Value operand : gradient->getOperands())
    if (Operation *def = operand.getDefiningOp(); isLossOf(def, gradient) && (!loss || loss->isBeforeInBlock(def)))
      loss = def;
  return loss;
}

BorderOps tx::findBorderOps(Region &body) {
  if (body.empty())
    return {};
  BorderOps border;
  BorderOps ofArguments; // ops that read arguments alone: a kernel before the loss's can compute them
  Operation *loss = nullptr;
  auto isThere = [&](Value value) { // when the loss's kernel runs
    Operation *def = value.getDefiningOp();
    return !def || def == loss || border.contains(def) || ofArguments.contains(def) || def->isBeforeInBlock(loss);
  };
  for (KernelOpInterface op : getFirstRowOpsOfBackward(body.front())) {
    if (llvm::all_of(op->getOperands(), llvm::IsaPred<BlockArgument>)) {
      ofArguments.insert(op);
      continue;
    }
    if (!loss)
      loss = findLoss(op);           // the first gradient decides which one
    auto goesOn = [&](Value value) { // with what the kernel has of a row
      Operation *def = value.getDefiningOp();
      return isLossOf(def, op) || (border.contains(def) && isRowOpLike(def, op));
    };
    if (!loss || llvm::none_of(op->getOperands(), goesOn) || !llvm::all_of(op->getOperands(), isThere))
      break;
    border.insert(op);
  }
  auto isBorderOp = [&](Operation *user) { return border.contains(user); };
  for (Operation *op : ofArguments)
    if (!op->use_empty() && llvm::all_of(op->getUsers(), isBorderOp))
      border.insert(op);
  return border;
}
