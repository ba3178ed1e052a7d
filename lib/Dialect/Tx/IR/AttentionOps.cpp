//===- AttentionOps.cpp - Unfused core attention ------------------------------------------------------------------===//

#include "OpUtils.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tx;

/// A product's operand in a tensor [b, s, g d] with heads of `width` d: its matrix for batch entry (i0, i1) is sample
/// i0, and of `heads` heads the one that head i1 has, alone or together with its neighbors.
static GemmOperand byHead(Value value, int64_t heads, int64_t width) {
  auto type = tensorOf(value);
  GemmOperand operand{value};
  operand.rowsPerBatch0 = type.getDimSize(1);
  operand.columnsPerBatch1 = width;
  operand.repeat = heads / (type.getDimSize(2) / width);
  return operand;
}

/// The gradient by a tensor of `type` from that of each head, where several heads may share one of the tensor's.
static Value sumSharedHeads(OpBuilder &builder, Location loc, Value perHead, RankedTensorType type, int64_t heads,
                            ScopeAttr scope) {
  int64_t columns = tensorOf(perHead).getDimSize(2);
  if (columns == type.getDimSize(2))
    return perHead;
  int64_t groups = type.getDimSize(2) / (columns / heads);
  return SumHeadGroupsOp::create(builder, loc, perHead, heads, groups, scope);
}

/// The same for a tensor [b, a, s, t].
static GemmOperand byMatrix(Value value, bool transpose = false) {
  auto type = tensorOf(value);
  GemmOperand operand{value, transpose};
  operand.rowsPerBatch0 = type.getDimSize(1) * type.getDimSize(2);
  operand.rowsPerBatch1 = type.getDimSize(2);
  return operand;
}

//===--------------------------------------------------------------------------------------------------------------===//
// AttentionScoresOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult AttentionScoresOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                                  SmallVectorImpl<Type> &types) {
  auto q = tensorOf(adaptor.getQ()), k = tensorOf(adaptor.getK());
  int64_t heads = adaptor.getHeads();
  if (q.getRank() != 3 || k.getRank() != 3 || q.getDimSize(0) != k.getDimSize(0))
    return inferenceError<AttentionScoresOp>(loc, "takes q [b, s, a d] and k [b, t, g d], found ", q, " and ", k);
  int64_t columns = std::max(q.getDimSize(2), k.getDimSize(2)), fewer = std::min(q.getDimSize(2), k.getDimSize(2));
  if (heads < 1 || columns == 0 || columns % heads)
    return inferenceError<AttentionScoresOp>(loc, "has ", heads, " heads, which do not divide a hidden size of ",
                                             columns);
  int64_t width = columns / heads;
  if (fewer == 0 || fewer % width || heads % (fewer / width))
    return inferenceError<AttentionScoresOp>(loc, "has ", heads, " heads of width ", width, ", which do not share ",
                                             fewer, " columns evenly");
  if (!tx::detail::hasCountedFlops({q.getDimSize(0), q.getDimSize(1), k.getDimSize(1), columns}))
    return inferenceError<AttentionScoresOp>(loc, "has more than 2^63 FLOPs");
  types.push_back(
      RankedTensorType::get({q.getDimSize(0), heads, q.getDimSize(1), k.getDimSize(1)}, q.getElementType()));
  return success();
}

LogicalResult AttentionScoresOp::verify() {
  auto q = tensorOf(getQ()), k = tensorOf(getK());
  if (q.getElementType() != k.getElementType())
    return emitOpError("takes q and k of one element type, found ") << q << " and " << k;
  return success();
}

LogicalResult AttentionScoresOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  Value dy = context.getGradient(getScores());
  if (!dy)
    return success();
  int64_t heads = getHeads(), width = getHeadWidth();
  auto addSide = [&](Value side, Value other, bool transposed) {
    if (!context.needsGradient(side))
      return;
    int64_t ofOther = tensorOf(other).getDimSize(2) / width;
    auto perHead = AttentionContextOp::create(
        builder, getLoc(), dy, other, transposed ? builder.getUnitAttr() : UnitAttr(),
        ofOther == heads ? IntegerAttr() : builder.getI64IntegerAttr(ofOther), getScaleAttr(), context.getScope());
    context.addGradient(side, sumSharedHeads(builder, getLoc(), perHead, tensorOf(side), heads, context.getScope()));
  };
  addSide(getQ(), getK(), /*transposed=*/false);
  addSide(getK(), getQ(), /*transposed=*/true);
  return success();
}

int64_t AttentionScoresOp::getHeadWidth() {
  return std::max(tensorOf(getQ()).getDimSize(2), tensorOf(getK()).getDimSize(2)) / static_cast<int64_t>(getHeads());
}

GemmForm AttentionScoresOp::getGemmForm() {
  auto q = tensorOf(getQ()), k = tensorOf(getK());
  int64_t heads = getHeads(), width = getHeadWidth();
  GemmForm form{q.getDimSize(1), k.getDimSize(1), width, q.getDimSize(0), heads};
  form.a = byHead(getQ(), heads, width);
  form.b = byHead(getK(), heads, width);
  form.b.transpose = true;
  form.c = byMatrix(getScores());
  form.alpha = getScale().convertToDouble();
  return form;
}

KernelKind AttentionScoresOp::getKernelKind() { return KernelKind::Gemm; }
std::pair<int64_t, int64_t> AttentionScoresOp::getKernelSpace() { return rowSpace(getScores()); }
int64_t AttentionScoresOp::getMatrixFlops() { return getGemmForm().getFlops(); }
int64_t AttentionScoresOp::getVectorFlops() { return 0; }

//===--------------------------------------------------------------------------------------------------------------===//
// SoftmaxOp, SoftmaxGradOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult SoftmaxOp::verify() {
  auto type = tensorOf(getX());
  if (type.getRank() < 1)
    return emitOpError("needs rows, found ") << type;
  if (getCausal() && (type.getRank() < 2 || type.getShape().back() < type.getDimSize(type.getRank() - 2)))
    return emitOpError("is causal and takes [..., s, t] with t >= s, found ") << type;
  return success();
}

LogicalResult SoftmaxOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  Value dy = context.getGradient(getY());
  if (dy && context.needsGradient(getX()))
    context.addGradient(getX(), SoftmaxGradOp::create(builder, getLoc(), dy, getY(), context.getScope()));
  return success();
}

KernelKind SoftmaxOp::getKernelKind() { return KernelKind::Row; }
unsigned SoftmaxOp::getReductionPasses() { return 2; }
std::pair<int64_t, int64_t> SoftmaxOp::getKernelSpace() { return rowSpace(getY()); }
SmallVector<unsigned> SoftmaxOp::getInPlaceOperands() { return {0}; }
int64_t SoftmaxOp::getVectorFlops() { return 15 * tensorOf(getX()).getNumElements(); }

LogicalResult SoftmaxGradOp::verify() {
  if (tensorOf(getY()).getRank() < 1)
    return emitOpError("needs rows, found ") << getY().getType();
  return success();
}

KernelKind SoftmaxGradOp::getKernelKind() { return KernelKind::Row; }
unsigned SoftmaxGradOp::getReductionPasses() { return 1; }
std::pair<int64_t, int64_t> SoftmaxGradOp::getKernelSpace() { return rowSpace(getDx()); }
SmallVector<unsigned> SoftmaxGradOp::getInPlaceOperands() { return {0, 1}; }
int64_t SoftmaxGradOp::getVectorFlops() { return 4 * tensorOf(getDx()).getNumElements(); }

//===--------------------------------------------------------------------------------------------------------------===//
// AttentionContextOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult AttentionContextOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                                   SmallVectorImpl<Type> &types) {
  auto p = tensorOf(adaptor.getP()), v = tensorOf(adaptor.getV());
  if (p.getRank() != 4 || v.getRank() != 3 || p.getDimSize(0) != v.getDimSize(0))
    return inferenceError<AttentionContextOp>(loc, "takes p [b, a, s, t] and v [b, t, g d], found ", p, " and ", v);
  bool transposed = adaptor.getTransposed();
  if (p.getDimSize(transposed ? 2 : 3) != v.getDimSize(1))
    return inferenceError<AttentionContextOp>(loc, "sums over ", p.getDimSize(transposed ? 2 : 3),
                                              transposed ? " rows" : " columns", " of p and ", v.getDimSize(1),
                                              " rows of v");
  int64_t heads = p.getDimSize(1), groups = adaptor.getGroups().value_or(heads);
  if (groups < 1 || heads < 1 || heads % groups)
    return inferenceError<AttentionContextOp>(loc, "has ", heads, " heads of p, which do not share ", groups,
                                              " heads of v evenly");
  if (v.getDimSize(2) % groups)
    return inferenceError<AttentionContextOp>(loc, "has ", groups, " heads, which do not divide a hidden size of ",
                                              v.getDimSize(2));
  int64_t width = v.getDimSize(2) / groups, columns = 0;
  if (llvm::MulOverflow(heads, width, columns) ||
      !tx::detail::hasCountedFlops({v.getDimSize(0), p.getDimSize(2), p.getDimSize(3), columns}))
    return inferenceError<AttentionContextOp>(loc, "has more than 2^63 FLOPs");
  types.push_back(
      RankedTensorType::get({v.getDimSize(0), p.getDimSize(transposed ? 3 : 2), columns}, v.getElementType()));
  return success();
}

LogicalResult AttentionContextOp::verify() {
  auto p = tensorOf(getP()), v = tensorOf(getV());
  if (p.getElementType() != v.getElementType())
    return emitOpError("takes p and v of one element type, found ") << p << " and " << v;
  return success();
}

LogicalResult AttentionContextOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  Value dy = context.getGradient(getResult());
  if (!dy)
    return success();
  // Of P^T V: dP = V dy^T, dV = P dy.
  bool transposed = getTransposed();
  if (context.needsGradient(getP()))
    context.addGradient(getP(), AttentionScoresOp::create(builder, getLoc(), getP().getType(), transposed ? getV() : dy,
                                                          transposed ? dy : getV(),
                                                          builder.getI64IntegerAttr(tensorOf(getP()).getDimSize(1)),
                                                          getScaleAttr(), context.getScope()));
  if (context.needsGradient(getV())) {
    auto perHead =
        AttentionContextOp::create(builder, getLoc(), getP(), dy, transposed ? UnitAttr() : builder.getUnitAttr(),
                                   /*groups=*/IntegerAttr(), getScaleAttr(), context.getScope());
    context.addGradient(getV(), sumSharedHeads(builder, getLoc(), perHead, tensorOf(getV()),
                                               tensorOf(getP()).getDimSize(1), context.getScope()));
  }
  return success();
}

GemmForm AttentionContextOp::getGemmForm() {
  auto p = tensorOf(getP());
  int64_t heads = p.getDimSize(1), width = tensorOf(getResult()).getDimSize(2) / heads;
  bool transposed = getTransposed();
  GemmForm form{p.getDimSize(transposed ? 3 : 2), width, p.getDimSize(transposed ? 2 : 3), p.getDimSize(0), heads};
  form.a = byMatrix(getP(), transposed);
  form.b = byHead(getV(), heads, width);
  form.c = byHead(getResult(), heads, width);
  form.alpha = getScale().convertToDouble();
  return form;
}

KernelKind AttentionContextOp::getKernelKind() { return KernelKind::Gemm; }
std::pair<int64_t, int64_t> AttentionContextOp::getKernelSpace() { return rowSpace(getResult()); }
int64_t AttentionContextOp::getMatrixFlops() { return getGemmForm().getFlops(); }
int64_t AttentionContextOp::getVectorFlops() { return 0; }

//===--------------------------------------------------------------------------------------------------------------===//
// SumHeadGroupsOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult SumHeadGroupsOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                                SmallVectorImpl<Type> &types) {
  auto x = tensorOf(adaptor.getX());
  int64_t heads = adaptor.getHeads(), groups = adaptor.getGroups();
  if (x.getRank() != 3)
    return inferenceError<SumHeadGroupsOp>(loc, "takes x [b, t, a d], found ", x);
  if (heads < 1 || x.getDimSize(2) % heads)
    return inferenceError<SumHeadGroupsOp>(loc, "has ", heads, " heads, which do not divide a hidden size of ",
                                           x.getDimSize(2));
  if (groups < 1 || heads % groups)
    return inferenceError<SumHeadGroupsOp>(loc, "sums ", heads, " heads in ", groups, " groups, which are not equal");
  types.push_back(
      RankedTensorType::get({x.getDimSize(0), x.getDimSize(1), x.getDimSize(2) / heads * groups}, x.getElementType()));
  return success();
}

LogicalResult SumHeadGroupsOp::verify() { return success(); }

KernelKind SumHeadGroupsOp::getKernelKind() { return KernelKind::Row; }
/// A row is a group: its parts are the heads that are added.
std::pair<int64_t, int64_t> SumHeadGroupsOp::getKernelSpace() {
  int64_t groups = getGroups();
  return {getRows(getX().getType()) * groups, tensorOf(getResult()).getDimSize(2) / groups};
}
int64_t SumHeadGroupsOp::getVectorFlops() {
  return tensorOf(getX()).getNumElements() - tensorOf(getResult()).getNumElements();
}
