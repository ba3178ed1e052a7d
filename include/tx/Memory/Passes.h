//===- Passes.h - Where every tensor lies ---------------------------------------------------------------*- C++ -*-===//

#ifndef TX_MEMORY_PASSES_H
#define TX_MEMORY_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "tx/Dialect/Step/IR/StepOps.h"

namespace tx {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "tx/Memory/Passes.h.inc"

} // namespace tx

#endif // TX_MEMORY_PASSES_H
