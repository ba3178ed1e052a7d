//===- Passes.h - From placed ops to launches -----------------------------------------------------------*- C++ -*-===//

#ifndef TX_CONVERSION_TXTOSTEP_PASSES_H
#define TX_CONVERSION_TXTOSTEP_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "tx/Dialect/Step/IR/StepOps.h"

namespace tx {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "tx/Conversion/TxToStep/Passes.h.inc"

} // namespace tx

#endif // TX_CONVERSION_TXTOSTEP_PASSES_H
