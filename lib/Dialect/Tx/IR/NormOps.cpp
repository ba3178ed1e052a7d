//===- NormOps.cpp - Layer norm and its gradients -------------------------===//

#include "OpUtils.h"

using namespace mlir;
using namespace tx;

//===----------------------------------------------------------------------===//
// LayerNormOp
//===----------------------------------------------------------------------===//

LogicalResult LayerNormOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  auto x = tensorOf(adaptor.getX());
  if (x.getRank() < 1)
    return inferenceError<LayerNormOp>(loc, "needs rows, found ", x);
  types.append({x, statisticsOf(x), statisticsOf(x)});
  return success();
}

LogicalResult LayerNormOp::verify() {
  auto weight = tensorOf(getWeight());
  if (weight.getRank() != 1 || weight.getDimSize(0) != getColumns(getX().getType()))
    return emitOpError("takes a weight of ") << getColumns(getX().getType()) << " elements, found " << weight;
  if (!(getEps().convertToDouble() > 0))
    return emitOpError("takes a positive eps, found ") << getEps().convertToDouble();
  return success();
}

LogicalResult LayerNormOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  Value dy = context.getGradient(getY());
  if (!dy)
    return success();
  context.accumulate({getWeight(), getBias()}, [&](ArrayRef<Value> acc, Value reset) -> SmallVector<Value> {
    auto grad = LayerNormWeightGradOp::create(builder, getLoc(), acc[0].getType(), acc[1].getType(), dy, getX(),
                                              getMean(), getRstd(), acc[0], acc[1], reset, context.getScope());
    return {grad.getWeightGrad(), grad.getBiasGrad()};
  });
  if (context.needsGradient(getX()))
    context.addGradient(getX(), LayerNormInputGradOp::create(builder, getLoc(), getX().getType(), dy, getX(),
                                                             getWeight(), getMean(), getRstd(), context.getScope()));
  return success();
}

KernelKind LayerNormOp::getKernelKind() { return KernelKind::Row; }
unsigned LayerNormOp::getReductionPasses() { return 2; }
std::pair<int64_t, int64_t> LayerNormOp::getKernelSpace() { return rowSpace(getX()); }
SmallVector<unsigned> LayerNormOp::getInPlaceOperands() { return {0}; }
int64_t LayerNormOp::getVectorFlops() { return 8 * tensorOf(getX()).getNumElements(); }

//===----------------------------------------------------------------------===//
// LayerNormInputGradOp
//===----------------------------------------------------------------------===//

static LogicalResult verifyStatistics(Operation *op, RankedTensorType x, Type statistics) {
  if (x.getRank() < 1)
    return op->emitOpError("needs rows, found ") << x;
  if (tensorOf(statistics).getShape() != x.getShape().drop_back())
    return op->emitOpError("takes statistics of x's shape without its last dimension, found ")
           << statistics << " for " << x;
  return success();
}

LogicalResult LayerNormInputGradOp::verify() {
  auto weight = tensorOf(getWeight());
  if (weight.getRank() != 1 || weight.getDimSize(0) != getColumns(getX().getType()))
    return emitOpError("takes a weight of ") << getColumns(getX().getType()) << " elements, found " << weight;
  return verifyStatistics(*this, tensorOf(getX()), getMean().getType());
}

KernelKind LayerNormInputGradOp::getKernelKind() { return KernelKind::Row; }
unsigned LayerNormInputGradOp::getReductionPasses() { return 1; }
std::pair<int64_t, int64_t> LayerNormInputGradOp::getKernelSpace() { return rowSpace(getX()); }
SmallVector<unsigned> LayerNormInputGradOp::getInPlaceOperands() { return {0, 1}; }
int64_t LayerNormInputGradOp::getVectorFlops() { return 11 * tensorOf(getX()).getNumElements(); }

//===----------------------------------------------------------------------===//
// LayerNormWeightGradOp
//===----------------------------------------------------------------------===//

LogicalResult LayerNormWeightGradOp::verify() {
  auto acc = tensorOf(getWeightAcc());
  if (acc.getRank() != 1 || acc.getDimSize(0) != getColumns(getX().getType()))
    return emitOpError("takes accumulators of ") << getColumns(getX().getType()) << " elements, found " << acc;
  return verifyStatistics(*this, tensorOf(getX()), getMean().getType());
}

SmallVector<std::pair<unsigned, unsigned>> LayerNormWeightGradOp::getTies() { return {{4, 0}, {5, 1}}; }
Value LayerNormWeightGradOp::getResetValue() { return getReset(); }
KernelKind LayerNormWeightGradOp::getKernelKind() { return KernelKind::Column; }
std::pair<int64_t, int64_t> LayerNormWeightGradOp::getKernelSpace() { return rowSpace(getX()); }
int64_t LayerNormWeightGradOp::getVectorFlops() { return 5 * tensorOf(getX()).getNumElements(); }
