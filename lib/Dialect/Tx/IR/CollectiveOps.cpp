//===- CollectiveOps.cpp - What ranks do together -------------------------===//

#include "OpUtils.h"

using namespace mlir;
using namespace tx;

//===----------------------------------------------------------------------===//
// MeshAxisOp
//===----------------------------------------------------------------------===//

LogicalResult MeshAxisOp::verify() {
  int64_t size = getSize();
  if (size < 1 || size > kMaxRanks)
    return emitOpError("takes a size of 1 to ") << kMaxRanks << ", found " << size;
  return success();
}

static LogicalResult verifyAxis(CollectiveOpInterface op, SymbolTableCollection &symbols) {
  if (!symbols.lookupNearestSymbolFrom<MeshAxisOp>(op, op.getAxisAttr()))
    return op.emitOpError("names no tx.mesh_axis: ") << op.getAxisAttr();
  return success();
}

int64_t tx::getRanks(CollectiveOpInterface op) {
  return SymbolTable::lookupNearestSymbolFrom<MeshAxisOp>(op, op.getAxisAttr()).getSize();
}

//===----------------------------------------------------------------------===//
// AllReduceOp
//===----------------------------------------------------------------------===//

LogicalResult AllReduceOp::verify() { return success(); }

LogicalResult AllReduceOp::verifySymbolUses(SymbolTableCollection &symbols) { return verifyAxis(*this, symbols); }

LogicalResult AllReduceOp::buildBackward(OpBuilder &, BackwardContext &context) {
  Value gradient = context.getGradient(getResult());
  if (gradient && context.needsGradient(getOperand()))
    context.addGradient(getOperand(), gradient);
  return success();
}

ReplayKind AllReduceOp::getReplayKind() { return ReplayKind::Never; }
SmallVector<std::pair<unsigned, unsigned>> AllReduceOp::getTies() { return {{0, 0}}; }
CollectiveKind AllReduceOp::getCollectiveKind() { return CollectiveKind::AllReduce; }

// Each element is added once for each rank but one, somewhere.
int64_t AllReduceOp::getVectorFlops() { return tensorOf(getOperand()).getNumElements(); }
// A rank sends its part of the others' shares, then its own finished share to
// all others.
int64_t AllReduceOp::getSentBytes() {
  int64_t ranks = getRanks(*this);
  return 2 * (getByteSize(getOperand().getType()) / ranks) * (ranks - 1);
}
