//===- Summary.cpp - What a step saves and recomputes, read from the IR -------------------------------------------===//

#include "tx/Plan/NameTable.h"

#include "tx/Remat/Remat.h"

#include "tx/Dialect/Tx/IR/Border.h"
#include "tx/Dialect/Tx/IR/TxInterfaces.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/Support/raw_ostream.h"

#include <set>

using namespace mlir;
using namespace tx;

static SavedValue describe(OpResult result, const NameTable &names) {
  ScopeAttr scope = cast<ScopedOpInterface>(result.getOwner()).getScope();
  auto type = cast<RankedTensorType>(result.getType());
  std::string dtype;
  llvm::raw_string_ostream(dtype) << type.getElementType();
  return {names.nameOf(result), scope.getLayer(), scope.getPath().str(), type.getShape().vec(), dtype,
          getByteSize(type)};
}

static std::vector<SavedValue> summarizeSaved(func::FuncOp function, const NameTable &names) {
  const BorderOps border = findBorderOps(function.getBody());
  // Whether one of forward's kernels computes the op; these include the border ops (Border.h).
  auto isForwardOp = [&](Operation *op) {
    auto scoped = dyn_cast_or_null<ScopedOpInterface>(op);
    return scoped && (scoped.getScope().getSegment() == Segment::Forward || border.contains(op));
  };
  llvm::SetVector<Value> saved;
  function.walk([&](ScopedOpInterface op) {
    if (isForwardOp(op))
      return;
    for (Value operand : op->getOperands())
      if (isForwardOp(operand.getDefiningOp()))
        saved.insert(getStorage(operand));
  });
  std::vector<SavedValue> list;
  function.walk([&](Operation *op) {
    if (isForwardOp(op)) // skips views of parameters, which are in memory in any case
      for (OpResult result : op->getResults())
        if (saved.contains(result))
          list.push_back(describe(result, names));
  });
  return list;
}

std::vector<SavedValue> tx::summarizeSavedValues(func::FuncOp function) {
  return summarizeSaved(function, NameTable(function));
}

RematSummary tx::summarizeRemat(func::FuncOp function) {
  NameTable names(function);
  RematSummary summary;
  std::set<int> layers;
  summary.saved = summarizeSaved(function, names);
  function.walk([&](ScopedOpInterface op) {
    ScopeAttr scope = op.getScope();
    auto cost = dyn_cast<CostOpInterface>(op.getOperation());
    int64_t flops = cost ? cost.getMatrixFlops() : 0;
    switch (scope.getSegment()) {
    case Segment::Forward:
      summary.forwardFlops += flops;
      if (int64_t gradients = cost ? cost.getGradientFlops() : 0) {
        summary.forwardFlops -= gradients;
        summary.backwardFlops += gradients;
      }
      if (scope.isInLayer())
        layers.insert(scope.getLayer());
      break;
    case Segment::Backward:
      summary.backwardFlops += flops;
      break;
    case Segment::Recompute:
      summary.recomputeFlops += flops;
      if (!isa<ViewOpInterface>(op.getOperation()))
        summary.recomputed.push_back(
            {names.nameOf(op), scope.getLayer(), scope.getPath().str(), flops, cost ? cost.getVectorFlops() : 0});
      break;
    case Segment::Optimizer:
      break;
    }
  });
  for (const SavedValue &value : summary.saved)
    if (value.layer >= 0)
      layers.insert(value.layer);
  summary.layers.assign(layers.begin(), layers.end());
  summary.savedBytesPerLayer.resize(summary.layers.size());
  for (const SavedValue &value : summary.saved) {
    summary.savedBytes += value.bytes;
    if (value.layer >= 0)
      summary.savedBytesPerLayer[llvm::lower_bound(summary.layers, value.layer) - summary.layers.begin()] +=
          value.bytes;
  }
  return summary;
}
