//===- FullBlock.cpp - Recompute some layers, each alone ----------------------------------------------------------===//
//
// Recomputes the first layers (Megatron's `block`), or any layers that a list names.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Regions.h"

#include "llvm/ADT/ArrayRef.h"

using namespace tx;

void tx::chooseFullBlock(const RematInput &input, const RematPolicy &policy, RematPlan &plan) {
  const plan::Entry &entry = input.entry;
  std::vector<int> lines; // for each layer, by its index in entry.layers
  for (int layer : entry.layers)
    lines.push_back(policy.includesLayer(layer)
                        ? plan.addLine((policy.layers ? "full, " : "full block, ") + describeLayers({layer}))
                        : -1);
  RegionChooser(entry, plan)
      .recompute(
          lines,
          [&](const plan::Op &op) { return policy.includesLayer(op.layer) ? entry.findLayer(op.layer) : std::nullopt; },
          RegionOutput::Kept);
}
