//===- Selective.cpp - Recompute modules of layers ------------------------===//
//
// Korthikanti et al. 2022 (core attention), and Megatron-LM's later modules.
// Over a block of first layers or a list of layers too, which Megatron refuses.
//
//===----------------------------------------------------------------------===//

#include "Regions.h"

#include "../ModuleTraits.h"

using namespace tx;

void tx::chooseSelective(const RematProblem &problem, const RematPolicy &policy, RematPlan &plan) {
  std::vector<int> layers;
  for (int layer = 0; layer < problem.layerCount; ++layer)
    if (policy.includesLayer(layer))
      layers.push_back(layer);
  bool everywhere = static_cast<int>(layers.size()) == problem.layerCount;

  RegionChooser chooser(problem, plan);
  for (RecomputeModule module : policy.modules)
    chooser.recompute(
        "selective " + stringifyRecomputeModule(module).str() + (everywhere ? "" : ", " + describeLayers(layers)), 0,
        problem.layerCount, [&](const RematOp &op) { return policy.includesLayer(op.layer) && op.isInside(module); },
        discardsOutput(module) ? RegionOutput::Discarded : RegionOutput::Kept);
}
