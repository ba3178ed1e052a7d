//===- Passes.h - The pass of this phase ----------------------------------------------------------------*- C++ -*-===//

#ifndef TX_REMAT_PASSES_H
#define TX_REMAT_PASSES_H

#include "tx/Remat/Options.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace tx {

#define GEN_PASS_DECL
#include "tx/Remat/Passes.h.inc"

/// Makes the pass tx-rematerialize from the recompute flags of a command line.
std::unique_ptr<mlir::Pass> createRematerialize(const RematPolicyOptions &policy);

#define GEN_PASS_REGISTRATION
#include "tx/Remat/Passes.h.inc"

} // namespace tx

#endif // TX_REMAT_PASSES_H
