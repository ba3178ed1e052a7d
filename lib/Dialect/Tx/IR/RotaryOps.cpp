//===- RotaryOps.cpp - Rotary position embedding ------------------------------------------------------------------===//

#include "OpUtils.h"

#include <cmath>
#include <numeric>

using namespace mlir;
using namespace tx;

//===--------------------------------------------------------------------------------------------------------------===//
// PositionsOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult PositionsOp::verify() {
  if (tensorOf(getResult()).getRank() != 1)
    return emitOpError("gives positions [s], found ") << getResult().getType();
  return success();
}

KernelKind PositionsOp::getKernelKind() { return KernelKind::Row; }
std::pair<int64_t, int64_t> PositionsOp::getKernelSpace() { return rowSpace(getResult()); }

//===--------------------------------------------------------------------------------------------------------------===//
// RopeTableOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult RopeTableOp::inferReturnTypes(MLIRContext *context, std::optional<Location>, Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  SmallVector<int64_t> shape(tensorOf(adaptor.getPositions()).getShape());
  shape.push_back(adaptor.getFrequencies().size());
  types.append(2, RankedTensorType::get(shape, Float32Type::get(context)));
  return success();
}

LogicalResult RopeTableOp::verify() {
  auto positions = tensorOf(getPositions());
  if (positions.getRank() != 1 && positions.getRank() != 2)
    return emitOpError("takes positions [s] or [b, s], found ") << positions;
  for (double frequency : getFrequencies())
    if (!std::isfinite(frequency) || !std::isfinite(static_cast<float>(frequency)))
      return emitOpError("takes frequencies that are finite in f32, found ") << frequency;
  if (!std::isfinite(getScale().convertToDouble()))
    return emitOpError("takes a finite scale, found ") << getScale().convertToDouble();
  return success();
}

KernelKind RopeTableOp::getKernelKind() { return KernelKind::Row; }
std::pair<int64_t, int64_t> RopeTableOp::getKernelSpace() { return rowSpace(getCos()); }
int64_t RopeTableOp::getVectorFlops() { return 40 * tensorOf(getCos()).getNumElements(); }

//===--------------------------------------------------------------------------------------------------------------===//
// RopeOp
//===--------------------------------------------------------------------------------------------------------------===//

int64_t RopeOp::getHeadSize() { return getColumns(getX().getType()) / getHeads(); }
int64_t RopeOp::getRotated() { return 2 * getColumns(getCos().getType()); }

LogicalResult RopeOp::verify() {
  auto x = tensorOf(getX()), cos = tensorOf(getCos());
  int64_t heads = getHeads();
  if (x.getRank() != 3)
    return emitOpError("takes x [b, s, h], found ") << x;
  if (heads < 1 || x.getDimSize(2) % heads)
    return emitOpError("has ") << heads << " heads, which do not divide rows of " << x.getDimSize(2) << " elements";
  bool isShared = cos.getRank() == 2 && cos.getDimSize(0) == x.getDimSize(1);
  bool isBySample = cos.getRank() == 3 && cos.getDimSize(0) == x.getDimSize(0) && cos.getDimSize(1) == x.getDimSize(1);
  if (!isShared && !isBySample)
    return emitOpError("takes cos and sin [s, r/2] or [b, s, r/2] for x [b, s, h], found ") << cos << " for " << x;
  if (getRotated() > getHeadSize())
    return emitOpError("rotates ") << getRotated() << " columns of heads that have " << getHeadSize();
  if (getInterleaved() && getHeadSize() % 2)
    return emitOpError("interleaved needs heads of an even width, found ") << getHeadSize();
  return success();
}

LogicalResult RopeOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  Value dy = context.getGradient(getY());
  if (dy && context.needsGradient(getX()))
    context.addGradient(getX(), RopeOp::create(builder, getLoc(), getX().getType(), dy, getCos(), getSin(),
                                               getHeadsAttr(), getInterleavedAttr(),
                                               getInverse() ? UnitAttr() : builder.getUnitAttr(), context.getScope()));
  return success();
}

// The rows of the table are positions.
bool RopeOp::readsOtherRows(unsigned operand) { return operand != getXMutable().getOperandNumber(); }
KernelKind RopeOp::getKernelKind() { return KernelKind::Row; }

/// Rows are heads; columns that are turned together lie in two of a head's equal parts. Interleaved, a row is one pair.
std::pair<int64_t, int64_t> RopeOp::getKernelSpace() {
  int64_t heads = getRows(getX().getType()) * getHeads(), width = getHeadSize();
  if (getInterleaved())
    return {heads * (width / 2), 1};
  return {heads, std::gcd(getRotated() / 2, width)};
}
SmallVector<unsigned> RopeOp::getInPlaceOperands() { return {0}; }
int64_t RopeOp::getVectorFlops() { return 3 * tensorOf(getX()).getNumElements(); }
