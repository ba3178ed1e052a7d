//===- Passes.h - From the loss to the entries of a step ------------------------------------------------*- C++ -*-===//
//
// tx-autodiff differentiates the function that is marked `tx.train` and makes the joint function `microbatch` of it.
// tx-make-entries adds the other functions that the runtime calls: `apply`, `step`, `evaluate`. tx-verify-joint checks
// what the joint phase promises of all of them.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_AUTODIFF_PASSES_H
#define TX_AUTODIFF_PASSES_H

#include "mlir/Pass/Pass.h"

namespace tx {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "tx/Autodiff/Passes.h.inc"

} // namespace tx

#endif // TX_AUTODIFF_PASSES_H
