//===- Passes.h - From the model to the program of one rank ---------------------------------------------*- C++ -*-===//

#ifndef TX_PARALLEL_PASSES_H
#define TX_PARALLEL_PASSES_H

#include "mlir/Pass/Pass.h"

namespace tx {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "tx/Parallel/Passes.h.inc"

} // namespace tx

#endif // TX_PARALLEL_PASSES_H
