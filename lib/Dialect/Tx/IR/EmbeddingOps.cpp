//===- EmbeddingOps.cpp - Tokens and learned positions ------------------------------------------------------------===//

#include "OpUtils.h"

using namespace mlir;
using namespace tx;

//===--------------------------------------------------------------------------------------------------------------===//
// EmbeddingOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult EmbeddingOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  auto tokens = tensorOf(adaptor.getTokens()), table = tensorOf(adaptor.getTable());
  if (table.getRank() != 2)
    return inferenceError<EmbeddingOp>(loc, "takes a table [vocabulary, hidden], found ", table);
  SmallVector<int64_t> shape(tokens.getShape());
  shape.push_back(table.getDimSize(1));
  types.push_back(RankedTensorType::get(shape, table.getElementType()));
  return success();
}

LogicalResult EmbeddingOp::verify() {
  if (tensorOf(getTokens()).getRank() != 2)
    return emitOpError("takes tokens [b, s], found ") << getTokens().getType();
  return success();
}

LogicalResult EmbeddingOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  Value dy = context.getGradient(getResult());
  if (!dy)
    return success();
  context.accumulate({getTable()}, [&](ArrayRef<Value> acc, Value reset) -> SmallVector<Value> {
    return {EmbeddingWeightGradOp::create(builder, getLoc(), acc[0].getType(), getTokens(), dy, acc[0], reset,
                                          context.getScope())
                .getResult()};
  });
  return success();
}

std::optional<IdRange> EmbeddingOp::getIdRange(unsigned operand) {
  if (operand != getTokensMutable().getOperandNumber())
    return std::nullopt;
  return IdRange{tensorOf(getTable()).getDimSize(0)};
}

bool EmbeddingOp::readsOtherRows(unsigned operand) { return operand == getTableMutable().getOperandNumber(); }
KernelKind EmbeddingOp::getKernelKind() { return KernelKind::Row; }
std::pair<int64_t, int64_t> EmbeddingOp::getKernelSpace() { return rowSpace(getResult()); }
int64_t EmbeddingOp::getVectorFlops() { return 0; }

//===--------------------------------------------------------------------------------------------------------------===//
// EmbeddingWeightGradOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult EmbeddingWeightGradOp::verify() {
  auto tokens = tensorOf(getTokens()), dy = tensorOf(getDy()), acc = tensorOf(getAcc());
  if (dy.getRank() != 3 || dy.getShape().drop_back() != tokens.getShape())
    return emitOpError("takes a gradient [b, s, h] of the tokens' shape, found ") << dy << " and " << tokens;
  if (acc.getRank() != 2 || acc.getDimSize(1) != dy.getDimSize(2))
    return emitOpError("takes an accumulator [vocabulary, h], found ") << acc << " for " << dy;
  return success();
}

std::optional<IdRange> EmbeddingWeightGradOp::getIdRange(unsigned operand) {
  if (operand != getTokensMutable().getOperandNumber())
    return std::nullopt;
  return IdRange{tensorOf(getAcc()).getDimSize(0)};
}

SmallVector<std::pair<unsigned, unsigned>> EmbeddingWeightGradOp::getTies() { return {{2, 0}}; }
Value EmbeddingWeightGradOp::getResetValue() { return getReset(); }
KernelKind EmbeddingWeightGradOp::getKernelKind() { return KernelKind::Column; }
std::pair<int64_t, int64_t> EmbeddingWeightGradOp::getKernelSpace() { return rowSpace(getDy()); }
Value EmbeddingWeightGradOp::getScatterIds() { return getTokens(); }
int64_t EmbeddingWeightGradOp::getScatterRows() { return tensorOf(getAcc()).getDimSize(0); }
Value EmbeddingWeightGradOp::getScatteredRows() { return getDy(); }

//===--------------------------------------------------------------------------------------------------------------===//
// AddPositionsOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult AddPositionsOp::verify() {
  auto x = tensorOf(getX()), table = tensorOf(getTable());
  if (x.getRank() != 3 || table.getRank() != 2 || table.getDimSize(1) != x.getDimSize(2))
    return emitOpError("takes x [b, s, h] and a table [positions, h], found ") << x << " and " << table;
  if (table.getDimSize(0) < x.getDimSize(1))
    return emitOpError("has ") << table.getDimSize(0) << " positions for a sequence of " << x.getDimSize(1);
  return success();
}

LogicalResult AddPositionsOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  Value dy = context.getGradient(getResult());
  if (!dy)
    return success();
  context.accumulate({getTable()}, [&](ArrayRef<Value> acc, Value reset) -> SmallVector<Value> {
    return {PositionWeightGradOp::create(builder, getLoc(), acc[0].getType(), dy, acc[0], reset, context.getScope())
                .getResult()};
  });
  context.addGradient(getX(), dy);
  return success();
}

bool AddPositionsOp::readsOtherRows(unsigned operand) { return operand == getTableMutable().getOperandNumber(); }
KernelKind AddPositionsOp::getKernelKind() { return KernelKind::Row; }
std::pair<int64_t, int64_t> AddPositionsOp::getKernelSpace() { return rowSpace(getResult()); }
SmallVector<unsigned> AddPositionsOp::getInPlaceOperands() { return {0}; }

//===--------------------------------------------------------------------------------------------------------------===//
// PositionWeightGradOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult PositionWeightGradOp::verify() {
  auto dy = tensorOf(getDy()), acc = tensorOf(getAcc());
  if (dy.getRank() != 3 || acc.getRank() != 2 || acc.getDimSize(1) != dy.getDimSize(2) ||
      acc.getDimSize(0) < dy.getDimSize(1))
    return emitOpError("takes a gradient [b, s, h] and an accumulator [at least s, h], found ") << dy << " and " << acc;
  return success();
}

SmallVector<std::pair<unsigned, unsigned>> PositionWeightGradOp::getTies() { return {{1, 0}}; }
Value PositionWeightGradOp::getResetValue() { return getReset(); }
KernelKind PositionWeightGradOp::getKernelKind() { return KernelKind::Column; }
std::pair<int64_t, int64_t> PositionWeightGradOp::getKernelSpace() { return rowSpace(getDy()); }
Value PositionWeightGradOp::getScatterIds() { return {}; }
int64_t PositionWeightGradOp::getScatterRows() { return tensorOf(getDy()).getDimSize(1); }
Value PositionWeightGradOp::getScatteredRows() { return getDy(); }
