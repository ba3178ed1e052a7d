//===- Regions.cpp - Recompute what a part of the model computes --------------------------------------------------===//

#include "Regions.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"

using namespace tx;

void RegionChooser::recompute(llvm::ArrayRef<int> lines, RegionOf regionOf, RegionOutput output) {
  for (const RematOp &op : problem.ops) {
    if (!op.isForward() || op.replay == ReplayKind::Never)
      continue;
    std::optional<int> region = regionOf(op);
    if (!region)
      continue;
    for (int result : op.results) {
      RematChoice &choice = plan.choices[result];
      if (problem.isView(result) || choice.recompute)
        continue;
      if (output == RegionOutput::Discarded || !leavesRegion(result, *region, regionOf))
        choice = {true, lines[*region]};
    }
  }
}

void tx::followViews(const RematProblem &problem, RematPlan &plan) {
  for (int value = 0, e = problem.values.size(); value < e; ++value)
    if (problem.isView(value) && problem.isForwardResult(value))
      plan.choices[value] = plan.choices[problem.values[value].storage];
}

// Follows views: if a slice of the value is used outside of the region, so is the value.
bool RegionChooser::leavesRegion(int value, int region, RegionOf regionOf) const {
  return llvm::any_of(users[value], [&](int user) {
    const RematOp &op = problem.ops[user];
    if (!op.isForward())
      return false;
    if (regionOf(op) != region)
      return true;
    return llvm::any_of(op.results, [&](int result) {
      return problem.isView(result) && problem.values[result].storage == problem.values[value].storage &&
             leavesRegion(result, region, regionOf);
    });
  });
}
