//===- SaveOnly.cpp - Keep only values with these names -----------------------------------------------------------===//
//
// Works like JAX's save_only_these_names. All layers are one region, so a value that one layer passes to the next is
// kept only if it is named.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Regions.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"

using namespace tx;

void tx::chooseSaveOnly(const RematInput &input, const RematPolicy &policy, RematPlan &plan) {
  const plan::Entry &entry = input.entry;
  std::string line = "save only";
  for (const std::string &name : *policy.saveOnly)
    line += (name == policy.saveOnly->front() ? " " : ", ") + name;

  auto layersOf = [](const plan::Op &op) { return op.layer >= 0 ? std::optional(0) : std::nullopt; };
  RegionChooser(entry, plan).recompute(plan.addLine(line), layersOf, RegionOutput::Kept);

  // If a name matches a view, the value whose memory it shows is kept, and with it all other views of that value.
  std::vector<bool> keep(entry.values.size(), false);
  for (int value = 0, e = entry.values.size(); value < e; ++value)
    if (entry.isForwardResult(value) && llvm::any_of(*policy.saveOnly, [&](const std::string &name) {
          return matchesName(name, entry.values[value].name);
        }))
      keep[entry.values[value].storage] = true;
  for (int value = 0, e = entry.values.size(); value < e; ++value)
    if (keep[entry.values[value].storage])
      plan.keep(value);
}
