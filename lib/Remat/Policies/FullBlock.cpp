//===- FullBlock.cpp - Recompute some layers, each alone ------------------===//
//
// The first layers (Megatron's block), or a list of any layers.
//
//===----------------------------------------------------------------------===//

#include "Regions.h"

using namespace tx;

void tx::chooseFullBlock(const RematProblem &problem, const RematPolicy &policy, RematPlan &plan) {
  RegionChooser chooser(problem, plan);
  for (int layer = 0; layer < problem.layerCount; ++layer)
    if (policy.includesLayer(layer))
      chooser.recompute((policy.layers ? "full, " : "full block, ") + describeLayers({layer}), layer, layer + 1,
                        [](const RematOp &) { return true; }, RegionOutput::Kept);
}
