//===- Passes.h - From the loss to the entries of a step ------------------------------------------------*- C++ -*-===//
//
// tx-autodiff makes the joint function `microbatch` of the function that is marked `tx.train`; tx-verify-joint holds it
// to its promise; tx-make-entries adds what the runtime calls besides: `apply`, `step`, `evaluate`.
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
