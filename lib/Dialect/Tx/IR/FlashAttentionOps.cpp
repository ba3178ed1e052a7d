//===- FlashAttentionOps.cpp - Core attention in one op -----------------------------------------------------------===//

#include "OpUtils.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tx;

namespace {

/// The sizes that forward and backward share, taken from the types of q and k.
struct AttentionShape {
  int64_t batch, queries, keys, heads, keyHeads, width;
  bool causal;

  template <typename OpT> static AttentionShape of(OpT op) {
    auto q = tensorOf(op.getQ()), k = tensorOf(op.getK());
    AttentionShape shape;
    shape.batch = q.getDimSize(0);
    shape.queries = q.getDimSize(1);
    shape.keys = k.getDimSize(1);
    shape.heads = op.getHeads();
    shape.width = q.getDimSize(2) / shape.heads;
    shape.keyHeads = k.getDimSize(2) / shape.width;
    shape.causal = op.getCausal();
    return shape;
  }

  /// The number of scores that are not masked.
  int64_t countScores() const {
    int64_t perHead = causal ? queries * (queries + 1) / 2 : queries * keys;
    return batch * heads * perHead;
  }
  int64_t countProducts(int64_t products) const { return 2 * products * width * countScores(); }
  int64_t countQueryTiles() const {
    constexpr int64_t tile = FlashAttentionOp::kTile;
    return batch * heads * llvm::divideCeil(queries, tile);
  }
  int64_t countKeyTiles() const {
    constexpr int64_t tile = FlashAttentionOp::kTile;
    return batch * keyHeads * llvm::divideCeil(keys, tile);
  }
};

} // namespace

/// Checks the shapes of q and k. `report` makes the diagnostic.
template <typename Report>
static LogicalResult verifyShapes(Report report, RankedTensorType q, RankedTensorType k, int64_t heads) {
  if (q.getRank() != 3 || k.getRank() != 3 || q.getDimSize(0) != k.getDimSize(0))
    return report("takes q [b, s, h] and k, v [b, t, g], found ", q, " and ", k);
  int64_t hidden = q.getDimSize(2);
  if (heads < 1 || hidden % heads)
    return report("has ", heads, " heads, which do not divide a hidden size of ", hidden);
  int64_t width = hidden / heads, columns = k.getDimSize(2);
  if (width == 0 || columns % width || columns == 0 || heads % (columns / width))
    return report("has ", heads, " heads of width ", width, ", which do not share keys and values of width ", columns,
                  " evenly");
  return success();
}

template <typename OpT> static LogicalResult verifyFlash(OpT op) {
  auto q = tensorOf(op.getQ()), k = tensorOf(op.getK());
  auto report = [&](auto &&...parts) -> LogicalResult { return (op.emitOpError() << ... << parts); };
  if (failed(verifyShapes(report, q, k, op.getHeads())))
    return failure();
  if (q.getElementType() != k.getElementType())
    return report("takes q, k and v of one element type, found ", q, " and ", k);
  if (op.getCausal() && k.getDimSize(1) < q.getDimSize(1))
    return report("is causal and takes t >= s, found ", q, " and ", k);
  double p = op.getProbability().convertToDouble();
  if (!(p >= 0 && p < 1))
    return report("takes a probability in [0, 1), found ", p);
  if (Value key = op.getKey()) {
    auto type = tensorOf(key);
    if (type.getRank() != 1 || type.getDimSize(0) != 4)
      return report("takes a key of four words, found ", type);
  } else if (p > 0) {
    return report("has dropout of ", p, " and no key");
  }
  AttentionShape shape = AttentionShape::of(op);
  GemmForm products{shape.queries, shape.keys, 5 * shape.width, shape.batch, shape.heads};
  return tx::detail::verifyFlops(op, products);
}

static RankedTensorType lseType(RankedTensorType q, int64_t heads) {
  Type element = q.getElementType();
  if (!element.isF64())
    element = Float32Type::get(q.getContext());
  return RankedTensorType::get({q.getDimSize(0), heads, q.getDimSize(1)}, element);
}

// Elementwise FLOPs for one score: the softmax's arithmetic, and 22 for the random word if there is dropout.
static int64_t perScore(bool hasDropout, int64_t arithmetic) { return arithmetic + (hasDropout ? 22 : 0); }

template <typename OpT> static AttentionForm formOf(OpT op, bool backward, std::initializer_list<Value> values) {
  AttentionShape shape = AttentionShape::of(op);
  AttentionForm form{};
  form.backward = backward;
  form.causal = shape.causal;
  form.scale = op.getScale().convertToDouble();
  form.dropout = op.getProbability().convertToDouble();
  form.batch = shape.batch;
  form.queries = shape.queries;
  form.keys = shape.keys;
  form.heads = shape.heads;
  form.keyHeads = shape.keyHeads;
  form.width = form.valueWidth = shape.width;
  form.values = values;
  return form;
}

//===--------------------------------------------------------------------------------------------------------------===//
// FlashAttentionOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult FlashAttentionOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                                 SmallVectorImpl<Type> &types) {
  auto q = tensorOf(adaptor.getQ()), k = tensorOf(adaptor.getK());
  int64_t heads = adaptor.getHeads();
  auto report = [&](auto &&...parts) -> LogicalResult { return inferenceError<FlashAttentionOp>(loc, parts...); };
  if (failed(verifyShapes(report, q, k, heads)))
    return failure();
  types.push_back(q);
  types.push_back(lseType(q, heads));
  return success();
}

LogicalResult FlashAttentionOp::verify() { return verifyFlash(*this); }

LogicalResult FlashAttentionOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  if (context.getGradient(getLse()))
    return emitOpError("has no gradient by its log-sum-exp");
  Value dy = context.getGradient(getResult());
  Value operands[] = {getQ(), getK(), getV()};
  auto needed = [&](Value operand) { return context.needsGradient(operand); };
  if (!dy || llvm::none_of(operands, needed))
    return success();
  auto grad = FlashAttentionGradOp::create(builder, getLoc(), dy, getQ(), getK(), getV(), getResult(), getLse(),
                                           getKey(), getHeadsAttr(), getScaleAttr(), getCausalAttr(),
                                           getProbabilityAttr(), context.getScope());
  for (auto [operand, gradient] : llvm::zip(operands, grad->getResults()))
    if (needed(operand))
      context.addGradient(operand, gradient);
  return success();
}

void FlashAttentionOp::removeRandomness() {
  getKeyMutable().clear();
  setProbability(llvm::APFloat(0.0));
}

ReplayKind FlashAttentionOp::getReplayKind() { return getKey() ? ReplayKind::Keyed : ReplayKind::Exact; }
Value FlashAttentionOp::getReplayKey() { return getKey(); }
KernelKind FlashAttentionOp::getKernelKind() { return KernelKind::Tile; }
std::pair<int64_t, int64_t> FlashAttentionOp::getKernelSpace() {
  AttentionShape shape = AttentionShape::of(*this);
  return {shape.countQueryTiles(), kTile * shape.keys};
}
int64_t FlashAttentionOp::getMatrixFlops() { return AttentionShape::of(*this).countProducts(2); }
int64_t FlashAttentionOp::getVectorFlops() {
  return perScore(getKey() != nullptr, 15) * AttentionShape::of(*this).countScores();
}
AttentionForm FlashAttentionOp::getAttentionForm() {
  return formOf(*this, /*backward=*/false, {getQ(), getK(), getV(), getResult(), getLse()});
}

//===--------------------------------------------------------------------------------------------------------------===//
// FlashAttentionGradOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult FlashAttentionGradOp::verify() {
  if (failed(verifyFlash(*this)))
    return failure();
  auto expected = lseType(tensorOf(getQ()), getHeads());
  if (getLse().getType() != expected)
    return emitOpError("takes a log-sum-exp of ") << expected << ", found " << getLse().getType();
  return success();
}

ReplayKind FlashAttentionGradOp::getReplayKind() { return getKey() ? ReplayKind::Keyed : ReplayKind::Exact; }
Value FlashAttentionGradOp::getReplayKey() { return getKey(); }
StringRef FlashAttentionGradOp::getForwardName() { return FlashAttentionOp::getOperationName(); }
KernelKind FlashAttentionGradOp::getKernelKind() { return KernelKind::Tile; }
// The kernel has two sorts of tiles: tiles of keys give dK and dV, tiles of queries give dQ.
std::pair<int64_t, int64_t> FlashAttentionGradOp::getKernelSpace() {
  AttentionShape shape = AttentionShape::of(*this);
  return {shape.countKeyTiles() + shape.countQueryTiles(),
          FlashAttentionOp::kTile * std::max(shape.queries, shape.keys)};
}
// Five products: scores, dP, dV, dQ and dK. What a kernel computes twice counts once.
int64_t FlashAttentionGradOp::getMatrixFlops() { return AttentionShape::of(*this).countProducts(5); }
int64_t FlashAttentionGradOp::getVectorFlops() {
  return perScore(getKey() != nullptr, 17) * AttentionShape::of(*this).countScores();
}
AttentionForm FlashAttentionGradOp::getAttentionForm() {
  return formOf(*this, /*backward=*/true,
                {getQ(), getK(), getV(), getY(), getLse(), getDy(), getDq(), getDk(), getDv()});
}
