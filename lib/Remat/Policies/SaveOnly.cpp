//===- SaveOnly.cpp - Keep only values with these names -----------------------------------------------------------===//
//
// In the manner of JAX's save_only_these_names, over all layers as one region:
// what carries from layer to layer is kept only if it is named.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Regions.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"

using namespace tx;

void tx::chooseSaveOnly(const RematProblem &problem, const RematPolicy &policy, RematPlan &plan) {
  std::string line = "save only";
  for (const std::string &name : *policy.saveOnly)
    line += (name == policy.saveOnly->front() ? " " : ", ") + name;

  auto layersOf = [](const RematOp &op) { return op.layer >= 0 ? std::optional(0) : std::nullopt; };
  RegionChooser(problem, plan).recompute(plan.addLine(line), layersOf, RegionOutput::Kept);

  // A view that is kept keeps what it is a view of, and with it the other views.
  std::vector<bool> keep(problem.values.size(), false);
  for (int value = 0, e = problem.values.size(); value < e; ++value)
    if (problem.isForwardResult(value) && llvm::any_of(*policy.saveOnly, [&](const std::string &name) {
          return matchesName(name, problem.values[value].name);
        }))
      keep[problem.values[value].storage] = true;
  for (int value = 0, e = problem.values.size(); value < e; ++value)
    if (keep[problem.values[value].storage])
      plan.choices[value] = {};
}
