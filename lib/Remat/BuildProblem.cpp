//===- BuildProblem.cpp - From the joint function to plain data ---------------------------------------------------===//
//
// Asks ops through their interfaces only. An op without a scope (a load, a store, the return) computes nothing that
// could be recomputed. If it has no operands, its results count as inputs. If it has no results, it takes values out of
// the step, with a policy as without, and counts as forward. Otherwise it belongs to backward if one of its operands
// comes from backward, else to forward.
//
// Forward's last kernel computes the gradient of the loss too (Border.h), so the ops of that gradient count as forward:
// their operands are not saved for backward, but their results are.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "BuildProblem.h"

#include "tx/Plan/NameTable.h"

#include "tx/Dialect/Tx/IR/Border.h"
#include "tx/Dialect/Tx/IR/Signature.h"
#include "tx/Dialect/Tx/IR/TxInterfaces.h"

using namespace mlir;
using namespace tx;

namespace {

class ProblemBuilder {
public:
  explicit ProblemBuilder(func::FuncOp function)
      : function(function), names(function), border(findBorderOps(function.getBody())) {}

  FailureOr<JointProblem> run() {
    for (Value argument : function.getArguments())
      addValue(argument, /*producer=*/-1);
    for (Operation &op : function.front())
      if (failed(check(&op)) || failed(add(&op)))
        return failure();
    return std::move(joint);
  }

private:
  LogicalResult check(Operation *op) {
    if (op->getNumRegions() != 0)
      return op->emitOpError("has a region; rematerialization needs a flat function");
    auto scoped = dyn_cast<ScopedOpInterface>(op);
    if (!scoped)
      return success();
    Segment segment = scoped.getScope().getSegment();
    if (segment == Segment::Recompute)
      return op->emitOpError("is a recomputation already; rematerialize a function once");
    if (segment == Segment::Forward && backwardBegan)
      return op->emitOpError("is of the forward segment, but stands after ops of backward");
    backwardBegan |= segment != Segment::Forward;
    return success();
  }

  LogicalResult add(Operation *op) {
    auto scoped = dyn_cast<ScopedOpInterface>(op);
    if (!scoped && op->getNumOperands() == 0) {
      for (Value result : op->getResults())
        addValue(result, /*producer=*/-1);
      return success();
    }

    int number = joint.ops.size();
    RematOp data;
    data.name = op->getName().getStringRef().str();
    for (Value operand : op->getOperands())
      data.operands.push_back(numbers.lookup(operand));
    if (scoped)
      describe(scoped, data);
    else if (op->getNumResults() != 0 && usesBackward(data))
      data.segment = Segment::Backward;
    for (OpResult result : op->getResults())
      data.results.push_back(addValue(result, number));
    joint.problem.ops.push_back(std::move(data));
    joint.ops.push_back(op);
    return success();
  }

  void describe(ScopedOpInterface op, RematOp &data) {
    ScopeAttr scope = op.getScope();
    data.name = names.nameOf(op);
    data.segment = scope.getSegment();
    data.layer = scope.getLayer();
    SmallVector<StringRef> components;
    scope.getPath().split(components, '.');
    data.path.assign(components.begin(), components.end());
    if (auto cost = dyn_cast<CostOpInterface>(op.getOperation())) {
      data.matrixFlops = cost.getMatrixFlops();
      data.vectorFlops = cost.getVectorFlops();
    }
    if (auto recompute = dyn_cast<RecomputeOpInterface>(op.getOperation())) {
      data.replay = recompute.getReplayKind();
      if (Value key = recompute.getReplayKey())
        data.replayKey = numbers.lookup(key);
    }
    if (border.contains(op)) { // no policy recomputes it, whatever module it belongs to
      data.segment = Segment::Forward;
      data.replay = ReplayKind::Never;
      data.layer = -1;
      data.path.clear();
    }
    if (data.isForward())
      joint.problem.addLayer(data.layer);
  }

  bool usesBackward(const RematOp &data) const {
    return llvm::any_of(data.operands, [&](int operand) {
      int producer = joint.problem.values[operand].producer;
      return producer >= 0 && !joint.problem.ops[producer].isForward();
    });
  }

  int addValue(Value value, int producer) {
    int number = joint.values.size();
    RematValue data;
    data.producer = producer;
    data.storage = number;
    if (auto type = dyn_cast<RankedTensorType>(value.getType()); type && type.hasStaticShape())
      data.bytes = getByteSize(type);
    if (auto result = dyn_cast<OpResult>(value))
      data.name = names.nameOf(result);
    if (Value storage = getStorage(value); storage != value)
      data.storage = numbers.lookup(storage);
    joint.problem.values.push_back(std::move(data));
    joint.values.push_back(value);
    numbers[value] = number;
    return number;
  }

  func::FuncOp function;
  NameTable names;
  const BorderOps border;
  JointProblem joint;
  llvm::DenseMap<Value, int> numbers;
  bool backwardBegan = false;
};

} // namespace

bool tx::hasBackward(func::FuncOp function) {
  return function
      .walk([](ScopedOpInterface op) {
        return op.getScope().getSegment() == Segment::Backward ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

FailureOr<JointProblem> tx::buildRematProblem(func::FuncOp function) {
  if (failed(verifyFlat(function)))
    return failure();
  return ProblemBuilder(function).run();
}
