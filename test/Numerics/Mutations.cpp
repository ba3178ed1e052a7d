//===- Mutations.cpp - Bugs that real systems had -----------------------------------------------------------------===//

#include "Mutations.h"

#include "tx/Dialect/Tx/IR/TxOps.h"

using namespace mlir;
using namespace tx;

namespace {

std::vector<Operation *> opsIn(func::FuncOp function, Segment segment) {
  std::vector<Operation *> ops;
  for (auto op : function.getOps<ScopedOpInterface>())
    if (op.getScope().getSegment() == segment)
      ops.push_back(op);
  return ops;
}

ScopeAttr scopeOf(Operation *op) { return cast<ScopedOpInterface>(op).getScope(); }

/// The forward op that a recomputation replays.
Operation *originalOf(Operation *replay) {
  auto function = replay->getParentOfType<func::FuncOp>();
  for (Operation *op : opsIn(function, Segment::Forward)) {
    if (op->getName() != replay->getName() || scopeOf(op).in(Segment::Recompute) != scopeOf(replay))
      continue;
    // Several slices stand at one place.
    auto slice = dyn_cast<SliceOp>(op);
    if (!slice || slice.getOffset() == cast<SliceOp>(replay).getOffset())
      return op;
  }
  return nullptr;
}

bool isForward(Value value) {
  auto op = value.getDefiningOp<ScopedOpInterface>();
  return op && op.getScope().getSegment() == Segment::Forward;
}

/// The first op of a segment that `change` finds fit, and changes.
bool changeFirst(func::FuncOp function, Segment segment, llvm::function_ref<bool(Operation *)> change) {
  for (Operation *op : opsIn(function, segment))
    if (change(op))
      return true;
  return false;
}

bool moveSite(Operation *op) {
  auto replayed = dyn_cast<RecomputeOpInterface>(op);
  if (!replayed || !replayed.getReplayKey())
    return false;
  ScopeAttr scope = scopeOf(op);
  cast<ScopedOpInterface>(op).setScopeAttr(
      ScopeAttr::get(op->getContext(), scope.getSegment(), scope.getLayer(), scope.getPath().str() + ".again"));
  return true;
}

//===--------------------------------------------------------------------------------------------------------------===//
// The replay computes something else
//===--------------------------------------------------------------------------------------------------------------===//

bool replayDrawsNewMask(func::FuncOp function) { return changeFirst(function, Segment::Recompute, moveSite); }

bool backwardDropsOtherElements(func::FuncOp function) { return changeFirst(function, Segment::Backward, moveSite); }

// Replaying under another autocast context has this form here.
bool replayHasAnotherForm(func::FuncOp function) {
  return changeFirst(function, Segment::Recompute, [](Operation *op) {
    auto norm = dyn_cast<LayerNormOp>(op);
    if (norm)
      norm.setEps(llvm::APFloat(norm.getEps().convertToDouble() + 1e-3));
    return static_cast<bool>(norm);
  });
}

bool chunksReadFirstHiddenState(func::FuncOp function) {
  Value firstHidden;
  for (auto norm : function.getOps<LayerNormOp>())
    if (!firstHidden)
      firstHidden = norm.getX();
  return changeFirst(function, Segment::Recompute, [&](Operation *op) {
    auto norm = dyn_cast<LayerNormOp>(op);
    if (!norm || norm.getX() == firstHidden || !isForward(norm.getX()))
      return false;
    norm.getXMutable().assign(firstHidden);
    return true;
  });
}

bool normIsAppliedTwice(func::FuncOp function) {
  return changeFirst(function, Segment::Recompute, [](Operation *op) {
    auto norm = dyn_cast<LayerNormOp>(op);
    Operation *original = norm ? originalOf(op) : nullptr;
    if (original)
      norm.getXMutable().assign(cast<LayerNormOp>(original).getY());
    return original != nullptr;
  });
}

//===--------------------------------------------------------------------------------------------------------------===//
// The replay is right and worth nothing
//===--------------------------------------------------------------------------------------------------------------===//

bool backwardStillUsesOriginal(func::FuncOp function) {
  return changeFirst(function, Segment::Recompute, [](Operation *op) {
    Operation *original = originalOf(op);
    // A view of a saved value is no new byte; any other result is.
    if (!original || isa<ViewOpInterface>(op))
      return false;
    for (auto [replayed, first] : llvm::zip_equal(op->getResults(), original->getResults()))
      for (OpOperand &use : llvm::make_early_inc_range(replayed.getUses()))
        if (scopeOf(use.getOwner()).getSegment() == Segment::Backward) {
          use.set(first);
          return true;
        }
    return false;
  });
}

bool cseMergesReplay(func::FuncOp function) {
  std::vector<Operation *> replays = opsIn(function, Segment::Recompute);
  for (Operation *op : replays)
    op->replaceAllUsesWith(originalOf(op));
  for (Operation *op : llvm::reverse(replays))
    op->erase();
  return !replays.empty();
}

bool replayRunsBeforeTheLoss(func::FuncOp function) {
  return changeFirst(function, Segment::Recompute, [&](Operation *op) {
    if (!llvm::all_of(op->getOperands(), [](Value operand) {
          return !operand.getDefiningOp() || isForward(operand) || operand.getDefiningOp<LoadOp>();
        }))
      return false;
    op->moveBefore(opsIn(function, Segment::Forward).back());
    return true;
  });
}

// The last product of a layer, whose result backward does not need.
bool replayComputesDeadProduct(func::FuncOp function) {
  Operation *last = nullptr;
  for (Operation *op : opsIn(function, Segment::Forward))
    if (isa<GemmOpInterface>(op) && scopeOf(op).isInLayer())
      last = op;
  std::vector<Operation *> replays = opsIn(function, Segment::Recompute);
  if (!last || replays.empty())
    return false;
  Operation *clone = OpBuilder(replays.front()).clone(*last);
  cast<ScopedOpInterface>(clone).setScopeAttr(scopeOf(last).in(Segment::Recompute));
  return true;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Gradients are summed wrongly
//===--------------------------------------------------------------------------------------------------------------===//

bool contributionCountsTwice(func::FuncOp function) {
  return changeFirst(function, Segment::Backward, [](Operation *op) {
    auto bias = dyn_cast<BiasGradOp>(op);
    if (!bias)
      return false;
    OpBuilder builder(op->getContext());
    builder.setInsertionPointAfter(op);
    auto again = cast<BiasGradOp>(builder.clone(*op));
    again.getAccMutable().assign(bias.getResult());
    again.getResetMutable().clear();
    bias.getResult().replaceAllUsesExcept(again.getResult(), again);
    return true;
  });
}

bool firstContributionKeepsOldGradient(func::FuncOp function) {
  return changeFirst(function, Segment::Backward, [](Operation *op) {
    auto bias = dyn_cast<BiasGradOp>(op);
    if (bias)
      bias.getResetMutable().clear();
    return static_cast<bool>(bias);
  });
}

// Of a tied embedding, the output layer's contribution is forgotten.
bool laterContributionResets(func::FuncOp function) {
  return changeFirst(function, Segment::Backward, [&](Operation *op) {
    auto table = dyn_cast<EmbeddingWeightGradOp>(op);
    if (!table || table.getReset())
      return false;
    table.getResetMutable().append(function.getArguments().back());
    return true;
  });
}

} // namespace

const std::vector<Mutation> &tx::getMutations() {
  static const std::vector<Mutation> mutations = {
      {"replay-draws-new-dropout-mask", "gradients", replayDrawsNewMask},
      {"backward-drops-other-elements", "gradients", backwardDropsOtherElements},
      {"replay-has-another-form", "gradients", replayHasAnotherForm},
      {"chunks-read-first-hidden-state", "gradients", chunksReadFirstHiddenState},
      {"norm-is-applied-twice", "gradients", normIsAppliedTwice},
      {"backward-still-uses-original", "saved-bytes", backwardStillUsesOriginal},
      {"cse-merges-replay", "saved-bytes", cseMergesReplay},
      {"replay-runs-before-the-loss", "verify-joint", replayRunsBeforeTheLoss},
      {"replay-computes-dead-product", "recompute-flops", replayComputesDeadProduct},
      {"contribution-counts-twice", "gradients", contributionCountsTwice},
      {"first-contribution-keeps-old-gradient", "gradients", firstContributionKeepsOldGradient},
      {"later-contribution-resets", "gradients", laterContributionResets},
  };
  return mutations;
}
