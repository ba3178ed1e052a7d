//===- OptimizerOps.cpp - Global norm, AdamW ----------------------------------------------------------------------===//

#include "OpUtils.h"

using namespace mlir;
using namespace tx;

static_assert(SumOfSquaresOp::kChunk == kFlatChunk, "one partial sum for each chunk of the loop nest");

//===--------------------------------------------------------------------------------------------------------------===//
// SumOfSquaresOp, ClipCoefficientOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult SumOfSquaresOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                               SmallVectorImpl<Type> &types) {
  auto x = tensorOf(adaptor.getX());
  std::optional<int64_t> elements = tx::detail::countElements(x.getShape());
  if (!elements)
    return inferenceError<SumOfSquaresOp>(loc, "takes a static shape of 1 to 2^56 elements, found ", x);
  types.push_back(RankedTensorType::get({(*elements + kChunk - 1) / kChunk}, x.getElementType()));
  return success();
}

LogicalResult SumOfSquaresOp::verify() { return success(); }
KernelKind SumOfSquaresOp::getKernelKind() { return KernelKind::Flat; }
std::pair<int64_t, int64_t> SumOfSquaresOp::getKernelSpace() { return flatSpace(getX()); }
int64_t SumOfSquaresOp::getVectorFlops() { return 2 * tensorOf(getX()).getNumElements(); }

LogicalResult ClipCoefficientOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                                  SmallVectorImpl<Type> &types) {
  auto partials = tensorOf(adaptor.getPartials());
  if (partials.getRank() != 1)
    return inferenceError<ClipCoefficientOp>(loc, "takes partial sums [n], found ", partials);
  types.append(2, tx::detail::scalarLike(partials));
  return success();
}

LogicalResult ClipCoefficientOp::verify() {
  if (!(getMaxNorm().convertToDouble() >= 0))
    return emitOpError("takes a norm of at least 0, found ") << getMaxNorm().convertToDouble();
  return success();
}

KernelKind ClipCoefficientOp::getKernelKind() { return KernelKind::Row; }
unsigned ClipCoefficientOp::getReductionPasses() { return 1; }
SmallVector<unsigned> ClipCoefficientOp::getInPlaceOperands() { return {}; }
std::pair<int64_t, int64_t> ClipCoefficientOp::getKernelSpace() { return rowSpace(getPartials()); }
int64_t ClipCoefficientOp::getVectorFlops() { return tensorOf(getPartials()).getNumElements(); }

//===--------------------------------------------------------------------------------------------------------------===//
// AdamWOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult AdamWOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor adaptor,
                                        SmallVectorImpl<Type> &types) {
  types.append({adaptor.getParam().getType(), adaptor.getM().getType(), adaptor.getV().getType()});
  if (adaptor.getMaster())
    types.push_back(adaptor.getMaster().getType());
  return success();
}

LogicalResult AdamWOp::verify() {
  auto param = tensorOf(getParam()), grad = tensorOf(getGrad());
  if (param.getShape() != grad.getShape())
    return emitOpError("takes a gradient of the parameter's shape, found ") << grad << " for " << param;
  if (param.getElementTypeBitWidth() > grad.getElementTypeBitWidth())
    return emitOpError("takes a gradient that is not narrower than the parameter, found ") << grad << " for " << param;
  bool narrow = param.getElementType() != grad.getElementType();
  if (narrow != static_cast<bool>(getMaster()))
    return emitOpError(narrow ? "needs a master copy of a narrow parameter"
                              : "takes a master copy of a narrow parameter only");
  if (getMaster() && getMaster().getType() != getGrad().getType())
    return emitOpError("takes a master copy of the gradient's type, found ") << getMaster().getType();
  for (double beta : {getBeta1().convertToDouble(), getBeta2().convertToDouble()})
    if (!(beta >= 0 && beta < 1))
      return emitOpError("takes betas in [0, 1), found ") << beta;
  if (!(getEps().convertToDouble() >= 0) || !(getWeightDecay().convertToDouble() >= 0))
    return emitOpError("takes an eps and a weight decay of at least 0");
  return success();
}

SmallVector<std::pair<unsigned, unsigned>> AdamWOp::getTies() {
  SmallVector<std::pair<unsigned, unsigned>> ties = {{0, 0}, {2, 1}, {3, 2}};
  if (getMaster())
    ties.push_back({4, 3});
  return ties;
}

// If there is a master copy in f32, the op reads that and writes the parameter as the master rounded.
bool AdamWOp::readsOperand(unsigned operand) { return !getMaster() || operand != getParamMutable().getOperandNumber(); }

KernelKind AdamWOp::getKernelKind() { return KernelKind::Flat; }
std::pair<int64_t, int64_t> AdamWOp::getKernelSpace() { return flatSpace(getGrad()); }
int64_t AdamWOp::getVectorFlops() { return 15 * tensorOf(getGrad()).getNumElements(); }
