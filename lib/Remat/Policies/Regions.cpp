//===- Regions.cpp - Recompute what a part of the model computes --------------------------------------------------===//

#include "Regions.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"

using namespace tx;

void RegionChooser::recompute(llvm::ArrayRef<int> lines, RegionOf regionOf, RegionOutput output) {
  for (const plan::Op &op : entry.ops) {
    if (!op.isForward() || op.replay == ReplayKind::Never)
      continue;
    std::optional<int> region = regionOf(op);
    if (!region)
      continue;
    for (int result : op.results) {
      if (entry.isView(result) || plan.isRecomputed(result))
        continue;
      if (output == RegionOutput::Discarded || !leavesRegion(result, *region, regionOf))
        plan.recompute(result, lines[*region]);
    }
  }
}

void tx::followViews(const plan::Entry &entry, RematPlan &plan) {
  for (int value = 0, e = entry.values.size(); value < e; ++value)
    if (entry.isView(value) && entry.isForwardResult(value)) {
      plan.choices[value] = plan.choices[entry.values[value].storage];
      plan.reasons[value] = plan.reasons[entry.values[value].storage];
    }
}

// Follows views: if a slice of the value is used outside of the region, so is the value.
bool RegionChooser::leavesRegion(int value, int region, RegionOf regionOf) const {
  return llvm::any_of(users[value], [&](int user) {
    const plan::Op &op = entry.ops[user];
    if (!op.isForward())
      return false;
    if (regionOf(op) != region)
      return true;
    return llvm::any_of(op.results, [&](int result) {
      return entry.isView(result) && entry.values[result].storage == entry.values[value].storage &&
             leavesRegion(result, region, regionOf);
    });
  });
}
