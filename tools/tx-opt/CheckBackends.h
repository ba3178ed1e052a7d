//===- CheckBackends.h - Who runs the functions of a test -----------------------------------------------*- C++ -*-===//
//
//   FailureOr<CheckRun> run = runOnReference(functions);
//   FailureOr<std::vector<CheckRun>> more = runOnHost(functions);      // at each level of this machine's CPU
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_OPT_CHECKBACKENDS_H
#define TX_OPT_CHECKBACKENDS_H

#include "CheckFunction.h"

namespace tx {

/// The results of all functions in one place: the reference, or the host at one CPU level.
struct CheckRun {
  std::string place; ///< for messages: "the reference", "host (x86-64-v3)"
  /// The results of each function; empty for a function that does not run in this place.
  std::vector<llvm::SmallVector<Tensor>> results;
};

/// Runs all functions on the reference interpreter. An error is at the op that the reference refuses.
mlir::FailureOr<CheckRun> runOnReference(llvm::ArrayRef<CheckFunction> functions);

/// Runs the functions with `runsOnHost` on the host. The passes of `step` compile them, then the host's code generator
/// once for each CPU level; the runtime runs them. Returns one CheckRun for each level.
mlir::FailureOr<std::vector<CheckRun>> runOnHost(llvm::ArrayRef<CheckFunction> functions);

} // namespace tx

#endif // TX_OPT_CHECKBACKENDS_H
