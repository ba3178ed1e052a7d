//===- ElementwiseOps.cpp - Residual add, activations, dropout ----------------------------------------------------===//

#include "OpUtils.h"

using namespace mlir;
using namespace tx;

//===--------------------------------------------------------------------------------------------------------------===//
// AddOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult AddOp::verify() { return success(); }

LogicalResult AddOp::buildBackward(OpBuilder &, BackwardContext &context) {
  Value dy = context.getGradient(getResult());
  if (!dy)
    return success();
  context.addGradient(getLhs(), dy);
  context.addGradient(getRhs(), dy);
  return success();
}

KernelKind AddOp::getKernelKind() { return KernelKind::Row; }
std::pair<int64_t, int64_t> AddOp::getKernelSpace() { return rowSpace(getResult()); }
SmallVector<unsigned> AddOp::getInPlaceOperands() { return {0, 1}; }

//===--------------------------------------------------------------------------------------------------------------===//
// CastOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult CastOp::verify() {
  auto x = tensorOf(getX()), y = tensorOf(getY());
  if (x.getShape() != y.getShape())
    return emitOpError("gives x's shape, found ") << y << " from " << x;
  return success();
}

LogicalResult CastOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  Value dy = context.getGradient(getY());
  if (dy && context.needsGradient(getX()))
    context.addGradient(getX(), CastOp::create(builder, getLoc(), getX().getType(), dy, context.getScope()));
  return success();
}

KernelKind CastOp::getKernelKind() { return KernelKind::Row; }
std::pair<int64_t, int64_t> CastOp::getKernelSpace() { return rowSpace(getY()); }

//===--------------------------------------------------------------------------------------------------------------===//
// GeluOp, GeluGradOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult GeluOp::verify() { return success(); }

LogicalResult GeluOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  Value dy = context.getGradient(getY());
  if (dy && context.needsGradient(getX()))
    context.addGradient(getX(), GeluGradOp::create(builder, getLoc(), dy, getX(), context.getScope()));
  return success();
}

KernelKind GeluOp::getKernelKind() { return KernelKind::Row; }
std::pair<int64_t, int64_t> GeluOp::getKernelSpace() { return rowSpace(getY()); }
SmallVector<unsigned> GeluOp::getInPlaceOperands() { return {0}; }
int64_t GeluOp::getVectorFlops() { return 14 * tensorOf(getX()).getNumElements(); }

LogicalResult GeluGradOp::verify() { return success(); }
KernelKind GeluGradOp::getKernelKind() { return KernelKind::Row; }
std::pair<int64_t, int64_t> GeluGradOp::getKernelSpace() { return rowSpace(getDx()); }
SmallVector<unsigned> GeluGradOp::getInPlaceOperands() { return {0, 1}; }
int64_t GeluGradOp::getVectorFlops() { return 22 * tensorOf(getX()).getNumElements(); }

//===--------------------------------------------------------------------------------------------------------------===//
// SwigluOp, SwigluGradOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult SwigluOp::verify() { return success(); }

LogicalResult SwigluOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  Value dy = context.getGradient(getY());
  if (!dy || (!context.needsGradient(getGate()) && !context.needsGradient(getUp())))
    return success();
  auto grad =
      SwigluGradOp::create(builder, getLoc(), dy.getType(), dy.getType(), dy, getGate(), getUp(), context.getScope());
  if (context.needsGradient(getGate()))
    context.addGradient(getGate(), grad.getDgate());
  if (context.needsGradient(getUp()))
    context.addGradient(getUp(), grad.getDup());
  return success();
}

KernelKind SwigluOp::getKernelKind() { return KernelKind::Row; }
std::pair<int64_t, int64_t> SwigluOp::getKernelSpace() { return rowSpace(getY()); }
SmallVector<unsigned> SwigluOp::getInPlaceOperands() { return {0, 1}; }
int64_t SwigluOp::getVectorFlops() { return 12 * tensorOf(getY()).getNumElements(); }

LogicalResult SwigluGradOp::verify() { return success(); }
KernelKind SwigluGradOp::getKernelKind() { return KernelKind::Row; }
std::pair<int64_t, int64_t> SwigluGradOp::getKernelSpace() { return rowSpace(getDup()); }
SmallVector<unsigned> SwigluGradOp::getInPlaceOperands() { return {0, 1, 2}; }
int64_t SwigluGradOp::getVectorFlops() { return 18 * tensorOf(getDup()).getNumElements(); }

//===--------------------------------------------------------------------------------------------------------------===//
// DropoutOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult DropoutOp::verify() {
  auto key = tensorOf(getKey());
  if (key.getRank() != 1 || key.getDimSize(0) != 4)
    return emitOpError("takes a key of four words, found ") << key;
  if (tensorOf(getX()).getRank() < 2)
    return emitOpError("takes x [b, ..., n], found ") << getX().getType();
  double p = getProbability().convertToDouble();
  if (!(p >= 0 && p < 1))
    return emitOpError("takes a probability in [0, 1), found ") << p;
  return success();
}

OpFoldResult DropoutOp::fold(FoldAdaptor) { return getProbability().isZero() ? getX() : OpFoldResult(); }

// The mask is a function of the element's index and the key, so the gradient is dropout of dy with the same key.
LogicalResult DropoutOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  Value dy = context.getGradient(getResult());
  if (dy && context.needsGradient(getX()))
    context.addGradient(getX(), DropoutOp::create(builder, getLoc(), dy.getType(), dy, getKey(), getProbabilityAttr(),
                                                  context.getScope()));
  return success();
}

Value DropoutOp::getEvaluationValue() { return getX(); }
ReplayKind DropoutOp::getReplayKind() { return ReplayKind::Keyed; }
Value DropoutOp::getReplayKey() { return getKey(); }
KernelKind DropoutOp::getKernelKind() { return KernelKind::Row; }
std::pair<int64_t, int64_t> DropoutOp::getKernelSpace() { return rowSpace(getX()); }
SmallVector<unsigned> DropoutOp::getInPlaceOperands() { return {0}; }
// Ten Philox rounds of about 8 integer operations each give four random words: about 20 operations for an element, and
// 2 to apply the mask.
int64_t DropoutOp::getVectorFlops() { return 22 * tensorOf(getX()).getNumElements(); }

//===--------------------------------------------------------------------------------------------------------------===//
// ZerosOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult ZerosOp::verify() { return success(); }
KernelKind ZerosOp::getKernelKind() { return KernelKind::Row; }
std::pair<int64_t, int64_t> ZerosOp::getKernelSpace() { return rowSpace(getResult()); }
