//===- AttentionOps.cpp - Unfused core attention ------------------------------------------------------------------===//

#include "OpUtils.h"

using namespace mlir;
using namespace tx;

/// A product's operand in a tensor [b, s, h]: its matrix for batch entry (i0, i1) is sample i0, head i1.
static GemmOperand byHead(Value value, int64_t heads) {
  auto type = tensorOf(value);
  GemmOperand operand{value};
  operand.rowsPerBatch0 = type.getDimSize(1);
  operand.columnsPerBatch1 = type.getDimSize(2) / heads;
  return operand;
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
  if (q.getRank() != 3 || k.getRank() != 3 || q.getDimSize(0) != k.getDimSize(0) || q.getDimSize(2) != k.getDimSize(2))
    return inferenceError<AttentionScoresOp>(loc, "takes q [b, s, h] and k [b, t, h], found ", q, " and ", k);
  if (heads < 1 || q.getDimSize(2) % heads)
    return inferenceError<AttentionScoresOp>(loc, "has ", heads, " heads, which do not divide a hidden size of ",
                                             q.getDimSize(2));
  if (!tx::detail::hasCountedFlops({q.getDimSize(0), q.getDimSize(1), k.getDimSize(1), q.getDimSize(2)}))
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
  auto side = [&](Value other, bool transposed, Type type) {
    return AttentionContextOp::create(builder, getLoc(), type, dy, other,
                                      transposed ? builder.getUnitAttr() : UnitAttr(), getScaleAttr(),
                                      context.getScope());
  };
  if (context.needsGradient(getQ()))
    context.addGradient(getQ(), side(getK(), /*transposed=*/false, getQ().getType()));
  if (context.needsGradient(getK()))
    context.addGradient(getK(), side(getQ(), /*transposed=*/true, getK().getType()));
  return success();
}

GemmForm AttentionScoresOp::getGemmForm() {
  auto q = tensorOf(getQ()), k = tensorOf(getK());
  int64_t heads = getHeads();
  GemmForm form{q.getDimSize(1), k.getDimSize(1), q.getDimSize(2) / heads, q.getDimSize(0), heads};
  form.a = byHead(getQ(), heads);
  form.b = byHead(getK(), heads);
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
    return inferenceError<AttentionContextOp>(loc, "takes p [b, a, s, t] and v [b, t, h], found ", p, " and ", v);
  bool transposed = adaptor.getTransposed();
  if (p.getDimSize(transposed ? 2 : 3) != v.getDimSize(1))
    return inferenceError<AttentionContextOp>(loc, "sums over ", p.getDimSize(transposed ? 2 : 3),
                                              transposed ? " rows" : " columns", " of p and ", v.getDimSize(1),
                                              " rows of v");
  if (p.getDimSize(1) < 1 || v.getDimSize(2) % p.getDimSize(1))
    return inferenceError<AttentionContextOp>(loc, "has ", p.getDimSize(1),
                                              " heads, which do not divide a hidden size of ", v.getDimSize(2));
  if (!tx::detail::hasCountedFlops({v.getDimSize(0), p.getDimSize(2), p.getDimSize(3), v.getDimSize(2)}))
    return inferenceError<AttentionContextOp>(loc, "has more than 2^63 FLOPs");
  types.push_back(
      RankedTensorType::get({v.getDimSize(0), p.getDimSize(transposed ? 3 : 2), v.getDimSize(2)}, v.getElementType()));
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
  if (context.needsGradient(getV()))
    context.addGradient(getV(), AttentionContextOp::create(builder, getLoc(), getV().getType(), getP(), dy,
                                                           transposed ? UnitAttr() : builder.getUnitAttr(),
                                                           getScaleAttr(), context.getScope()));
  return success();
}

GemmForm AttentionContextOp::getGemmForm() {
  auto p = tensorOf(getP()), v = tensorOf(getV());
  int64_t heads = p.getDimSize(1);
  bool transposed = getTransposed();
  GemmForm form{p.getDimSize(transposed ? 3 : 2), v.getDimSize(2) / heads, p.getDimSize(transposed ? 2 : 3),
                p.getDimSize(0), heads};
  form.a = byMatrix(getP(), transposed);
  form.b = byHead(getV(), heads);
  form.c = byHead(getResult(), heads);
  form.alpha = getScale().convertToDouble();
  return form;
}

KernelKind AttentionContextOp::getKernelKind() { return KernelKind::Gemm; }
std::pair<int64_t, int64_t> AttentionContextOp::getKernelSpace() { return rowSpace(getResult()); }
int64_t AttentionContextOp::getMatrixFlops() { return getGemmForm().getFlops(); }
int64_t AttentionContextOp::getVectorFlops() { return 0; }
