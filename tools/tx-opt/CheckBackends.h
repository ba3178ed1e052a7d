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

/// What all functions gave somewhere.
struct CheckRun {
  std::string place; ///< for messages: "the reference", "host (x86-64-v3)"
  /// The results of each function; none for one that does not run there.
  std::vector<llvm::SmallVector<Tensor>> results;
};

/// All of them. Errors are at the op that the reference refuses.
mlir::FailureOr<CheckRun> runOnReference(llvm::ArrayRef<CheckFunction> functions);

/// Those that run on the host: compiled by the passes of `step`, then by the host's code generator once for each level,
/// and run by the runtime.
mlir::FailureOr<std::vector<CheckRun>> runOnHost(llvm::ArrayRef<CheckFunction> functions);

} // namespace tx

#endif // TX_OPT_CHECKBACKENDS_H
