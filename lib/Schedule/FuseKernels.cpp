//===- FuseKernels.cpp - Which ops one kernel computes ------------------------------------------------------------===//
//
// One walk in program order. An op joins the latest group that gives it a value, if all its other operands are there
// before the group starts: a group stands where its first op stood, so nothing moves later and no cycle can arise.
// Grouping decides memory traffic only, never a value.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "MoveReplays.h"

#include "tx/Dialect/Tx/IR/Border.h"
#include "tx/Dialect/Tx/IR/Signature.h"
#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Schedule/Passes.h"

#include "txrt/abi.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace tx;

namespace tx {
#define GEN_PASS_DEF_FUSEKERNELSPASS
#include "tx/Schedule/Passes.h.inc"
} // namespace tx

namespace {

/// Parts of a step that never share a kernel.
int getPart(Segment segment) {
  switch (segment) {
  case Segment::Forward:
    return 0;
  case Segment::Backward:
  case Segment::Recompute:
    return 1;
  case Segment::Optimizer:
    return 2;
  }
  llvm_unreachable("all segments are listed");
}

struct Group {
  KernelKind kind;
  std::pair<int64_t, int64_t> space;
  int part;
  unsigned start; // the first op's place in the block
  SmallVector<Operation *> ops;
  unsigned immediates = 0;
};

bool isShared(Value operand, Operation *op) {
  auto kernel = dyn_cast<KernelOpInterface>(op);
  return kernel && kernel.getSharedOperand() == operand;
}

/// Whether the loops of two column ops are alike: both add all rows to one, or both scatter them in the same way.
bool addRowsAlike(Operation *a, Operation *b) {
  auto scatterA = dyn_cast<ScatteringOpInterface>(a), scatterB = dyn_cast<ScatteringOpInterface>(b);
  if (!scatterA || !scatterB)
    return !scatterA && !scatterB;
  return scatterA.getScatterIds() == scatterB.getScatterIds() && scatterA.getScatterRows() == scatterB.getScatterRows();
}

bool isKeyed(Operation *op) {
  auto replay = dyn_cast<RecomputeOpInterface>(op);
  return replay && replay.getReplayKind() == ReplayKind::Keyed;
}

class Fuser {
public:
  Fuser(Block &block, unsigned maxBuffers)
      : block(block), maxBuffers(maxBuffers), border(findBorderOps(*block.getParent())) {}

  void run() {
    moveReplays(block);
    unsigned place = 0;
    for (Operation &op : block)
      places[&op] = place += 2; // with room for one that comes earlier
    for (Operation &op : block) {
      auto kernel = dyn_cast<KernelOpInterface>(op);
      if (kernel && kernel.getKernelKind() != KernelKind::Gemm && kernel.getKernelKind() != KernelKind::View)
        assign(kernel);
    }
    for (Group &group : groups)
      outline(group);
  }

private:
  void assign(KernelOpInterface op) {
    auto scoped = cast<ScopedOpInterface>(op.getOperation());
    Group alone{op.getKernelKind(), op.getKernelSpace(), getPart(scoped.getScope().getSegment()), places[op], {op}};
    alone.immediates = isKeyed(op);
    if (Group *group = findGroup(op, alone)) {
      for (Value operand : op->getOperands())
        if (!isMember(operand, *group) && getAvailable(operand) >= static_cast<int>(group->start))
          bringBefore(operand.getDefiningOp(), *group);
      group->ops.push_back(op);
      group->immediates += alone.immediates;
      groupOf[op] = group - groups.data();
      return;
    }
    groupOf[op] = groups.size();
    groups.push_back(std::move(alone));
  }

  /// The place from which on a value is there; -1 for arguments.
  int getAvailable(Value value) {
    Operation *def = value.getDefiningOp();
    if (!def)
      return -1;
    auto found = groupOf.find(def);
    return found == groupOf.end() ? places[def] : groups[found->second].start;
  }

  bool isMember(Value value, const Group &group) {
    Operation *def = value.getDefiningOp();
    return def && groupOf.count(def) && &groups[groupOf[def]] == &group;
  }

  /// A kernel of its own that needs nothing but arguments: a loss's scale as a row.
  bool mayComeEarlier(Value value) {
    Operation *def = value.getDefiningOp();
    return def && groupOf.count(def) && groups[groupOf[def]].ops.size() == 1 &&
           llvm::all_of(def->getOperands(), llvm::IsaPred<BlockArgument>);
  }
  void bringBefore(Operation *op, const Group &group) {
    op->moveBefore(group.ops.front());
    places[op] = groups[groupOf[op]].start = group.start - 1;
  }

  Group *findGroup(KernelOpInterface op, const Group &alone) {
    if (alone.kind == KernelKind::Flat || alone.kind == KernelKind::Tile)
      return nullptr; // one tensor each, or loops of its own: nothing to share
    llvm::SmallSetVector<unsigned, 4> candidates;
    for (Value operand : op->getOperands()) {
      if (alone.kind == KernelKind::Row) {
        if (Operation *def = operand.getDefiningOp(); def && groupOf.count(def))
          candidates.insert(groupOf[def]);
        if (isRandomKey(operand, op))
          continue;
        for (Operation *user : operand.getUsers())
          if (groupOf.count(user) && (isElementwiseReplay(user) || // see MoveReplays.h
                                      isShared(operand, op) || isShared(operand, user)))
            candidates.insert(groupOf[user]);
      } else if (cast<RankedTensorType>(operand.getType()).getRank() > 1) { // column reductions of one gradient
        for (Operation *user : operand.getUsers())
          if (groupOf.count(user))
            candidates.insert(groupOf[user]);
      }
    }
    SmallVector<unsigned> latestFirst(candidates.begin(), candidates.end());
    llvm::sort(latestFirst, std::greater<unsigned>());
    for (unsigned index : latestFirst)
      if (mayJoin(op, alone, groups[index]))
        return &groups[index];
    return nullptr;
  }

  bool mayJoin(KernelOpInterface op, const Group &alone, const Group &group) {
    bool isAtBorder = group.part == 0 && border.contains(op);
    if (group.kind != alone.kind || group.space != alone.space || (group.part != alone.part && !isAtBorder) ||
        group.immediates + alone.immediates > TXRT_MAX_IMMEDIATES)
      return false;
    // A row of one column and a number for each row are alike: who takes it for which?
    if (alone.kind == KernelKind::Row && alone.space.second == 1)
      return false;
    if (alone.kind == KernelKind::Column && !addRowsAlike(op, group.ops.front()))
      return false;
    llvm::SmallPtrSet<Value, 16> buffers;
    for (Operation *member : group.ops) {
      buffers.insert(member->getOperands().begin(), member->getOperands().end());
      buffers.insert(member->getResults().begin(), member->getResults().end());
    }
    buffers.insert(op->getOperands().begin(), op->getOperands().end());
    buffers.insert(op->getResults().begin(), op->getResults().end());
    if (buffers.size() > maxBuffers)
      return false;
    for (OpOperand &use : op->getOpOperands()) {
      Value operand = use.get();
      bool inside = isMember(operand, group);
      if (inside && op.readsOtherRows(use.getOperandNumber()))
        return false;
      // A reduction's result is there only when all columns are done.
      if (inside && alone.kind == KernelKind::Column)
        return false;
      if (!inside && getAvailable(operand) >= static_cast<int>(group.start) && !(isAtBorder && mayComeEarlier(operand)))
        return false;
    }
    return true;
  }

  /// The op that names the group: the one with the most work.
  static ScopeAttr getMainScope(const Group &group) {
    ScopeAttr scope;
    int64_t most = -1;
    for (Operation *op : group.ops) {
      auto cost = dyn_cast<CostOpInterface>(op);
      int64_t flops = cost ? cost.getVectorFlops() : tx::detail::defaultVectorFlops(op);
      if (flops > most) {
        most = flops;
        scope = cast<ScopedOpInterface>(op).getScope();
      }
    }
    return scope;
  }

  void outline(const Group &group) {
    llvm::SmallPtrSet<Operation *, 8> members(group.ops.begin(), group.ops.end());
    llvm::SmallSetVector<Value, 8> inputs;
    SmallVector<Value> outputs;
    SmallVector<Type> outputTypes;
    for (Operation *op : group.ops) {
      for (Value operand : op->getOperands())
        if (!members.contains(operand.getDefiningOp()))
          inputs.insert(operand);
      for (Value result : op->getResults())
        if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !members.contains(user); })) {
          outputs.push_back(result);
          outputTypes.push_back(result.getType());
        }
    }
    OpBuilder builder(group.ops.front());
    Location loc = group.ops.front()->getLoc();
    auto outlined =
        step::GroupOp::create(builder, loc, outputTypes, inputs.getArrayRef(), group.kind,
                              ArrayRef<int64_t>{group.space.first, group.space.second}, getMainScope(group));
    Block &body = outlined.getBody().emplaceBlock();
    IRMapping mapping;
    for (Value input : inputs)
      mapping.map(input, body.addArgument(input.getType(), loc));
    builder.setInsertionPointToEnd(&body);
    for (Operation *op : group.ops)
      builder.clone(*op, mapping);
    SmallVector<Value> yielded;
    for (Value output : outputs)
      yielded.push_back(mapping.lookup(output));
    step::YieldOp::create(builder, loc, yielded);
    for (auto [output, result] : llvm::zip(outputs, outlined.getOutputs()))
      output.replaceAllUsesWith(result);
    for (Operation *op : llvm::reverse(group.ops))
      op->erase();
  }

  Block &block;
  unsigned maxBuffers;
  const BorderOps border;
  DenseMap<Operation *, unsigned> places, groupOf;
  std::vector<Group> groups;
};

struct FuseKernels : tx::impl::FuseKernelsPassBase<FuseKernels> {
  using FuseKernelsPassBase::FuseKernelsPassBase;

  void runOnOperation() override {
    if (getOperation().isDeclaration())
      return;
    if (failed(verifyFlat(getOperation())))
      return signalPassFailure();
    Fuser(getOperation().getBody().front(), maxBuffers).run();
  }
};

} // namespace
