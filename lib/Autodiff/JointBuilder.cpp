//===- JointBuilder.cpp - Backward after forward in one function --------------------------------------------------===//

#include "JointBuilder.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace tx;

JointBuilder::JointBuilder(func::FuncOp function, Value first, MutableArrayRef<Accumulator> list)
    : builder(function.getContext()), function(function), first(first) {
  for (Accumulator &accumulator : list)
    accumulators[accumulator.parameter.getResult()] = &accumulator;
  for (Operation &op : function.front())
    if (llvm::any_of(op.getOperands(),
                     [&](Value operand) { return active.contains(operand) || accumulators.contains(operand); }))
      active.insert(op.result_begin(), op.result_end());
}

LogicalResult JointBuilder::build(Value loss, Value seed) {
  if (!active.contains(loss))
    return function.emitError("the loss is computed from no parameter");
  Block &body = function.front();
  SmallVector<Operation *> forward;
  for (Operation &op : body.without_terminator())
    if (llvm::any_of(op.getResults(), [&](Value result) { return active.contains(result); }))
      forward.push_back(&op);
  builder.setInsertionPoint(body.getTerminator());
  gradients[loss] = seed;
  for (Operation *op : llvm::reverse(forward))
    if (failed(buildOp(op)))
      return failure();
  if (failed(checkResults(llvm::to_vector(llvm::make_first_range(gradients)))))
    return failure();
  for (Operation *op : replaced)
    op->erase();
  return success();
}

LogicalResult JointBuilder::buildOp(Operation *op) {
  bool reached = llvm::any_of(op->getResults(), [&](Value result) { return gradients.contains(result); });
  auto differentiable = dyn_cast<DifferentiableOpInterface>(op);
  if (!differentiable)
    return reached ? op->emitOpError("has no gradient, but stands between a parameter and the loss") : success();
  current = op;
  asked.clear();
  accumulated.clear();
  if (failed(differentiable.buildBackward(builder, *this)))
    return failure();
  return reached ? checkOperands(op) : success();
}

LogicalResult JointBuilder::checkOperands(Operation *op) {
  for (OpOperand &operand : op->getOpOperands()) {
    Value value = operand.get();
    if (active.contains(value) && !asked.contains(value)) {
      // Reports a result whose gradient the op did not read first: it explains why the op asked for no operand.
      if (failed(checkResults(op->getResults())))
        return failure();
      return op->emitOpError("has no gradient by operand ")
             << operand.getOperandNumber() << ", which must be a parameter itself, not computed from one";
    }
    auto found = accumulators.find(value);
    if (found != accumulators.end() && llvm::count(accumulated, value) < llvm::count(op->getOperands(), value))
      return op->emitOpError("uses parameter ")
             << found->second->parameter.getGlobalAttr() << " as operand " << operand.getOperandNumber()
             << ", by which it has no accumulated gradient";
  }
  return success();
}

LogicalResult JointBuilder::checkResults(ValueRange values) {
  for (Value value : values)
    if (gradients.contains(value) && !read.contains(value)) {
      auto result = cast<OpResult>(value);
      return result.getOwner()->emitOpError("has no gradient through result ")
             << result.getResultNumber() << ", which the loss depends on";
    }
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// BackwardContext
//===--------------------------------------------------------------------------------------------------------------===//

Value JointBuilder::getGradient(Value forwardResult) {
  read.insert(forwardResult);
  return gradients.lookup(forwardResult);
}

bool JointBuilder::needsGradient(Value operand) {
  asked.insert(operand);
  return active.contains(operand);
}

void JointBuilder::addGradient(Value operand, Value gradient) {
  if (!needsGradient(operand))
    return;
  Value &sum = gradients[operand];
  sum = sum ? AddOp::create(builder, current->getLoc(), sum, gradient, getScope()).getResult() : gradient;
}

bool JointBuilder::accumulate(ArrayRef<Value> parameters, Accumulate build) {
  llvm::SmallSetVector<Accumulator *, 2> used;
  for (Value parameter : parameters)
    if (Accumulator *accumulator = accumulators.lookup(parameter))
      used.insert(accumulator);
  if (used.empty())
    return true;
  auto isLikeFirst = [&](Accumulator *accumulator) { return accumulator->started == used[0]->started; };
  if (used.size() != parameters.size() || !llvm::all_of(used, isLikeFirst))
    return false;

  SmallVector<Value> values;
  for (Accumulator *accumulator : used)
    values.push_back(accumulator->value);
  SmallVector<Value> continued = build(values, used[0]->started ? Value() : first);
  for (auto [accumulator, value] : llvm::zip_equal(used, continued)) {
    accumulator->value = value;
    accumulator->started = true;
  }
  accumulated.append(parameters.begin(), parameters.end());
  return true;
}

/// Whether a value is there in forward: an argument, a global's content, or the result of a forward op.
static bool isInForward(Value value) {
  auto scoped = dyn_cast_or_null<ScopedOpInterface>(value.getDefiningOp());
  return !scoped || scoped.getScope().getSegment() == Segment::Forward;
}

bool JointBuilder::enterForward(OpBuilder &builder, ArrayRef<Value> needed) {
  if (!llvm::all_of(needed, isInForward))
    return false;
  Operation *last = current;
  for (Value value : needed)
    if (Operation *op = value.getDefiningOp(); op && last->isBeforeInBlock(op))
      last = op;
  if (llvm::any_of(current->getUsers(), [&](Operation *user) { return !last->isBeforeInBlock(user); }))
    return false;
  builder.setInsertionPointAfter(last);
  return true;
}

void JointBuilder::replaceForward(ValueRange results) {
  current->replaceAllUsesWith(results);
  replaced.push_back(current);
}

ScopeAttr JointBuilder::getScope() { return cast<ScopedOpInterface>(current).getScope().in(Segment::Backward); }
