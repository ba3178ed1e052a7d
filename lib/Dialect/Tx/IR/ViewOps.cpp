//===- ViewOps.cpp - Columns, rows and runs of a tensor, without a copy -------------------------------------------===//

#include "OpUtils.h"

using namespace mlir;
using namespace tx;

//===--------------------------------------------------------------------------------------------------------------===//
// SliceOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult SliceOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                        SmallVectorImpl<Type> &types) {
  auto whole = tensorOf(adaptor.getWhole());
  int64_t offset = adaptor.getOffset(), size = adaptor.getSize();
  if (whole.getRank() < 1 || offset < 0 || size < 1 || size > whole.getShape().back() ||
      offset > whole.getShape().back() - size)
    return inferenceError<SliceOp>(loc, "takes ", size, " columns from column ", offset, " on; not all are in ", whole);
  SmallVector<int64_t> shape(whole.getShape());
  shape.back() = size;
  types.push_back(RankedTensorType::get(shape, whole.getElementType()));
  return success();
}

LogicalResult SliceOp::verify() { return success(); }

/// Sums the slices' gradients for the columns [begin, end) of the whole, in the order of `slices`. Each slice has all
/// of these columns or none; if no slice has them the result is zeros.
static Value buildColumns(OpBuilder &builder, Location loc, BackwardContext &context, ArrayRef<SliceOp> slices,
                          int64_t begin, int64_t end, RankedTensorType type) {
  Value sum;
  for (SliceOp slice : slices) {
    int64_t offset = slice.getOffset(), size = slice.getSize();
    if (begin < offset || end > offset + size)
      continue;
    Value gradient = context.getGradient(slice.getPart());
    if (size != end - begin)
      gradient = SliceOp::create(builder, loc, gradient, builder.getI64IntegerAttr(begin - offset),
                                 builder.getI64IntegerAttr(end - begin), context.getScope());
    sum = sum ? AddOp::create(builder, loc, sum, gradient, context.getScope()).getResult() : gradient;
  }
  return sum ? sum : ZerosOp::create(builder, loc, type, context.getScope()).getResult();
}

// The gradient of the whole is built when backward has reached the last of its slices. The borders of all slices cut
// the columns into ranges; every column of a range belongs to the same slices.
LogicalResult SliceOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  if (!context.needsGradient(getWhole()))
    return success();
  SmallVector<SliceOp> slices;
  for (Operation *user : getWhole().getUsers())
    if (auto slice = dyn_cast<SliceOp>(user))
      slices.push_back(slice);
  // Autodiff visits the slices in reverse, so it reaches the first slice in the block last: build then.
  llvm::sort(slices, [](SliceOp a, SliceOp b) { return a->isBeforeInBlock(b); });
  if (slices.front() != *this)
    return success();
  llvm::erase_if(slices, [&](SliceOp slice) { return !context.getGradient(slice.getPart()); });
  if (slices.empty())
    return success();

  auto whole = tensorOf(getWhole());
  SmallVector<int64_t> borders = {0, whole.getShape().back()};
  for (SliceOp slice : slices)
    for (int64_t border : {slice.getOffset(), slice.getOffset() + slice.getSize()})
      borders.push_back(border);
  llvm::sort(borders);
  borders.erase(llvm::unique(borders), borders.end());
  SmallVector<Value> parts;
  for (auto [begin, end] : llvm::zip(borders, ArrayRef(borders).drop_front())) {
    SmallVector<int64_t> shape(whole.getShape());
    shape.back() = end - begin;
    parts.push_back(buildColumns(builder, getLoc(), context, slices, begin, end, whole.clone(shape)));
  }
  context.addGradient(getWhole(), parts.size() == 1
                                      ? parts.front()
                                      : ConcatOp::create(builder, getLoc(), parts, context.getScope()).getResult());
  return success();
}

Value SliceOp::getViewedWhole() { return getWhole(); }
SmallVector<std::pair<Value, int64_t>> SliceOp::getViewedParts() { return {{getPart(), getOffset()}}; }
KernelKind SliceOp::getKernelKind() { return KernelKind::View; }
std::pair<int64_t, int64_t> SliceOp::getKernelSpace() { return rowSpace(getPart()); }

//===--------------------------------------------------------------------------------------------------------------===//
// ConcatOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult ConcatOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  int64_t columns = 0;
  RankedTensorType first;
  for (Value part : adaptor.getParts()) {
    auto type = dyn_cast<RankedTensorType>(part.getType());
    if (!type || type.getRank() < 1)
      return inferenceError<ConcatOp>(loc, "takes parts with columns, found ", part.getType());
    if (!first)
      first = type;
    if (type.getShape().drop_back() != first.getShape().drop_back() || type.getElementType() != first.getElementType())
      return inferenceError<ConcatOp>(loc, "takes parts that agree in all but the last dimension, found ", first,
                                      " and ", type);
    if (type.getShape().back() < 1 || type.getShape().back() > tx::detail::kMaxElements - columns)
      return inferenceError<ConcatOp>(loc, "takes parts of at least one and together at most 2^56 columns, found ",
                                      type);
    columns += type.getShape().back();
  }
  if (!first)
    return inferenceError<ConcatOp>(loc, "needs at least one part");
  SmallVector<int64_t> shape(first.getShape());
  shape.back() = columns;
  types.push_back(RankedTensorType::get(shape, first.getElementType()));
  return success();
}

LogicalResult ConcatOp::verify() { return success(); }

LogicalResult ConcatOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  Value dwhole = context.getGradient(getWhole());
  for (auto [part, column] : getViewedParts())
    if (context.needsGradient(part) && dwhole)
      context.addGradient(part,
                          SliceOp::create(builder, getLoc(), dwhole, builder.getI64IntegerAttr(column),
                                          builder.getI64IntegerAttr(getColumns(part.getType())), context.getScope()));
  return success();
}

Value ConcatOp::getViewedWhole() { return getWhole(); }
KernelKind ConcatOp::getKernelKind() { return KernelKind::View; }
std::pair<int64_t, int64_t> ConcatOp::getKernelSpace() { return rowSpace(getWhole()); }

SmallVector<std::pair<Value, int64_t>> ConcatOp::getViewedParts() {
  SmallVector<std::pair<Value, int64_t>> parts;
  int64_t column = 0;
  for (Value part : getParts()) {
    parts.push_back({part, column});
    column += getColumns(part.getType());
  }
  return parts;
}

//===--------------------------------------------------------------------------------------------------------------===//
// SliceRowsOp, ConcatRowsOp
//===--------------------------------------------------------------------------------------------------------------===//

/// How many rows a tensor has whose rows have the shape `row`; none if it has no such rows.
static std::optional<int64_t> countRows(RankedTensorType type, Shape row) {
  if (type.getRank() <= static_cast<int64_t>(row.size()) || type.getShape().take_back(row.size()) != row)
    return std::nullopt;
  int64_t rows = 1;
  for (int64_t size : type.getShape().drop_back(row.size()))
    rows *= size;
  return rows;
}

static int64_t countRowElements(Shape row) { return tx::detail::countElements(row).value_or(1); }

LogicalResult SliceRowsOp::verify() {
  auto whole = tensorOf(getWhole()), part = tensorOf(getPart());
  if (part.getRank() < 1 || part.getElementType() != whole.getElementType())
    return emitOpError("gives rows of the whole's element type, found ") << part << " of " << whole;
  std::optional<int64_t> rows = countRows(whole, part.getShape().drop_front());
  if (!rows)
    return emitOpError("gives rows that the whole has, found ") << part << " of " << whole;
  int64_t offset = getOffset(), size = part.getDimSize(0);
  if (offset < 0 || size > *rows || offset > *rows - size)
    return emitOpError("takes ") << size << " rows from row " << offset << " on; not all are in the " << *rows << " of "
                                 << whole;
  return success();
}

Value SliceRowsOp::getViewedWhole() { return getWhole(); }
bool SliceRowsOp::hasRuns() { return true; }
bool SliceRowsOp::takesColumns(unsigned) { return false; }
KernelKind SliceRowsOp::getKernelKind() { return KernelKind::View; }
std::pair<int64_t, int64_t> SliceRowsOp::getKernelSpace() { return rowSpace(getPart()); }
SmallVector<std::pair<Value, int64_t>> SliceRowsOp::getViewedParts() {
  return {
      {getPart(), static_cast<int64_t>(getOffset()) * countRowElements(tensorOf(getPart()).getShape().drop_front())}};
}

LogicalResult ConcatRowsOp::verify() {
  if (getParts().empty())
    return emitOpError("needs at least one part");
  auto whole = tensorOf(getWhole());
  int64_t elements = 0;
  for (Value part : getParts()) {
    auto type = tensorOf(part);
    if (type.getRank() < 1 || type.getElementType() != whole.getElementType() ||
        !countRows(whole, type.getShape().drop_front()) ||
        type.getShape().drop_front() != tensorOf(getParts().front()).getShape().drop_front())
      return emitOpError("takes parts of one kind of rows, which the whole has too, found ")
             << type << " for " << whole;
    elements += type.getNumElements();
  }
  if (elements != whole.getNumElements())
    return emitOpError("takes parts of together ")
           << whole.getNumElements() << " elements for " << whole << ", found " << elements;
  return success();
}

Value ConcatRowsOp::getViewedWhole() { return getWhole(); }
bool ConcatRowsOp::hasRuns() { return true; }
KernelKind ConcatRowsOp::getKernelKind() { return KernelKind::View; }
std::pair<int64_t, int64_t> ConcatRowsOp::getKernelSpace() { return rowSpace(getWhole()); }
SmallVector<std::pair<Value, int64_t>> ConcatRowsOp::getViewedParts() {
  SmallVector<std::pair<Value, int64_t>> parts;
  int64_t element = 0;
  for (Value part : getParts()) {
    parts.push_back({part, element});
    element += tensorOf(part).getNumElements();
  }
  return parts;
}

//===--------------------------------------------------------------------------------------------------------------===//
// SelectRowsOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult SelectRowsOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                             SmallVectorImpl<Type> &types) {
  auto x = tensorOf(adaptor.getX()), rows = tensorOf(adaptor.getRows());
  if (x.getRank() != 3 || rows.getRank() != 1 || rows.getDimSize(0) != x.getDimSize(0))
    return inferenceError<SelectRowsOp>(loc, "takes x [b, s, h] and rows [b], found ", x, " and ", rows);
  types.push_back(RankedTensorType::get({x.getDimSize(0), x.getDimSize(2)}, x.getElementType()));
  return success();
}

LogicalResult SelectRowsOp::verify() { return success(); }

std::optional<IdRange> SelectRowsOp::getIdRange(unsigned operand) {
  if (operand != getRowsMutable().getOperandNumber())
    return std::nullopt;
  return IdRange{tensorOf(getX()).getDimSize(1)};
}

bool SelectRowsOp::readsOtherRows(unsigned operand) { return operand == getXMutable().getOperandNumber(); }
KernelKind SelectRowsOp::getKernelKind() { return KernelKind::Row; }
std::pair<int64_t, int64_t> SelectRowsOp::getKernelSpace() { return rowSpace(getResult()); }
int64_t SelectRowsOp::getVectorFlops() { return 0; }

//===--------------------------------------------------------------------------------------------------------------===//
// PackOp, UnpackOp
//===--------------------------------------------------------------------------------------------------------------===//

/// The element at which each part starts in the row, and as the last entry the row's length. None if the row has more
/// elements than a tensor may have.
static std::optional<SmallVector<int64_t>> findRuns(TypeRange parts) {
  SmallVector<int64_t> starts = {0};
  for (Type part : parts) {
    std::optional<int64_t> elements = tx::detail::countElements(tensorOf(part).getShape());
    if (!elements || *elements > tx::detail::kMaxElements - kRunAlignment - starts.back())
      return std::nullopt;
    starts.push_back(starts.back() + llvm::alignTo(*elements, kRunAlignment));
  }
  return starts;
}

static SmallVector<std::pair<Value, int64_t>> runsOf(ValueRange parts) {
  SmallVector<std::pair<Value, int64_t>> runs;
  for (auto [part, start] : llvm::zip_first(parts, *findRuns(parts.getTypes())))
    runs.push_back({part, start});
  return runs;
}

LogicalResult PackOp::inferReturnTypes(MLIRContext *, std::optional<Location> loc, Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  ValueRange parts = adaptor.getParts();
  if (parts.empty())
    return inferenceError<PackOp>(loc, "needs at least one part");
  Type element = tensorOf(parts.front()).getElementType();
  for (Value part : parts)
    if (tensorOf(part).getElementType() != element)
      return inferenceError<PackOp>(loc, "takes parts of one element type, found ", parts.front().getType(), " and ",
                                    part.getType());
  std::optional<SmallVector<int64_t>> starts = findRuns(parts.getTypes());
  if (!starts)
    return inferenceError<PackOp>(loc, "takes parts of static shapes and together at most 2^56 elements");
  types.push_back(RankedTensorType::get({starts->back()}, element));
  return success();
}

LogicalResult PackOp::verify() { return success(); }
Value PackOp::getViewedWhole() { return getWhole(); }
SmallVector<std::pair<Value, int64_t>> PackOp::getViewedParts() { return runsOf(getParts()); }
bool PackOp::hasRuns() { return true; }
bool PackOp::packsState() { return true; }
KernelKind PackOp::getKernelKind() { return KernelKind::View; }
std::pair<int64_t, int64_t> PackOp::getKernelSpace() { return rowSpace(getWhole()); }

LogicalResult UnpackOp::verify() {
  for (Type part : getParts().getTypes())
    if (tensorOf(part).getElementType() != tensorOf(getWhole()).getElementType())
      return emitOpError("gives parts of the whole's element type, found ") << part << " of " << getWhole().getType();
  std::optional<SmallVector<int64_t>> starts = findRuns(getParts().getTypes());
  if (!starts)
    return emitOpError("gives parts of together more than 2^56 elements");
  if (tensorOf(getWhole()).getShape() != ArrayRef<int64_t>(starts->back()))
    return emitOpError("gives the parts of a row of ") << starts->back() << " elements, found " << getWhole().getType();
  return success();
}

Value UnpackOp::getViewedWhole() { return getWhole(); }
SmallVector<std::pair<Value, int64_t>> UnpackOp::getViewedParts() { return runsOf(getParts()); }
bool UnpackOp::hasRuns() { return true; }
KernelKind UnpackOp::getKernelKind() { return KernelKind::View; }
std::pair<int64_t, int64_t> UnpackOp::getKernelSpace() { return rowSpace(getWhole()); }
