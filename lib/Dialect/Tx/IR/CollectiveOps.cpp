//===- CollectiveOps.cpp - What ranks do together -----------------------------------------------------------------===//

#include "OpUtils.h"

using namespace mlir;
using namespace tx;

//===--------------------------------------------------------------------------------------------------------------===//
// MeshAxisOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult MeshAxisOp::verify() {
  int64_t size = getSize();
  if (size < 1 || size > kMaxRanks)
    return emitOpError("takes a size of 1 to ") << kMaxRanks << ", found " << size;
  // A rank's number counts through the whole mesh, so the product of all axes is bounded. An axis before this one that
  // is too large by itself has its own error.
  int64_t ranks = size;
  for (Operation *before = getOperation()->getPrevNode(); before; before = before->getPrevNode())
    if (auto axis = dyn_cast<MeshAxisOp>(before)) {
      int64_t others = axis.getSize();
      if (others < 1 || others > kMaxRanks)
        return success();
      ranks *= others;
      if (ranks > kMaxRanks)
        return emitOpError("makes a mesh of more than ") << kMaxRanks << " ranks with the axes before it";
    }
  return success();
}

static MeshAxisOp getAxis(CollectiveOpInterface op) {
  return SymbolTable::lookupNearestSymbolFrom<MeshAxisOp>(op, op.getAxisAttr());
}

int64_t tx::getRanks(CollectiveOpInterface op) { return getAxis(op).getSize(); }

int64_t tx::getRankStride(CollectiveOpInterface op) {
  int64_t stride = 1;
  for (Operation *next = getAxis(op)->getNextNode(); next; next = next->getNextNode())
    if (auto faster = dyn_cast<MeshAxisOp>(next))
      stride *= faster.getSize();
  return stride;
}

//===--------------------------------------------------------------------------------------------------------------===//
// What the ops share
//===--------------------------------------------------------------------------------------------------------------===//

static LogicalResult verifyAxis(CollectiveOpInterface op, SymbolTableCollection &symbols) {
  if (!symbols.lookupNearestSymbolFrom<MeshAxisOp>(op, op.getAxisAttr()))
    return op.emitOpError("names no tx.mesh_axis: ") << op.getAxisAttr();
  return success();
}

/// Checks that `whole` can be divided into equal parts along `dim`, one for each rank.
static LogicalResult verifySplit(CollectiveOpInterface op, SymbolTableCollection &symbols, RankedTensorType whole,
                                 int64_t dim) {
  if (failed(verifyAxis(op, symbols)))
    return failure();
  if (dim < 0 || dim >= whole.getRank())
    return op.emitOpError("has dim ") << dim << "; " << whole << " has " << whole.getRank() << " dimensions, from 0 on";
  if (int64_t ranks = getRanks(op); whole.getDimSize(dim) % ranks)
    return op.emitOpError("splits dimension ") << dim << " of " << whole << ", whose size the " << ranks << " ranks of "
                                               << op.getAxisAttr() << " do not divide";
  return success();
}

/// Checks that `part` has the shape of one rank's part of `whole` along `dim`.
static LogicalResult verifyPart(CollectiveOpInterface op, SymbolTableCollection &symbols, RankedTensorType whole,
                                RankedTensorType part, int64_t dim) {
  if (failed(verifySplit(op, symbols, whole, dim)))
    return failure();
  SmallVector<int64_t> shape(whole.getShape());
  shape[dim] /= getRanks(op);
  if (auto expected = RankedTensorType::get(shape, whole.getElementType()); part != expected)
    return op.emitOpError("has ") << whole << " for " << getRanks(op) << " ranks, of which each has " << expected
                                  << ", found " << part;
  return success();
}

static LogicalResult verifyRoot(CollectiveOpInterface op, SymbolTableCollection &symbols, int64_t root) {
  if (failed(verifyAxis(op, symbols)))
    return failure();
  if (int64_t ranks = getRanks(op); root < 0 || root >= ranks)
    return op.emitOpError("has root ") << root << "; ranks of " << op.getAxisAttr() << " are 0 to " << ranks - 1;
  return success();
}

/// Adds the gradient of the op's operand. `build` makes it from the result's gradient: it is the dual collective.
template <typename Op>
static LogicalResult buildDual(Op op, BackwardContext &context, llvm::function_ref<Value(Value, ScopeAttr)> build) {
  Value gradient = context.getGradient(op.getResult());
  if (gradient && context.needsGradient(op.getOperand()))
    context.addGradient(op.getOperand(), build(gradient, context.getScope()));
  return success();
}

/// The form of a collective that divides a tensor along `dim`: the dimensions before `dim` are its blocks, and each
/// block has a part for every rank.
static CollectiveForm splitForm(RankedTensorType operand, int64_t dim) {
  CollectiveForm form;
  for (int64_t size : operand.getShape().take_front(dim))
    form.outer *= size;
  return form;
}

static CollectiveForm rootForm(int64_t root) {
  CollectiveForm form;
  form.peer = root;
  return form;
}

/// Bytes of the other ranks' parts of `whole`, a tensor of which every rank has one part.
static int64_t getOthersBytes(CollectiveOpInterface op, Value whole) {
  int64_t bytes = getByteSize(whole.getType());
  return bytes - bytes / getRanks(op);
}

/// Bytes of the whole operand, or 0 if there is only one rank.
static int64_t getWholeBytes(CollectiveOpInterface op) {
  return getRanks(op) > 1 ? getByteSize(op->getOperand(0).getType()) : 0;
}

//===--------------------------------------------------------------------------------------------------------------===//
// AllReduceOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult AllReduceOp::verifySymbolUses(SymbolTableCollection &symbols) { return verifyAxis(*this, symbols); }

LogicalResult AllReduceOp::buildBackward(OpBuilder &, BackwardContext &context) {
  return buildDual(*this, context, [](Value gradient, ScopeAttr) { return gradient; });
}

SmallVector<std::pair<unsigned, unsigned>> AllReduceOp::getTies() { return {{0, 0}}; }
CollectiveForm AllReduceOp::getCollectiveForm() { return {}; }
// Reduce-scatter, then all-gather: a rank sends the others their parts, then sends its own finished part to all others.
int64_t AllReduceOp::getSentBytes() { return 2 * getOthersBytes(*this, getOperand()); }

//===--------------------------------------------------------------------------------------------------------------===//
// AllGatherOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult AllGatherOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyPart(*this, symbols, tensorOf(getResult()), tensorOf(getOperand()), getDim());
}

LogicalResult AllGatherOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  return buildDual(*this, context, [&](Value gradient, ScopeAttr scope) {
    return ReduceScatterOp::create(builder, getLoc(), getOperand().getType(), gradient, getDimAttr(), getAxisAttr(),
                                   scope);
  });
}

CollectiveForm AllGatherOp::getCollectiveForm() { return splitForm(tensorOf(getOperand()), getDim()); }
int64_t AllGatherOp::getSentBytes() { return getOthersBytes(*this, getResult()); }

//===--------------------------------------------------------------------------------------------------------------===//
// ReduceScatterOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult ReduceScatterOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyPart(*this, symbols, tensorOf(getOperand()), tensorOf(getResult()), getDim());
}

LogicalResult ReduceScatterOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  return buildDual(*this, context, [&](Value gradient, ScopeAttr scope) {
    return AllGatherOp::create(builder, getLoc(), getOperand().getType(), gradient, getDimAttr(), getAxisAttr(), scope);
  });
}

CollectiveForm ReduceScatterOp::getCollectiveForm() { return splitForm(tensorOf(getOperand()), getDim()); }
int64_t ReduceScatterOp::getSentBytes() { return getOthersBytes(*this, getOperand()); }

//===--------------------------------------------------------------------------------------------------------------===//
// AllToAllOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult AllToAllOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifySplit(*this, symbols, tensorOf(getOperand()), getDim());
}

LogicalResult AllToAllOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  return buildDual(*this, context, [&](Value gradient, ScopeAttr scope) {
    return AllToAllOp::create(builder, getLoc(), gradient.getType(), gradient, getDimAttr(), getAxisAttr(), scope);
  });
}

CollectiveForm AllToAllOp::getCollectiveForm() { return splitForm(tensorOf(getOperand()), getDim()); }
int64_t AllToAllOp::getSentBytes() { return getOthersBytes(*this, getOperand()); }

//===--------------------------------------------------------------------------------------------------------------===//
// BroadcastOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult BroadcastOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyRoot(*this, symbols, getRoot());
}

LogicalResult BroadcastOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  return buildDual(*this, context, [&](Value gradient, ScopeAttr scope) {
    return ReduceOp::create(builder, getLoc(), gradient.getType(), gradient, getRootAttr(), getAxisAttr(), scope);
  });
}

CollectiveForm BroadcastOp::getCollectiveForm() { return rootForm(getRoot()); }
// Each rank except the last passes the whole tensor on to the next one.
int64_t BroadcastOp::getSentBytes() { return getWholeBytes(*this); }

//===--------------------------------------------------------------------------------------------------------------===//
// ReduceOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult ReduceOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyRoot(*this, symbols, getRoot());
}

LogicalResult ReduceOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  return buildDual(*this, context, [&](Value gradient, ScopeAttr scope) {
    return BroadcastOp::create(builder, getLoc(), gradient.getType(), gradient, getRootAttr(), getAxisAttr(), scope);
  });
}

CollectiveForm ReduceOp::getCollectiveForm() { return rootForm(getRoot()); }
// As a broadcast, in the opposite direction.
int64_t ReduceOp::getSentBytes() { return getWholeBytes(*this); }

//===--------------------------------------------------------------------------------------------------------------===//
// SendRecvOp
//===--------------------------------------------------------------------------------------------------------------===//

LogicalResult SendRecvOp::verifySymbolUses(SymbolTableCollection &symbols) {
  if (failed(verifyAxis(*this, symbols)))
    return failure();
  int64_t shift = getShift(), ranks = getRanks(*this);
  if (shift <= -ranks || shift >= ranks)
    return emitOpError("shifts by ") << shift << "; on " << getAxisAttr() << " of " << ranks
                                     << " ranks a shift is at most " << ranks - 1 << " either way";
  return success();
}

LogicalResult SendRecvOp::buildBackward(OpBuilder &builder, BackwardContext &context) {
  return buildDual(*this, context, [&](Value gradient, ScopeAttr scope) {
    int64_t shift = getShift();
    return SendRecvOp::create(builder, getLoc(), gradient.getType(), gradient, builder.getI64IntegerAttr(-shift),
                              getWrapsAttr(), getAxisAttr(), scope);
  });
}

CollectiveForm SendRecvOp::getCollectiveForm() {
  CollectiveForm form;
  form.peer = getShift();
  form.wraps = getWraps();
  return form;
}

int64_t SendRecvOp::getSentBytes() { return static_cast<int64_t>(getShift()) ? getWholeBytes(*this) : 0; }
