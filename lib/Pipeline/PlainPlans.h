//===- PlainPlans.h - Plans on plain data ---------------------------------------------------------------*- C++ -*-===//
//
// Decides about recomputation, order, kernels and places on the step as plain data, as the passes of the stages after
// `entries` do on IR:
//
//   PlainPlans plans(std::move(step), findLibraryWork(fused));
//   llvm::Expected<PlannedStep> planned = plans.evaluate(policy, device);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_PIPELINE_PLAINPLANS_H
#define TX_LIB_PIPELINE_PLAINPLANS_H

#include "tx/Pipeline/Planner.h"
#include "tx/Plan/Schedule.h"
#include "tx/Remat/Options.h"
#include "tx/Remat/Plan.h"

#include "llvm/ADT/StringMap.h"

namespace tx {

/// What a target's libraries do, by op: the same for an op and for its recomputation.
struct LibraryWork {
  int64_t scratchBytes = 0;
  bool addsBias = false;
};
using LibraryWorks = llvm::StringMap<LibraryWork>;

/// Reads off a fused step which ops a library computes.
LibraryWorks findLibraryWork(const plan::Step &fused);

class PlainPlans {
public:
  /// `step`: as it is after the stage `entries`, with names.
  PlainPlans(plan::Step step, const LibraryWorks &libraries);

  llvm::Expected<PlannedStep> evaluate(const RematPolicyOptions &options, const plan::Device &device) const;

private:
  llvm::Expected<RematPlan> decide(const plan::Entry &entry, const RematPolicyOptions &options) const;
  plan::Schedule schedule(const plan::Entry &entry) const;

  plan::Step step;
};

} // namespace tx

#endif // TX_LIB_PIPELINE_PLAINPLANS_H
