//===- LinearGeluOps.cpp - A product and GELU in one --------------------------------------------------------------===//

#include "LinearOps.h"

using namespace mlir;
using namespace tx;

/// The same counts as tx.gelu and tx.gelu_grad return.
static int64_t geluFlops(Value value) { return 14 * tensorOf(value).getNumElements(); }
static int64_t geluGradFlops(Value value) { return 22 * tensorOf(value).getNumElements(); }

//===--------------------------------------------------------------------------------------------------------------===//
// LinearGeluOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult LinearGeluOp::verify() {
  if (failed(linear::verifyShapes(*this, getX(), getWeight(), getTransposed(), getY())) ||
      failed(linear::verifyElements(*this, "x and a weight", getX(), getWeight(), getY())))
    return failure();
  return linear::verifyBias(*this, getBias(), getY());
}

LogicalResult LinearGeluOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  Value dy = context.getGradient(getY()), dpre = context.getGradient(getPre());
  if (dy)
    dy = GeluGradOp::create(builder, getLoc(), dy, getPre(), context.getScope());
  if (dy && dpre)
    dpre = AddOp::create(builder, getLoc(), dpre, dy, context.getScope());
  else if (dy)
    dpre = dy;
  if (dpre)
    linear::buildBackward(builder, context, getLoc(), getX(), getWeight(), getTransposed(), getBias(), dpre);
  return success();
}

GemmForm LinearGeluOp::getGemmForm() {
  GemmForm form = linear::forwardForm(getX(), getWeight(), getTransposed(), getBias(), getY());
  form.function = ProductFunction::Gelu;
  form.aux = getPre();
  return form;
}

SmallVector<RecomputeModule> LinearGeluOp::getIndivisibleModules() { return {RecomputeModule::MlpAct}; }
KernelKind LinearGeluOp::getKernelKind() { return KernelKind::Gemm; }
std::pair<int64_t, int64_t> LinearGeluOp::getKernelSpace() { return rowSpace(getY()); }
int64_t LinearGeluOp::getMatrixFlops() { return getGemmForm().getFlops(); }
int64_t LinearGeluOp::getVectorFlops() {
  return geluFlops(getY()) + (getBias() ? tensorOf(getY()).getNumElements() : 0);
}

//===--------------------------------------------------------------------------------------------------------------===//
// LinearGeluInputGradOp
//===--------------------------------------------------------------------------------------------------------------===//

static RankedTensorType getSumsType(LinearGeluInputGradOp op) {
  auto dpre = tensorOf(op.getDpre());
  return RankedTensorType::get({getColumns(dpre)}, dpre.getElementType());
}

LogicalResult LinearGeluInputGradOp::verify() {
  if (failed(linear::verifyShapes(*this, getDpre(), getWeight(), getTransposed(), getDy())))
    return failure();
  if (Value sums = getSums())
    if (auto expected = getSumsType(*this); sums.getType() != expected)
      return emitOpError("gives sums of ") << expected << ", found " << sums.getType();
  return linear::verifyElements(*this, "dy and a weight", getDy(), getWeight(), getDpre());
}

GemmForm LinearGeluInputGradOp::getGemmForm() {
  GemmForm form = linear::inputGradForm(getDy(), getWeight(), getTransposed(), getDpre());
  form.function = ProductFunction::GeluGradient;
  form.aux = getPre();
  form.sumsC = getSums();
  return form;
}

Operation *LinearGeluInputGradOp::buildWithSums(OpBuilder &builder, Value operand) {
  if (operand != getDpre() || getSums())
    return nullptr;
  return LinearGeluInputGradOp::create(builder, getLoc(), getDpre().getType(), getSumsType(*this), getDy(), getWeight(),
                                       getPre(), getTransposed(), getScope());
}

KernelKind LinearGeluInputGradOp::getKernelKind() { return KernelKind::Gemm; }
std::pair<int64_t, int64_t> LinearGeluInputGradOp::getKernelSpace() { return rowSpace(getDpre()); }
int64_t LinearGeluInputGradOp::getMatrixFlops() { return getGemmForm().getFlops(); }
int64_t LinearGeluInputGradOp::getVectorFlops() {
  return geluGradFlops(getDpre()) + (getSums() ? tensorOf(getDpre()).getNumElements() : 0);
}
