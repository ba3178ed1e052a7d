//===- Border.cpp - What of backward forward's last kernel computes -----------------------------------------------===//

#include "tx/Dialect/Tx/IR/Border.h"

#include "tx/Dialect/Tx/IR/TxInterfaces.h"

using namespace mlir;
using namespace tx;

static bool isForward(Operation *op) {
  auto scoped = dyn_cast_or_null<ScopedOpInterface>(op);
  return scoped && scoped.getScope().getSegment() == Segment::Forward;
}

static bool isLoss(Operation *op) {
  auto evaluated = dyn_cast<EvaluationOpInterface>(op);
  return evaluated && evaluated.getPrediction();
}

BorderOps tx::findBorderOps(Region &body) {
  BorderOps border, early;   // early: of arguments alone
  Operation *last = nullptr; // the loss: its kernel is the one
  /// Whether the op joins `last`, or the loss that it finds for it.
  auto joins = [&](KernelOpInterface op) {
    auto isAlike = [&](Operation *def) {
      auto kernel = dyn_cast_or_null<KernelOpInterface>(def);
      return kernel && kernel.getKernelKind() == KernelKind::Row && kernel.getKernelSpace() == op.getKernelSpace();
    };
    bool takesValue = false;
    for (Value operand : op->getOperands()) {
      Operation *def = operand.getDefiningOp();
      bool isCandidate = isForward(def) && isLoss(def) && isAlike(def);
      if (border.empty() && isCandidate && (!last || last->isBeforeInBlock(def)))
        last = def;
      takesValue |= isAlike(def) && (isCandidate || border.contains(def));
    }
    return takesValue && last && llvm::all_of(op->getOperands(), [&](Value operand) {
             Operation *def = operand.getDefiningOp();
             return !def || def == last || border.contains(def) || early.contains(def) || def->isBeforeInBlock(last);
           });
  };
  if (body.empty())
    return border;
  for (Operation &op : body.front()) {
    auto scoped = dyn_cast<ScopedOpInterface>(op);
    if (!scoped || scoped.getScope().getSegment() == Segment::Forward)
      continue;
    auto kernel = dyn_cast<KernelOpInterface>(op);
    if (scoped.getScope().getSegment() != Segment::Backward || !kernel || kernel.getKernelKind() != KernelKind::Row)
      break;
    if (llvm::all_of(op.getOperands(), llvm::IsaPred<BlockArgument>))
      early.insert(&op);
    else if (joins(kernel))
      border.insert(&op);
    else
      break;
  }
  for (Operation *op : early)
    if (!op->use_empty() && llvm::all_of(op->getUsers(), [&](Operation *user) { return border.contains(user); }))
      border.insert(op);
  return border;
}
