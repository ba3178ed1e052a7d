//===- Remat.h - Rematerialization on the joint function ------------------------------------------------*- C++ -*-===//
//
// The joint function has forward ops, then backward ops that use forward values as plain operands. Rematerialization
// clones forward ops into backward, where their results are needed, and no longer saves what the clones compute.
//
//   RematPolicyOptions options;
//   options.granularity = "full";
//   RematSummary summary;
//   if (failed(rematerialize(function, options, &summary))) ... // diagnostics said why
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_REMAT_REMAT_H
#define TX_REMAT_REMAT_H

#include "tx/Remat/Options.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tx {

/// A tensor that lives from forward into backward.
struct SavedValue {
  std::string name;   ///< `layers.3.mlp.fc1`
  int layer;          ///< -1: outside of the layers
  std::string module; ///< `mlp.fc1`
  std::vector<int64_t> shape;
  std::string dtype;
  int64_t bytes;
};

struct RecomputedOp {
  std::string name;
  int layer;
  std::string module;
  int64_t flops; ///< of matrix products
  int64_t vectorFlops;
};

/// What a step saves and computes; FLOPs are those of matrix products.
struct RematSummary {
  std::vector<SavedValue> saved;
  int64_t savedBytes = 0;
  std::vector<int> layers;                 ///< their numbers, ascending
  std::vector<int64_t> savedBytesPerLayer; ///< of each of `layers`, without what is outside
  std::vector<RecomputedOp> recomputed;    ///< without views, which cost nothing
  int64_t forwardFlops = 0, backwardFlops = 0, recomputeFlops = 0;
};

/// Applies the policy. A function without backward ops stays as it is. Says in diagnostics what is wrong with the
/// policy or doubtful about it.
mlir::LogicalResult rematerialize(mlir::func::FuncOp function, const RematPolicyOptions &options,
                                  RematSummary *summary = nullptr);

/// Forward results that backward or recomputation uses, in the order of their
/// computation; for a view, the whole that it is a part of. Reads only the IR:
/// before the pass, this is what policy `none` saves.
std::vector<SavedValue> summarizeSavedValues(mlir::func::FuncOp function);
RematSummary summarizeRemat(mlir::func::FuncOp function);

} // namespace tx

#endif // TX_REMAT_REMAT_H
