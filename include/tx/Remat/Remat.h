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

/// On a module whose plan policy `auto` has found: the bytes that its arena may have, and the seconds that no choice
/// within them goes below.
inline constexpr llvm::StringLiteral kMemoryBudgetAttr = "tx.memory_budget", kLowerBoundAttr = "tx.lower_bound_seconds";

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
  int64_t flops; ///< FLOPs of matrix products
  int64_t vectorFlops;
};

/// What a step saves, and the FLOPs of the matrix products that it computes.
struct RematSummary {
  std::vector<SavedValue> saved;
  int64_t savedBytes = 0;
  std::vector<int> layers;                 ///< the numbers of the layers, ascending
  std::vector<int64_t> savedBytesPerLayer; ///< bytes saved in each of `layers`; values outside of layers are not in it
  std::vector<RecomputedOp> recomputed;    ///< clones of ops; without views, which cost nothing
  int64_t forwardFlops = 0, backwardFlops = 0, recomputeFlops = 0;
};

/// Applies the policy to a joint function. A function without backward ops stays as it is. Diagnostics say what is
/// wrong with the policy (then it fails) or doubtful about it.
mlir::LogicalResult rematerialize(mlir::func::FuncOp function, const RematPolicyOptions &options,
                                  RematSummary *summary = nullptr);

/// Lists the forward results that backward ops or recomputations use, in the order in which forward computes them. Of a
/// view it lists the whole tensor that it is a part of. It reads only the IR: before tx-rematerialize has run, this is
/// what policy `none` saves.
std::vector<SavedValue> summarizeSavedValues(mlir::func::FuncOp function);
RematSummary summarizeRemat(mlir::func::FuncOp function);

} // namespace tx

#endif // TX_REMAT_REMAT_H
