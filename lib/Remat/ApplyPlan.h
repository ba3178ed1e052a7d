//===- ApplyPlan.h - One rewriter for every plan --------------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_REMAT_APPLYPLAN_H
#define TX_LIB_REMAT_APPLYPLAN_H

#include "tx/Plan/ReadStep.h"
#include "tx/Remat/Plan.h"

namespace tx {

/// Clones the ops that the plan recomputes into the `recompute` segment, and makes backward ops use the results of the
/// clones. The plan must have passed verifyPlan. `ir` is what `entry` was read from.
void applyRematPlan(const plan::Entry &entry, const EntryIR &ir, const RematPlan &plan);

/// Emits one remark for each line of the plan in each layer (bytes freed, FLOPs recomputed), and one remark for the
/// whole function.
void remarkOnPlan(mlir::func::FuncOp function, const plan::Entry &entry, const RematPlan &plan);

} // namespace tx

#endif // TX_LIB_REMAT_APPLYPLAN_H
