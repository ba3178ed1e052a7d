//===- VerifyJoint.cpp - tx-verify-joint: the joint phase's promise -----------------------------------------------===//

#include "Functions.h"

#include "tx/Autodiff/Passes.h"

namespace tx {
#define GEN_PASS_DEF_TXVERIFYJOINTPASS
#include "tx/Autodiff/Passes.h.inc"
} // namespace tx

using namespace mlir;
using namespace tx;

namespace {

std::optional<Segment> segmentOf(Operation *op) {
  if (auto scoped = dyn_cast_or_null<ScopedOpInterface>(op))
    return scoped.getScope().getSegment();
  return std::nullopt;
}

bool isAfterBorder(Segment segment) { return segment == Segment::Backward || segment == Segment::Recompute; }

//===--------------------------------------------------------------------------------------------------------------===//
// State
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult verifyState(func::FuncOp function) {
  llvm::StringMap<Operation *> loaded, stored;
  bool atEntry = true, atExit = false;
  for (Operation &op : function.front().without_terminator()) {
    if (auto load = dyn_cast<LoadOp>(op)) {
      if (!loaded.try_emplace(load.getGlobal(), &op).second)
        return op.emitOpError("loads ") << load.getGlobalAttr() << " a second time in @" << function.getSymName();
      if (!atEntry)
        return op.emitOpError("loads ") << load.getGlobalAttr() << " after other ops; loads stand at the entry";
      continue;
    }
    atEntry = false;
    if (auto store = dyn_cast<StoreOp>(op)) {
      if (!stored.try_emplace(store.getGlobal(), &op).second)
        return op.emitOpError("stores ") << store.getGlobalAttr() << " a second time in @" << function.getSymName();
      atExit = true;
      continue;
    }
    if (atExit)
      return op.emitOpError("stands after a store; stores stand at the exit");
    if (!segmentOf(&op))
      return op.emitOpError("has no scope; every op says where it belongs");
  }
  return success();
}

/// The values whose bytes an op overwrites when it overwrites `value`: the value itself and, if it is a concat, its
/// parts.
SmallVector<Value> getOverwritten(Value value) {
  SmallVector<Value> values = {value};
  if (auto view = value.getDefiningOp<ViewOpInterface>(); view && view.getViewedWhole() == value)
    values.append(view->operand_begin(), view->operand_end());
  return values;
}

/// Checks that the op that continues an accumulator in place is the last op that reads the accumulator.
LogicalResult verifyTies(func::FuncOp function) {
  for (auto op : function.getOps<AccumulatingOpInterface>())
    for (auto [operand, result] : op.getTies())
      for (Value accumulator : getOverwritten(op->getOperand(operand)))
        for (OpOperand &use : accumulator.getUses())
          if (use.getOwner() != op ? op->isBeforeInBlock(use.getOwner()) : use.getOperandNumber() != operand)
            return use.getOwner()->emitOpError("reads an accumulator that ")
                   << op->getName() << " has overwritten (operand " << operand << ")";
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Order
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult verifyBorder(func::FuncOp function) {
  Value loss =
      function.front().getTerminator()->getNumOperands() ? function.front().getTerminator()->getOperand(0) : Value();
  Operation *border = loss ? loss.getDefiningOp() : nullptr;
  if (segmentOf(border) != Segment::Forward)
    return function.emitError("@") << function.getSymName()
                                   << " has a backward segment, so its first result must be the loss of a forward op";
  // Checks uses before places: a wrong use explains a wrong place.
  for (Operation &op : function.front())
    if (segmentOf(&op) == Segment::Forward)
      for (Value operand : op.getOperands())
        if (std::optional<Segment> from = segmentOf(operand.getDefiningOp()); from && *from != Segment::Forward)
          return op.emitOpError("is in forward and uses a ") << stringifySegment(*from) << " value";
  for (Operation &op : function.front()) {
    std::optional<Segment> segment = segmentOf(&op);
    if (!segment)
      continue;
    if (*segment == Segment::Forward && border->isBeforeInBlock(&op))
      return op.emitOpError("is in forward, but stands after the border (") << border->getName() << ")";
    if (*segment != Segment::Forward && op.isBeforeInBlock(border))
      return op.emitOpError("is in ") << stringifySegment(*segment) << ", but stands before the border ("
                                      << border->getName() << ")";
  }
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Accumulators
//===--------------------------------------------------------------------------------------------------------------===//

/// The result by which the user op continues the accumulator that it takes at `use`; null if the op does not continue
/// it.
Value continuation(OpOperand &use) {
  auto op = dyn_cast<AccumulatingOpInterface>(use.getOwner());
  // A forward op that computes gradients too continues accumulators like one of backward; a recomputation never does.
  if (op && (segmentOf(op) == Segment::Backward || segmentOf(op) == Segment::Forward))
    for (auto [operand, result] : op.getTies())
      if (operand == use.getOperandNumber())
        return op->getResult(result);
  return {};
}

LogicalResult verifyChain(LoadOp load) {
  auto fail = [&](Operation *at) { return at->emitOpError("breaks the accumulation of ") << load.getGlobalAttr(); };
  Value current = load.getResult();
  for (bool first = true;; first = false) {
    Value next;
    for (OpOperand &use : current.getUses()) {
      Operation *user = use.getOwner();
      if (Value result = continuation(use)) {
        assert(!next && "verifyTies has found that who continues an accumulator is its last reader");
        if (first != static_cast<bool>(cast<AccumulatingOpInterface>(user).getResetValue()))
          return fail(user) << (first ? ": the first contribution has a reset bit"
                                      : ": only the first contribution has a reset bit");
        next = result;
      } else if (auto store = dyn_cast<StoreOp>(user)) {
        if (first || store.getGlobal() != load.getGlobal())
          return fail(user) << ": what is stored is not its sum";
      } else if (segmentOf(user) != Segment::Optimizer) {
        return fail(user) << ": only accumulations, its store and the optimizer may use it";
      }
    }
    if (!next)
      break;
    current = next;
  }
  for (Operation *user : current.getUsers())
    if (isa<StoreOp>(user))
      return success();
  return fail(load) << ": its sum is not stored";
}

LogicalResult verifyAccumulators(func::FuncOp function) {
  SymbolTableCollection symbols;
  for (auto load : function.getOps<LoadOp>()) {
    auto global = symbols.lookupNearestSymbolFrom<GlobalOp>(load, load.getGlobalAttr());
    if (global.getRole() == GlobalRole::Gradient && failed(verifyChain(load)))
      return failure();
  }
  return success();
}

/// Collects the globals in which the value, a part of it, or a result that continues it in place is stored.
void collectStored(Value value, llvm::DenseSet<Attribute> &globals) {
  for (OpOperand &use : value.getUses()) {
    if (auto store = dyn_cast<StoreOp>(use.getOwner()))
      globals.insert(store.getGlobalAttr());
    if (auto op = dyn_cast<AccumulatingOpInterface>(use.getOwner()))
      for (auto [operand, result] : op.getTies())
        if (operand == use.getOperandNumber())
          collectStored(op->getResult(result), globals);
    if (auto view = dyn_cast<ViewOpInterface>(use.getOwner()); view && view.getViewedWhole() == value)
      for (auto [part, start] : view.getViewedParts())
        collectStored(part, globals);
  }
}

/// Checks that an op that overwrites the bytes of a global gives a result that is stored in this global.
LogicalResult verifyOverwrites(func::FuncOp function) {
  for (auto op : function.getOps<AccumulatingOpInterface>())
    for (auto [operand, result] : op.getTies()) {
      // Collects once for all globals that the operand packs; these may be all parameters.
      std::optional<llvm::DenseSet<Attribute>> stored;
      for (Value overwritten : getOverwritten(op->getOperand(operand))) {
        auto load = overwritten.getDefiningOp<LoadOp>();
        if (!load)
          continue;
        if (!stored)
          collectStored(op->getResult(result), stored.emplace());
        if (!stored->contains(load.getGlobalAttr()))
          return op->emitOpError("overwrites ") << load.getGlobalAttr() << ", but its result is not stored there";
      }
    }
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Random numbers
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult verifyRandom(func::FuncOp function) {
  llvm::DenseMap<uint32_t, RecomputeOpInterface> sites;
  for (auto op : function.getOps<RecomputeOpInterface>()) {
    Value key = op.getReplayKey();
    if (!key)
      continue;
    ScopeAttr scope = cast<ScopedOpInterface>(op.getOperation()).getScope();
    if (scope.getSegment() == Segment::Forward) {
      auto [previous, fresh] = sites.try_emplace(scope.getSiteHash(), op);
      if (!fresh)
        return op->emitOpError("draws the random numbers of another op: both are at ")
               << scope.str() << "; give one a path of its own";
      continue;
    }
    if (scope.getSegment() == Segment::Recompute)
      continue; // verifyRecompute checks that it equals its forward op
    RecomputeOpInterface forward = sites.lookup(scope.getSiteHash());
    if (!forward)
      return op->emitOpError("draws random numbers at ") << scope.str() << ", where no forward op draws any";
    if (forward.getReplayKey() != key)
      return op->emitOpError("draws random numbers with another key than its forward op at ") << scope.str();
    if (forward->getName().getStringRef() != op.getForwardName() || formOf(forward) != formOf(op))
      return op->emitOpError("has another form than its forward op at ") << scope.str();
  }
  return success();
}

struct TxVerifyJointPass : public tx::impl::TxVerifyJointPassBase<TxVerifyJointPass> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (!function.isExternal() && !function->hasAttr(kTrainAttr) && failed(verify(function)))
        return signalPassFailure();
    // A module is trained if it has the entries that tx-make-entries makes.
    auto has = [&](StringRef name) { return getOperation().lookupSymbol<func::FuncOp>(name) != nullptr; };
    bool isTrained = findMicrobatch(getOperation()) && (has("apply") || has("step"));
    if (isTrained && failed(verifyTrainedAxes(getOperation())))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }

private:
  LogicalResult verify(func::FuncOp function) {
    if (failed(verifyOneBlock(function)))
      return failure();
    bool hasBackward = llvm::any_of(function.front(), [](Operation &op) {
      std::optional<Segment> segment = segmentOf(&op);
      return segment && isAfterBorder(*segment);
    });
    if (failed(verifyState(function)) || failed(verifyTies(function)) || failed(verifyRandom(function)) ||
        failed(verifyRecompute(function)))
      return failure();
    if (hasBackward && (failed(verifyBorder(function)) || failed(verifyAccumulators(function))))
      return failure();
    return verifyOverwrites(function);
  }
};

} // namespace
