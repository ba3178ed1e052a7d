//===- ApplyPlan.h - One rewriter for every plan --------------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_REMAT_APPLYPLAN_H
#define TX_LIB_REMAT_APPLYPLAN_H

#include "BuildProblem.h"

#include "tx/Remat/Plan.h"

namespace tx {

/// Clones what the plan recomputes into the `recompute` segment, and lets backward use the clones. The plan must be a
/// verified one.
void applyRematPlan(const JointProblem &joint, const RematPlan &plan);

/// A remark for each line of the policy and layer: what it freed, what it costs; and one for the whole.
void remarkOnPlan(mlir::func::FuncOp function, const RematProblem &problem, const RematPlan &plan);

} // namespace tx

#endif // TX_LIB_REMAT_APPLYPLAN_H
