//===- NormOps.cpp - Layer norm, RMS norm and their gradients -----------------------------------------------------===//

#include "OpUtils.h"

using namespace mlir;
using namespace tx;

//===--------------------------------------------------------------------------------------------------------------===//
// LayerNormOp
//===--------------------------------------------------------------------------------------------------------------===//

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
  auto addWeight = [&](ArrayRef<Value> acc, Value reset) -> SmallVector<Value> {
    auto grad = LayerNormWeightGradOp::create(builder, getLoc(), dy, getX(), getMean(), getRstd(), acc[0],
                                              acc.size() > 1 ? acc[1] : Value(), reset, context.getScope());
    return SmallVector<Value>(grad->getResults());
  };
  auto addBias = [&](ArrayRef<Value> acc, Value reset) -> SmallVector<Value> {
    return {BiasGradOp::create(builder, getLoc(), acc[0].getType(), dy, acc[0], reset, context.getScope()).getResult()};
  };
  // One op makes both gradients from one pass over the rows. If one op cannot continue both accumulators (the weight is
  // shared with another norm and the bias is not), each gradient gets an op of its own.
  if (!context.accumulate({getWeight(), getBias()}, addWeight)) {
    context.accumulate({getWeight()}, addWeight);
    context.accumulate({getBias()}, addBias);
  }
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

//===--------------------------------------------------------------------------------------------------------------===//
// LayerNormInputGradOp
//===--------------------------------------------------------------------------------------------------------------===//

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

//===--------------------------------------------------------------------------------------------------------------===//
// LayerNormWeightGradOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult LayerNormWeightGradOp::verify() {
  auto acc = tensorOf(getWeightAcc());
  if (acc.getRank() != 1 || acc.getDimSize(0) != getColumns(getX().getType()))
    return emitOpError("takes accumulators of ") << getColumns(getX().getType()) << " elements, found " << acc;
  if (getBiasAcc() && getBiasAcc().getType() != acc)
    return emitOpError("takes accumulators of one type, found ") << acc << " and " << getBiasAcc().getType();
  return verifyStatistics(*this, tensorOf(getX()), getMean().getType());
}

LogicalResult LayerNormWeightGradOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor adaptor,
                                                      SmallVectorImpl<Type> &types) {
  types.push_back(adaptor.getWeightAcc().getType());
  if (Value bias = adaptor.getBiasAcc())
    types.push_back(bias.getType());
  return success();
}

SmallVector<std::pair<unsigned, unsigned>> LayerNormWeightGradOp::getTies() {
  SmallVector<std::pair<unsigned, unsigned>> ties = {{4, 0}};
  if (getBiasAcc())
    ties.push_back({5, 1});
  return ties;
}
Value LayerNormWeightGradOp::getResetValue() { return getReset(); }
KernelKind LayerNormWeightGradOp::getKernelKind() { return KernelKind::Column; }
std::pair<int64_t, int64_t> LayerNormWeightGradOp::getKernelSpace() { return rowSpace(getX()); }
int64_t LayerNormWeightGradOp::getVectorFlops() { return 5 * tensorOf(getX()).getNumElements(); }

Value LayerNormWeightGradOp::getSummedRows() { return getDy(); }
SmallVector<Value> LayerNormWeightGradOp::buildInParts(OpBuilder &builder, int64_t parts) {
  auto type = RankedTensorType::get({parts, getColumns(getX().getType())}, tensorOf(getWeightAcc()).getElementType());
  auto sums =
      LayerNormPartialGradOp::create(builder, getLoc(), type, type, getDy(), getX(), getMean(), getRstd(), getScope());
  SmallVector<Value> sum = {sums.getWeightParts()}, accs = {getWeightAcc()};
  if (Value bias = getBiasAcc()) {
    sum.push_back(sums.getBiasParts());
    accs.push_back(bias);
  }
  return AddPartsOp::create(builder, getLoc(), sum, accs, getReset(), getScope()).getResults();
}

//===--------------------------------------------------------------------------------------------------------------===//
// LayerNormPartialGradOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult LayerNormPartialGradOp::verify() {
  auto parts = tensorOf(getWeightParts());
  int64_t rows = getRows(getX().getType()), columns = getColumns(getX().getType());
  if (parts.getRank() != 2 || parts.getDimSize(1) != columns || parts.getDimSize(0) < 1 || parts.getDimSize(0) > rows ||
      (parts.getDimSize(0) - 1) * getRowsOfPart() >= rows)
    return emitOpError("gives equal parts of ") << rows << " rows of " << columns << " elements, found " << parts;
  return verifyStatistics(*this, tensorOf(getX()), getMean().getType());
}

int64_t LayerNormPartialGradOp::getRowsOfPart() {
  return llvm::divideCeil(getRows(getX().getType()), getRows(getWeightParts().getType()));
}
KernelKind LayerNormPartialGradOp::getKernelKind() { return KernelKind::Row; }
std::pair<int64_t, int64_t> LayerNormPartialGradOp::getKernelSpace() { return rowSpace(getX()); }
SmallVector<unsigned> LayerNormPartialGradOp::getInPlaceOperands() { return {0, 1}; }
Value LayerNormPartialGradOp::getSharedOperand() { return getDy(); }
int64_t LayerNormPartialGradOp::getVectorFlops() { return 5 * tensorOf(getX()).getNumElements(); }

//===--------------------------------------------------------------------------------------------------------------===//
// AddPartsOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult AddPartsOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor adaptor,
                                           SmallVectorImpl<Type> &types) {
  llvm::append_range(types, adaptor.getAccs().getTypes());
  return success();
}

LogicalResult AddPartsOp::verify() {
  if (getParts().empty() || getParts().size() != getAccs().size())
    return emitOpError("takes an accumulator for each tensor of parts, found ")
           << getAccs().size() << " for " << getParts().size();
  for (auto [parts, acc] : llvm::zip(getParts(), getAccs())) {
    if (parts.getType() != getParts()[0].getType() || tensorOf(parts).getRank() < 2)
      return emitOpError("takes rows of one type, found ") << parts.getType();
    if (tensorOf(acc).getRank() != 1 || tensorOf(acc).getDimSize(0) != getColumns(parts.getType()))
      return emitOpError("takes accumulators of ")
             << getColumns(parts.getType()) << " elements, found " << acc.getType();
  }
  return success();
}

SmallVector<std::pair<unsigned, unsigned>> AddPartsOp::getTies() {
  SmallVector<std::pair<unsigned, unsigned>> ties;
  for (unsigned i = 0, count = getParts().size(); i < count; ++i)
    ties.push_back({count + i, i});
  return ties;
}
Value AddPartsOp::getResetValue() { return getReset(); }
KernelKind AddPartsOp::getKernelKind() { return KernelKind::Column; }
std::pair<int64_t, int64_t> AddPartsOp::getKernelSpace() { return rowSpace(getParts()[0]); }

//===--------------------------------------------------------------------------------------------------------------===//
// RmsNormOp
//===--------------------------------------------------------------------------------------------------------------===//

/// The type of rstd: one number for each row; of several heads, one for each head of each row.
static RankedTensorType headStatisticsOf(RankedTensorType x, int64_t heads) {
  RankedTensorType rows = statisticsOf(x);
  if (heads == 1)
    return rows;
  SmallVector<int64_t> shape(rows.getShape());
  shape.push_back(heads);
  return rows.clone(shape);
}

/// What one kernel of rows computes for each head. Two halves of a head stand side by side, so that RoPE, which turns
/// column i with column i + d/2, can be in the same kernel.
static std::pair<int64_t, int64_t> normSpace(Value x, int64_t heads) {
  auto [rows, columns] = rowSpace(x);
  int64_t width = columns / heads;
  return {rows * heads, heads > 1 && width % 2 == 0 ? width / 2 : width};
}

static LogicalResult verifyHeads(Operation *op, Value x, int64_t heads) {
  int64_t columns = getColumns(x.getType());
  if (tensorOf(x).getRank() < 1)
    return op->emitOpError("needs rows, found ") << x.getType();
  if (heads < 1 || columns % heads)
    return op->emitOpError("has ") << heads << " heads, which do not divide rows of " << columns << " elements";
  return success();
}

static LogicalResult verifyNormWeight(Operation *op, Value x, Type weight, int64_t heads) {
  if (failed(verifyHeads(op, x, heads)))
    return failure();
  int64_t width = getColumns(x.getType()) / heads;
  if (tensorOf(weight).getRank() != 1 || tensorOf(weight).getDimSize(0) != width)
    return op->emitOpError("takes a weight of ") << width << " elements, found " << weight;
  return success();
}

static LogicalResult verifyOffset(Operation *op, int64_t offset) {
  if (offset != 0 && offset != 1)
    return op->emitOpError("takes an offset of 0 or 1, found ") << offset;
  return success();
}

static LogicalResult verifyHeadStatistics(Operation *op, Value x, Type rstd, int64_t heads) {
  ArrayRef<int64_t> shape = headStatisticsOf(tensorOf(x), heads).getShape();
  if (tensorOf(rstd).getShape() != shape)
    return op->emitOpError("takes an rstd of shape [") << shape << "], found " << rstd;
  return success();
}

LogicalResult RmsNormOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                          SmallVectorImpl<Type> &types) {
  auto x = tensorOf(adaptor.getX());
  if (x.getRank() < 1)
    return inferenceError<RmsNormOp>(loc, "needs rows, found ", x);
  IntegerAttr heads = adaptor.getHeadsAttr(); // null while an op without it is parsed
  types.append({x, headStatisticsOf(x, heads ? heads.getInt() : 1)});
  return success();
}

LogicalResult RmsNormOp::verify() {
  if (failed(verifyNormWeight(*this, getX(), getWeight().getType(), getHeads())) ||
      failed(verifyOffset(*this, getOffset())))
    return failure();
  if (!(getEps().convertToDouble() > 0))
    return emitOpError("takes a positive eps, found ") << getEps().convertToDouble();
  return success();
}

LogicalResult RmsNormOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  Value dy = context.getGradient(getY());
  if (!dy)
    return success();
  context.accumulate({getWeight()}, [&](ArrayRef<Value> acc, Value reset) -> SmallVector<Value> {
    return {RmsNormWeightGradOp::create(builder, getLoc(), acc[0].getType(), dy, getX(), getRstd(), acc[0], reset,
                                        getHeadsAttr(), context.getScope())
                .getResult()};
  });
  if (context.needsGradient(getX()))
    context.addGradient(getX(),
                        RmsNormInputGradOp::create(builder, getLoc(), getX().getType(), dy, getX(), getWeight(),
                                                   getRstd(), getHeadsAttr(), getOffsetAttr(), context.getScope()));
  return success();
}

KernelKind RmsNormOp::getKernelKind() { return KernelKind::Row; }
unsigned RmsNormOp::getReductionPasses() { return 1; }
std::pair<int64_t, int64_t> RmsNormOp::getKernelSpace() { return normSpace(getX(), getHeads()); }
SmallVector<unsigned> RmsNormOp::getInPlaceOperands() { return {0}; }
int64_t RmsNormOp::getVectorFlops() { return 5 * tensorOf(getX()).getNumElements(); }

//===--------------------------------------------------------------------------------------------------------------===//
// RmsNormInputGradOp, RmsNormWeightGradOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult RmsNormInputGradOp::verify() {
  if (failed(verifyNormWeight(*this, getX(), getWeight().getType(), getHeads())) ||
      failed(verifyOffset(*this, getOffset())))
    return failure();
  return verifyHeadStatistics(*this, getX(), getRstd().getType(), getHeads());
}

KernelKind RmsNormInputGradOp::getKernelKind() { return KernelKind::Row; }
unsigned RmsNormInputGradOp::getReductionPasses() { return 1; }
std::pair<int64_t, int64_t> RmsNormInputGradOp::getKernelSpace() { return normSpace(getX(), getHeads()); }
SmallVector<unsigned> RmsNormInputGradOp::getInPlaceOperands() { return {0, 1}; }
int64_t RmsNormInputGradOp::getVectorFlops() { return 8 * tensorOf(getX()).getNumElements(); }

LogicalResult RmsNormWeightGradOp::verify() {
  if (failed(verifyHeads(*this, getX(), getHeads())))
    return failure();
  int64_t width = getColumns(getX().getType()) / getHeads();
  if (tensorOf(getAcc()).getRank() != 1 || tensorOf(getAcc()).getDimSize(0) != width)
    return emitOpError("takes an accumulator of ") << width << " elements, found " << getAcc().getType();
  return verifyHeadStatistics(*this, getX(), getRstd().getType(), getHeads());
}

SmallVector<std::pair<unsigned, unsigned>> RmsNormWeightGradOp::getTies() { return {{3, 0}}; }
Value RmsNormWeightGradOp::getResetValue() { return getReset(); }
KernelKind RmsNormWeightGradOp::getKernelKind() { return KernelKind::Column; }
std::pair<int64_t, int64_t> RmsNormWeightGradOp::getKernelSpace() {
  auto [rows, columns] = rowSpace(getX());
  return {rows * getHeads(), columns / getHeads()};
}
int64_t RmsNormWeightGradOp::getVectorFlops() { return 3 * tensorOf(getX()).getNumElements(); }
