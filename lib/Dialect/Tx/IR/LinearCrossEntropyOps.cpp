//===- LinearCrossEntropyOps.cpp - The head and its loss, in chunks of rows ---------------------------------------===//
//
// The logits of a step are often its largest tensor, and the loss needs those of a few rows at a time. The ops here
// have x and the weight, so they decide how many rows of logits exist at once. In training they also have the loss's
// scale: the gradient of a chunk's logits is made in their place and used up before the next chunk begins.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "LinearOps.h"
#include "OpUtils.h"

#include "mlir/IR/TypeUtilities.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tx;

//===--------------------------------------------------------------------------------------------------------------===//
// What both ops share
//===--------------------------------------------------------------------------------------------------------------===//

// A product of this many rows has long enough sums, as the weight's gradient adds them to its accumulator, to be worth
// reading and writing the accumulator once more.
static constexpr int64_t kRowMultiple = 256;

int64_t LinearCrossEntropyOp::getChunkRows(int64_t rows, int64_t h, int64_t v) {
  if (v <= h)
    return rows;
  // rows h is the number of x's elements, which is bounded.
  int64_t wanted = llvm::divideCeil(rows * h, v);
  return std::min<int64_t>(rows, llvm::alignTo(wanted, kRowMultiple));
}

namespace {

/// The operands of either op.
struct Head {
  Value x, weight, targets;
  bool transposed;
  IntegerAttr ignore;
  StringRef path;
  ScopeAttr lossScope;

  template <typename Op>
  explicit Head(Op op)
      : x(op.getX()), weight(op.getWeight()), targets(op.getTargets()), transposed(op.getTransposed()),
        ignore(op.getIgnoreIndexAttr()), path(op.getHead()), lossScope(op.getScope()) {}

  int64_t getRowCount() const { return getRows(x.getType()); }
  int64_t getHidden() const { return getColumns(x.getType()); }
  int64_t getVocabulary() const { return linear::inOut(tensorOf(weight), transposed).second; }
  /// f32, or f64 on the reference.
  Type getWideType() const { return statisticsOf(tensorOf(x)).getElementType(); }
  /// Where the products are.
  ScopeAttr getScope() const {
    return ScopeAttr::get(lossScope.getContext(), lossScope.getSegment(), lossScope.getLayer(), path);
  }
  int64_t getProductFlops() const { return 2 * getRowCount() * getHidden() * getVocabulary(); }
};

LogicalResult verifyHead(Operation *op, const Head &head) {
  auto x = tensorOf(head.x), weight = tensorOf(head.weight);
  if (weight.getRank() != 2)
    return op->emitOpError("takes a weight of two dimensions, found ") << weight;
  if (x.getElementType() != weight.getElementType())
    return op->emitOpError("takes x and a weight of one element type, found ") << x << " and " << weight;
  auto [k, v] = linear::inOut(weight, head.transposed);
  if (x.getRank() < 2 || getColumns(x) != k)
    return op->emitOpError("takes rows of ")
           << k << " elements for the weight " << weight << (head.transposed ? " (transposed)" : "") << ", found " << x;
  if (tensorOf(head.targets).getShape() != x.getShape().drop_back())
    return op->emitOpError("takes x [b, s, h] and targets [b, s], found ") << x << " and " << head.targets.getType();
  if (!tx::detail::countElements({getRows(x), v}))
    return op->emitOpError("has more than 2^56 logits");
  if (!tx::detail::hasCountedFlops({3, getRows(x), v, k}))
    return op->emitOpError("has more than 2^63 FLOPs");
  return tx::detail::verifyName(op, head.path);
}

IdRange rangeOf(const Head &head) { return {head.getVocabulary(), head.ignore.getInt()}; }

/// The rows of one chunk.
class ChunkBuilder {
public:
  ChunkBuilder(OpBuilder &builder, Location loc, const Head &head, int64_t first, int64_t count)
      : builder(builder), loc(loc), head(head), first(first), count(count) {}

  /// The chunk's rows of `whole`, whose rows have the shape `row`.
  Value slice(Value whole, ArrayRef<int64_t> row, ScopeAttr scope) {
    SmallVector<int64_t> shape = {count};
    shape.append(row.begin(), row.end());
    auto type = RankedTensorType::get(shape, tensorOf(whole).getElementType());
    return SliceRowsOp::create(builder, loc, type, whole, first, scope);
  }

  /// Builds logits and losses. `all` has the gradients of all rows' losses; null if there are none. The chunk's part of
  /// them comes before the losses, so that one kernel can have these and the gradient of the logits.
  void buildLosses(Value all) {
    x = slice(head.x, {head.getHidden()}, head.getScope());
    targets = slice(head.targets, {}, head.lossScope);
    dlosses = all ? slice(all, {}, head.lossScope) : Value();
    auto type = RankedTensorType::get({count, head.getVocabulary()}, head.getWideType());
    logits = LinearOp::create(builder, loc, type, x, head.weight, /*bias=*/Value(), head.transposed, head.getScope());
    auto entropy = CrossEntropyOp::create(builder, loc, logits, targets, head.ignore, head.lossScope);
    losses = entropy.getLosses();
    statistics = entropy.getStatistics();
  }

  /// The gradient of the logits, in x's type: a product takes operands of one.
  Value buildLogitsGradient() {
    Value gradient = CrossEntropyGradOp::create(builder, loc, logits.getType(), dlosses, logits, targets, statistics,
                                                head.ignore, head.lossScope);
    auto narrow = tensorOf(gradient).clone(tensorOf(x).getElementType());
    if (gradient.getType() != narrow)
      gradient = CastOp::create(builder, loc, narrow, gradient, head.lossScope);
    return gradient;
  }

  Value x, targets, dlosses, logits, losses, statistics;

private:
  OpBuilder &builder;
  Location loc;
  const Head &head;
  int64_t first, count;
};

/// Builds the chunks' losses, and calls `finishChunk` with each chunk and `finishAll` after the last; `dlosses` as
/// above. Returns the loss's sum and the count, whose op is the last.
SmallVector<Value> expandHead(OpBuilder &builder, Location loc, const Head &head, Value dlosses,
                              llvm::function_ref<void(ChunkBuilder &)> finishChunk,
                              llvm::function_ref<void()> finishAll) {
  int64_t rows = head.getRowCount();
  int64_t chunk = LinearCrossEntropyOp::getChunkRows(rows, head.getHidden(), head.getVocabulary());
  SmallVector<Value> parts;
  for (int64_t first = 0; first < rows; first += chunk) {
    ChunkBuilder part(builder, loc, head, first, std::min(chunk, rows - first));
    part.buildLosses(dlosses);
    finishChunk(part);
    parts.push_back(part.losses);
  }
  finishAll();
  // One sum over all rows, whatever the chunks are.
  auto type = RankedTensorType::get(tensorOf(head.targets).getShape(), head.getWideType());
  Value losses = ConcatRowsOp::create(builder, loc, type, parts, head.lossScope);
  auto reduced = ReduceLossOp::create(builder, loc, losses, head.targets, head.ignore, head.lossScope);
  return {reduced.getSum(), reduced.getCount()};
}

} // namespace

//===--------------------------------------------------------------------------------------------------------------===//
// LinearCrossEntropyOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult LinearCrossEntropyOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                                     SmallVectorImpl<Type> &types) {
  auto x = tensorOf(adaptor.getX());
  if (x.getRank() < 1)
    return inferenceError<LinearCrossEntropyOp>(loc, "takes x [b, s, h], found ", x);
  types.append(2, RankedTensorType::get({}, statisticsOf(x).getElementType()));
  return success();
}

LogicalResult LinearCrossEntropyOp::verify() { return verifyHead(*this, Head(*this)); }

LogicalResult LinearCrossEntropyOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  context.getGradient(getCount()); // none flows through a count
  Value dsum = context.getGradient(getSum());
  if (!dsum)
    return success();
  bool input = context.needsGradient(getX());
  LinearCrossEntropyGradOp gradient;
  auto build = [&](Value acc, Value reset) {
    OpBuilder::InsertionGuard guard(builder);
    SmallVector<Value> needed = {dsum};
    if (acc)
      needed.push_back(acc);
    bool isInForward = context.enterForward(builder, needed);
    gradient = LinearCrossEntropyGradOp::create(builder, getLoc(), getX(), getWeight(), getTargets(), dsum, acc, reset,
                                                getTransposed(), input, getIgnoreIndex(), getHead(),
                                                isInForward ? getScope() : context.getScope());
    if (isInForward)
      context.replaceForward({gradient.getSum(), gradient.getCount()});
  };
  context.accumulate({getWeight()}, [&](ArrayRef<Value> acc, Value reset) -> SmallVector<Value> {
    build(acc[0], reset);
    return {gradient.getDweight()};
  });
  if (!gradient && input)
    build({}, {});
  if (input)
    context.addGradient(getX(), gradient.getDx());
  return success();
}

int64_t LinearCrossEntropyOp::getPredictedSamples() {
  auto targets = tensorOf(getTargets());
  return targets.getRank() == 2 ? targets.getDimSize(0) : 0;
}

Value LinearCrossEntropyOp::buildPrediction(OpBuilder &builder, Value rows) {
  auto x = tensorOf(getX());
  Head head(*this);
  Value chosen = SelectRowsOp::create(builder, getLoc(), getX(), rows, head.getScope());
  auto type = RankedTensorType::get({x.getDimSize(0), head.getVocabulary()}, head.getWideType());
  return LinearOp::create(builder, getLoc(), type, chosen, getWeight(), /*bias=*/Value(), getTransposed(),
                          head.getScope());
}

SmallVector<Value> LinearCrossEntropyOp::expand(OpBuilder &builder) {
  return expandHead(builder, getLoc(), Head(*this), /*dlosses=*/Value(), [](ChunkBuilder &) {}, [] {});
}

std::optional<IdRange> LinearCrossEntropyOp::getIdRange(unsigned operand) {
  if (operand != getTargetsMutable().getOperandNumber())
    return std::nullopt;
  return rangeOf(Head(*this));
}

ReplayKind LinearCrossEntropyOp::getReplayKind() { return ReplayKind::Never; }
int64_t LinearCrossEntropyOp::getMatrixFlops() { return Head(*this).getProductFlops(); }
int64_t LinearCrossEntropyOp::getVectorFlops() {
  Head head(*this);
  return 14 * head.getRowCount() * head.getVocabulary();
}

LinearCrossEntropyOp LinearCrossEntropyOp::join(OpBuilder &builder, ReduceLossOp reduce) {
  auto entropy = reduce.getLosses().getDefiningOp<CrossEntropyOp>();
  if (!entropy || !entropy.getLosses().hasOneUse() || !entropy.getStatistics().use_empty() ||
      entropy.getTargets() != reduce.getTargets() || entropy.getIgnoreIndex() != reduce.getIgnoreIndex())
    return nullptr;
  auto product = entropy.getLogits().getDefiningOp<LinearOp>();
  if (!product || !product.getY().hasOneUse() || product.getBias() || tensorOf(product.getX()).getRank() < 2)
    return nullptr;
  // Logits that are rounded to bf16 are other logits.
  if (getElementTypeOrSelf(product.getY()) != statisticsOf(tensorOf(product.getX())).getElementType())
    return nullptr;
  ScopeAttr scope = product.getScope(), loss = reduce.getScope();
  if (entropy.getScope() != loss || scope.getSegment() != loss.getSegment() || scope.getLayer() != loss.getLayer())
    return nullptr;
  return LinearCrossEntropyOp::create(builder, reduce.getLoc(), product.getX(), product.getWeight(),
                                      reduce.getTargets(), product.getTransposed(), reduce.getIgnoreIndex(),
                                      scope.getPath(), loss);
}

//===--------------------------------------------------------------------------------------------------------------===//
// LinearCrossEntropyGradOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult LinearCrossEntropyGradOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                                         SmallVectorImpl<Type> &types) {
  auto x = tensorOf(adaptor.getX());
  if (x.getRank() < 1)
    return inferenceError<LinearCrossEntropyGradOp>(loc, "takes x [b, s, h], found ", x);
  types.append(2, RankedTensorType::get({}, statisticsOf(x).getElementType()));
  if (adaptor.getInput())
    types.push_back(x);
  if (adaptor.getAcc())
    types.push_back(adaptor.getAcc().getType());
  return success();
}

LogicalResult LinearCrossEntropyGradOp::verify() {
  if (failed(verifyHead(*this, Head(*this))))
    return failure();
  if (getDsum().getType() != getSum().getType())
    return emitOpError("takes the gradient of a sum of type ")
           << getSum().getType() << ", found " << getDsum().getType();
  if (!getInput() && !getAcc())
    return emitOpError("gives no gradient; without one it is tx.linear_cross_entropy");
  if (getReset() && !getAcc())
    return emitOpError("resets an accumulator that it does not have");
  if (getAcc() && tensorOf(getAcc()).getShape() != tensorOf(getWeight()).getShape())
    return emitOpError("takes an accumulator of the weight's shape, found ")
           << getAcc().getType() << " for " << getWeight().getType();
  return success();
}

SmallVector<Value> LinearCrossEntropyGradOp::expand(OpBuilder &builder) {
  Head head(*this);
  Value dlosses =
      ReduceLossGradOp::create(builder, getLoc(), getDsum(), getTargets(), getIgnoreIndexAttr(), head.lossScope);
  Value acc = getAcc(), reset = getReset();
  SmallVector<Value> inputGradients;
  Value dx;
  auto finishChunk = [&](ChunkBuilder &chunk) {
    Value gradient = chunk.buildLogitsGradient();
    if (getInput())
      inputGradients.push_back(LinearInputGradOp::create(builder, getLoc(), chunk.x.getType(), gradient, getWeight(),
                                                         getTransposed(), head.getScope()));
    if (!acc)
      return;
    acc = LinearWeightGradOp::create(builder, getLoc(), acc.getType(), /*sums=*/Type(), chunk.x, gradient, acc, reset,
                                     getTransposed(), head.getScope())
              .getResult();
    reset = {}; // later chunks add to the first
  };
  auto finishAll = [&] {
    if (getInput())
      dx = ConcatRowsOp::create(builder, getLoc(), getX().getType(), inputGradients, head.getScope());
  };
  SmallVector<Value> results = expandHead(builder, getLoc(), head, dlosses, finishChunk, finishAll);
  if (dx)
    results.push_back(dx);
  if (acc)
    results.push_back(acc);
  return results;
}

StringRef LinearCrossEntropyGradOp::getResultLabel(unsigned number) {
  constexpr StringLiteral labels[] = {"", "count", "input_grad", "weight_grad"};
  return labels[number == 2 && !getInput() ? 3 : number];
}

std::optional<IdRange> LinearCrossEntropyGradOp::getIdRange(unsigned operand) {
  if (operand != getTargetsMutable().getOperandNumber())
    return std::nullopt;
  return rangeOf(Head(*this));
}

SmallVector<std::pair<unsigned, unsigned>> LinearCrossEntropyGradOp::getTies() {
  if (!getAcc())
    return {};
  return {{getAccMutable().begin()->getOperandNumber(), getNumResults() - 1}};
}

Value LinearCrossEntropyGradOp::getResetValue() { return getReset(); }
ReplayKind LinearCrossEntropyGradOp::getReplayKind() { return ReplayKind::Never; }
int64_t LinearCrossEntropyGradOp::getGradientFlops() {
  return Head(*this).getProductFlops() * (int64_t(getInput()) + (getAcc() ? 1 : 0));
}
int64_t LinearCrossEntropyGradOp::getMatrixFlops() { return Head(*this).getProductFlops() + getGradientFlops(); }
int64_t LinearCrossEntropyGradOp::getVectorFlops() {
  Head head(*this);
  return 28 * head.getRowCount() * head.getVocabulary();
}
