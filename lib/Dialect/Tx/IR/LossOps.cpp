//===- LossOps.cpp - Cross entropy and its reduction --------------------------------------------------------------===//

#include "OpUtils.h"

using namespace mlir;
using namespace tx;

static LogicalResult verifyTargets(Operation *op, RankedTensorType logits, Type targets) {
  if (logits.getRank() < 2 || logits.getShape().drop_back() != tensorOf(targets).getShape())
    return op->emitOpError("takes logits [b, s, v] and targets [b, s], found ") << logits << " and " << targets;
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// CrossEntropyOp, CrossEntropyGradOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult CrossEntropyOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                               SmallVectorImpl<Type> &types) {
  auto logits = tensorOf(adaptor.getLogits());
  if (logits.getRank() < 1)
    return inferenceError<CrossEntropyOp>(loc, "takes logits [b, s, v], found ", logits);
  types.push_back(statisticsOf(logits));
  types.push_back(tx::detail::pairsOf(types.front()));
  return success();
}

LogicalResult CrossEntropyOp::verify() { return verifyTargets(*this, tensorOf(getLogits()), getTargets().getType()); }

LogicalResult CrossEntropyOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  Value dlosses = context.getGradient(getLosses());
  if (dlosses && context.needsGradient(getLogits()))
    context.addGradient(getLogits(), CrossEntropyGradOp::create(builder, getLoc(), getLogits().getType(), dlosses,
                                                                getLogits(), getTargets(), getStatistics(),
                                                                getIgnoreIndexAttr(), context.getScope()));
  return success();
}

std::optional<IdRange> CrossEntropyOp::getIdRange(unsigned operand) {
  if (operand != getTargetsMutable().getOperandNumber())
    return std::nullopt;
  return IdRange{getColumns(getLogits().getType()), getIgnoreIndex()};
}

Value CrossEntropyOp::getPrediction() { return getLogits(); }

int64_t CrossEntropyOp::getPredictedSamples() {
  auto targets = tensorOf(getTargets());
  return targets.getRank() == 2 ? targets.getDimSize(0) : 0;
}

Value CrossEntropyOp::buildPrediction(OpBuilder &builder, Value rows) {
  auto logits = tensorOf(getLogits());
  auto type = RankedTensorType::get({logits.getDimSize(0), logits.getDimSize(2)}, logits.getElementType());
  Value chosen;
  if (auto head = getLogits().getDefiningOp<LinearOp>()) { // multiplies the chosen rows alone
    chosen = SelectRowsOp::create(builder, getLoc(), head.getX(), rows, head.getScope());
    chosen = LinearOp::create(builder, getLoc(), type, chosen, head.getWeight(), head.getBias(), head.getTransposed(),
                              head.getScope());
  } else {
    chosen = SelectRowsOp::create(builder, getLoc(), getLogits(), rows, getScope());
  }
  if (auto wide = type.clone(statisticsOf(logits).getElementType()); type != wide)
    chosen = CastOp::create(builder, getLoc(), wide, chosen, getScope());
  return chosen;
}

KernelKind CrossEntropyOp::getKernelKind() { return KernelKind::Row; }
unsigned CrossEntropyOp::getReductionPasses() { return 2; }
SmallVector<unsigned> CrossEntropyOp::getInPlaceOperands() { return {0}; }
std::pair<int64_t, int64_t> CrossEntropyOp::getKernelSpace() { return rowSpace(getLogits()); }
int64_t CrossEntropyOp::getVectorFlops() { return 14 * tensorOf(getLogits()).getNumElements(); }

LogicalResult CrossEntropyGradOp::verify() {
  if (tensorOf(getDlosses()).getShape() != tensorOf(getTargets()).getShape())
    return emitOpError("takes gradients of the targets' shape, found ") << getDlosses().getType();
  return verifyTargets(*this, tensorOf(getLogits()), getTargets().getType());
}

std::optional<IdRange> CrossEntropyGradOp::getIdRange(unsigned operand) {
  if (operand != getTargetsMutable().getOperandNumber())
    return std::nullopt;
  return IdRange{getColumns(getLogits().getType()), getIgnoreIndex()};
}

KernelKind CrossEntropyGradOp::getKernelKind() { return KernelKind::Row; }
std::pair<int64_t, int64_t> CrossEntropyGradOp::getKernelSpace() { return rowSpace(getLogits()); }
SmallVector<unsigned> CrossEntropyGradOp::getInPlaceOperands() { return {1}; }
int64_t CrossEntropyGradOp::getVectorFlops() { return 14 * tensorOf(getLogits()).getNumElements(); }

//===--------------------------------------------------------------------------------------------------------------===//
// ReduceLossOp, ReduceLossGradOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult ReduceLossOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor adaptor,
                                             SmallVectorImpl<Type> &types) {
  types.append(2, tx::detail::scalarLike(adaptor.getLosses().getType()));
  return success();
}

LogicalResult ReduceLossOp::verify() {
  if (tensorOf(getLosses()).getShape() != tensorOf(getTargets()).getShape())
    return emitOpError("takes losses and targets of one shape, found ")
           << getLosses().getType() << " and " << getTargets().getType();
  return success();
}

LogicalResult ReduceLossOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  context.getGradient(getCount()); // tells autodiff that this gradient is handled: none flows through a count
  Value dsum = context.getGradient(getSum());
  if (context.needsGradient(getLosses()) && dsum)
    context.addGradient(getLosses(), ReduceLossGradOp::create(builder, getLoc(), dsum, getTargets(),
                                                              getIgnoreIndexAttr(), context.getScope()));
  return success();
}

// The op only counts the targets, and reads no tensor at these ids.
std::optional<IdRange> ReduceLossOp::getIdRange(unsigned operand) {
  if (operand != getTargetsMutable().getOperandNumber())
    return std::nullopt;
  return IdRange{std::nullopt, getIgnoreIndex()};
}

// The loss is the border between forward and backward: it happens once.
ReplayKind ReduceLossOp::getReplayKind() { return ReplayKind::Never; }
KernelKind ReduceLossOp::getKernelKind() { return KernelKind::Row; }
unsigned ReduceLossOp::getReductionPasses() { return 1; }
SmallVector<unsigned> ReduceLossOp::getInPlaceOperands() { return {}; }
std::pair<int64_t, int64_t> ReduceLossOp::getKernelSpace() { return {1, tensorOf(getLosses()).getNumElements()}; }
int64_t ReduceLossOp::getVectorFlops() { return 2 * tensorOf(getLosses()).getNumElements(); }

LogicalResult ReduceLossGradOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor adaptor,
                                                 SmallVectorImpl<Type> &types) {
  types.push_back(tensorOf(adaptor.getTargets()).clone(tensorOf(adaptor.getDsum()).getElementType()));
  return success();
}

LogicalResult ReduceLossGradOp::verify() {
  if (tensorOf(getDsum()).getRank() != 0)
    return emitOpError("takes a scalar, found ") << getDsum().getType();
  return success();
}

std::optional<IdRange> ReduceLossGradOp::getIdRange(unsigned operand) {
  if (operand != getTargetsMutable().getOperandNumber())
    return std::nullopt;
  return IdRange{std::nullopt, getIgnoreIndex()};
}

KernelKind ReduceLossGradOp::getKernelKind() { return KernelKind::Row; }
std::pair<int64_t, int64_t> ReduceLossGradOp::getKernelSpace() { return {1, tensorOf(getDlosses()).getNumElements()}; }
