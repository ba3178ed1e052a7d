//===- LinearOps.cpp - Linear layers and their gradients ----------------------------------------------------------===//

#include "LinearOps.h"

using namespace mlir;
using namespace tx;

std::pair<int64_t, int64_t> linear::inOut(RankedTensorType weight, bool transposed) {
  return transposed ? std::pair(weight.getDimSize(1), weight.getDimSize(0))
                    : std::pair(weight.getDimSize(0), weight.getDimSize(1));
}

LogicalResult linear::verifyElements(Operation *op, StringRef names, Value a, Value b, Value result) {
  auto aType = tensorOf(a), bType = tensorOf(b), type = tensorOf(result);
  if (aType.getElementType() != bType.getElementType())
    return op->emitOpError("takes ") << names << " of one element type, found " << aType << " and " << bType;
  if (type.getElementTypeBitWidth() < aType.getElementTypeBitWidth())
    return op->emitOpError("gives a type that is not narrower than its operands', found ") << type << " for " << aType;
  return success();
}

LogicalResult linear::verifyShapes(GemmOpInterface op, Value x, Value weight, bool transposed, Value y) {
  auto xType = tensorOf(x), yType = tensorOf(y), wType = tensorOf(weight);
  if (wType.getRank() != 2)
    return op->emitOpError("takes a weight of two dimensions, found ") << wType;
  auto [k, n] = inOut(wType, transposed);
  if (xType.getRank() < 1 || getColumns(xType) != k)
    return op->emitOpError("takes rows of ")
           << k << " elements for the weight " << wType << (transposed ? " (transposed)" : "") << ", found " << xType;
  if (yType.getRank() != xType.getRank() || getColumns(yType) != n ||
      yType.getShape().drop_back() != xType.getShape().drop_back())
    return op->emitOpError("gives rows of ") << n << " elements for " << xType << ", found " << yType;
  return tx::detail::verifyFlops(op, op.getGemmForm());
}

LogicalResult linear::verifyBias(Operation *op, Value bias, Value y) {
  int64_t columns = getColumns(y.getType());
  if (bias && (tensorOf(bias).getRank() != 1 || tensorOf(bias).getDimSize(0) != columns))
    return op->emitOpError("takes a bias of ") << columns << " elements, found " << bias.getType();
  return success();
}

GemmForm linear::forwardForm(Value x, Value weight, bool transposed, Value bias, Value y) {
  auto [k, n] = inOut(tensorOf(weight), transposed);
  GemmForm form{getRows(x.getType()), n, k};
  form.a.value = x;
  form.b = {weight, /*transpose=*/transposed};
  form.c.value = y;
  form.bias = bias;
  return form;
}

GemmForm linear::inputGradForm(Value dy, Value weight, bool transposed, Value dx) {
  auto [k, n] = inOut(tensorOf(weight), transposed);
  GemmForm form{getRows(dy.getType()), k, n};
  form.a.value = dy;
  form.b = {weight, /*transpose=*/!transposed};
  form.c.value = dx;
  return form;
}

//===--------------------------------------------------------------------------------------------------------------===//
// LinearOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult LinearOp::verify() {
  if (failed(linear::verifyShapes(*this, getX(), getWeight(), getTransposed(), getY())) ||
      failed(linear::verifyElements(*this, "x and a weight", getX(), getWeight(), getY())))
    return failure();
  return linear::verifyBias(*this, getBias(), getY());
}

void linear::buildBackward(OpBuilder &builder, BackwardContext &context, Location loc, Value x, Value weight,
                           bool transposed, Value bias, Value dy) {
  if (auto narrow = tensorOf(dy).clone(tensorOf(x).getElementType()); dy.getType() != narrow)
    dy = CastOp::create(builder, loc, narrow, dy, context.getScope());
  if (bias)
    context.accumulate({bias}, [&](ArrayRef<Value> acc, Value reset) -> SmallVector<Value> {
      return {BiasGradOp::create(builder, loc, acc[0].getType(), dy, acc[0], reset, context.getScope()).getResult()};
    });
  context.accumulate({weight}, [&](ArrayRef<Value> acc, Value reset) -> SmallVector<Value> {
    return {LinearWeightGradOp::create(builder, loc, acc[0].getType(), /*sums=*/Type(), x, dy, acc[0], reset,
                                       transposed, context.getScope())
                .getResult()};
  });
  if (context.needsGradient(x))
    context.addGradient(
        x, LinearInputGradOp::create(builder, loc, x.getType(), dy, weight, transposed, context.getScope()));
}

LogicalResult LinearOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  if (Value dy = context.getGradient(getY()))
    linear::buildBackward(builder, context, getLoc(), getX(), getWeight(), getTransposed(), getBias(), dy);
  return success();
}

GemmForm LinearOp::getGemmForm() {
  return linear::forwardForm(getX(), getWeight(), getTransposed(), getBias(), getY());
}

KernelKind LinearOp::getKernelKind() { return KernelKind::Gemm; }
std::pair<int64_t, int64_t> LinearOp::getKernelSpace() { return rowSpace(getY()); }
int64_t LinearOp::getMatrixFlops() { return getGemmForm().getFlops(); }
int64_t LinearOp::getVectorFlops() { return getBias() ? tensorOf(getY()).getNumElements() : 0; }

//===--------------------------------------------------------------------------------------------------------------===//
// LinearInputGradOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult LinearInputGradOp::verify() {
  if (failed(linear::verifyShapes(*this, getDx(), getWeight(), getTransposed(), getDy())))
    return failure();
  return linear::verifyElements(*this, "dy and a weight", getDy(), getWeight(), getDx());
}

GemmForm LinearInputGradOp::getGemmForm() {
  return linear::inputGradForm(getDy(), getWeight(), getTransposed(), getDx());
}

KernelKind LinearInputGradOp::getKernelKind() { return KernelKind::Gemm; }
std::pair<int64_t, int64_t> LinearInputGradOp::getKernelSpace() { return rowSpace(getDx()); }
int64_t LinearInputGradOp::getMatrixFlops() { return getGemmForm().getFlops(); }
int64_t LinearInputGradOp::getGradientFlops() { return getMatrixFlops(); }
int64_t LinearInputGradOp::getVectorFlops() { return 0; }

//===--------------------------------------------------------------------------------------------------------------===//
// LinearWeightGradOp
//===--------------------------------------------------------------------------------------------------------------===//

static RankedTensorType getSumsType(LinearWeightGradOp op) {
  return RankedTensorType::get({getColumns(op.getDy().getType())}, tensorOf(op.getAcc()).getElementType());
}

LogicalResult LinearWeightGradOp::verify() {
  if (failed(linear::verifyShapes(*this, getX(), getAcc(), getTransposed(), getDy())))
    return failure();
  if (Value sums = getSums())
    if (auto expected = getSumsType(*this); sums.getType() != expected)
      return emitOpError("gives sums of ") << expected << ", found " << sums.getType();
  return linear::verifyElements(*this, "x and dy", getX(), getDy(), getResult());
}

GemmForm LinearWeightGradOp::getGemmForm() {
  auto [k, n] = linear::inOut(tensorOf(getAcc()), getTransposed());
  int64_t rows = getRows(getX().getType());
  Value x = getX(), dy = getDy();
  GemmForm form = getTransposed() ? GemmForm{n, k, rows} : GemmForm{k, n, rows};
  form.a = {getTransposed() ? dy : x, /*transpose=*/true};
  form.b.value = getTransposed() ? x : dy;
  form.c.value = getResult();
  form.accumulate = true;
  (getTransposed() ? form.sumsA : form.sumsB) = getSums();
  return form;
}

Operation *LinearWeightGradOp::buildWithSums(OpBuilder &builder, Value operand) {
  if (operand != getDy() || getSums())
    return nullptr;
  return LinearWeightGradOp::create(builder, getLoc(), getAcc().getType(), getSumsType(*this), getX(), getDy(),
                                    getAcc(), getReset(), getTransposed(), getScope());
}

SmallVector<std::pair<unsigned, unsigned>> LinearWeightGradOp::getTies() { return {{2, 0}}; }
Value LinearWeightGradOp::getResetValue() { return getReset(); }
KernelKind LinearWeightGradOp::getKernelKind() { return KernelKind::Gemm; }
std::pair<int64_t, int64_t> LinearWeightGradOp::getKernelSpace() { return rowSpace(getResult()); }
int64_t LinearWeightGradOp::getMatrixFlops() { return getGemmForm().getFlops(); }
int64_t LinearWeightGradOp::getGradientFlops() { return getMatrixFlops(); }
int64_t LinearWeightGradOp::getVectorFlops() { return getSums() ? tensorOf(getDy()).getNumElements() : 0; }

//===--------------------------------------------------------------------------------------------------------------===//
// BiasGradOp, BroadcastRowsOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult BiasGradOp::verify() {
  auto acc = tensorOf(getAcc());
  if (acc.getRank() != 1 || acc.getDimSize(0) != getColumns(getDy().getType()))
    return emitOpError("takes an accumulator of ") << getColumns(getDy().getType()) << " elements, found " << acc;
  return success();
}

SmallVector<std::pair<unsigned, unsigned>> BiasGradOp::getTies() { return {{1, 0}}; }
Value BiasGradOp::getResetValue() { return getReset(); }
KernelKind BiasGradOp::getKernelKind() { return KernelKind::Column; }
std::pair<int64_t, int64_t> BiasGradOp::getKernelSpace() { return rowSpace(getDy()); }
OpOperand &BiasGradOp::getSummedOperand() { return getDyMutable(); }

LogicalResult BroadcastRowsOp::verify() {
  auto row = tensorOf(getRow());
  if (row.getRank() != 1 || row.getDimSize(0) != getColumns(getResult().getType()))
    return emitOpError("takes a row of ") << getColumns(getResult().getType()) << " elements, found " << row;
  return success();
}

KernelKind BroadcastRowsOp::getKernelKind() { return KernelKind::Row; }
std::pair<int64_t, int64_t> BroadcastRowsOp::getKernelSpace() { return rowSpace(getResult()); }
