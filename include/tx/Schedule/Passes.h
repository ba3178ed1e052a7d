//===- Passes.h - Fusion and schedule -------------------------------------------------------------------*- C++ -*-===//

#ifndef TX_SCHEDULE_PASSES_H
#define TX_SCHEDULE_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "tx/Dialect/Step/IR/StepOps.h"

namespace tx {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "tx/Schedule/Passes.h.inc"

} // namespace tx

#endif // TX_SCHEDULE_PASSES_H
