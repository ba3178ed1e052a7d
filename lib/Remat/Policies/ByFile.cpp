//===- ByFile.cpp - What a file says of each value ----------------------------------------------------------------===//

#include "Regions.h"

using namespace tx;

void tx::chooseByFile(const RematInput &input, const RematPolicy &policy, RematPlan &plan) {
  llvm::Expected<plan::Choices> choices = applyPlanFile(*policy.plan, input.entry);
  if (!choices) {
    plan.refusal = llvm::toString(choices.takeError());
    return;
  }
  int line = plan.addLine("plan " + policy.plan->file);
  for (int value = 0, e = choices->size(); value < e; ++value)
    if ((*choices)[value] == plan::Choice::Recompute)
      plan.recompute(value, line);
}
