//===- FullBlock.cpp - Recompute some layers, each alone ----------------------------------------------------------===//
//
// The first layers (Megatron's block), or a list of any layers.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Regions.h"

#include "llvm/ADT/ArrayRef.h"

using namespace tx;

void tx::chooseFullBlock(const RematProblem &problem, const RematPolicy &policy, RematPlan &plan) {
  std::vector<int> lines; // by the layer's place among those that exist
  for (int layer : problem.layers)
    lines.push_back(policy.includesLayer(layer)
                        ? plan.addLine((policy.layers ? "full, " : "full block, ") + describeLayers({layer}))
                        : -1);
  RegionChooser(problem, plan)
      .recompute(
          lines,
          [&](const RematOp &op) {
            return policy.includesLayer(op.layer) ? problem.findLayer(op.layer) : std::nullopt;
          },
          RegionOutput::Kept);
}
