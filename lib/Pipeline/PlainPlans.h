//===- PlainPlans.h - Plans on plain data ---------------------------------------------------------------*- C++ -*-===//
//
// Decides about recomputation, order, kernels and places on the step as plain data, as the passes of the stages after
// `entries` do on IR:
//
//   PlainPlans plans(std::move(step), device);
//   llvm::Expected<PlannedStep> planned = plans.evaluate(policy);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_PIPELINE_PLAINPLANS_H
#define TX_LIB_PIPELINE_PLAINPLANS_H

#include "tx/Pipeline/Planner.h"
#include "tx/Remat/Options.h"
#include "tx/Remat/Plan.h"

namespace tx {

class PlainPlans {
public:
  /// `step`: as it is after the stage `entries`, with names; one of its entries trains. The device must outlive the
  /// plans.
  PlainPlans(plan::Step step, const plan::Device &device);

  llvm::Expected<PlannedStep> evaluate(const RematPolicyOptions &options) const;

private:
  /// The plan for the entry that needs most; its refusal if there is none.
  llvm::Expected<RematPlan> decide(const RematPolicyOptions &options) const;

  plan::Step step;
  const plan::Device &device;
  int main; ///< the number of the entry that decides
};

} // namespace tx

#endif // TX_LIB_PIPELINE_PLAINPLANS_H
