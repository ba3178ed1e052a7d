//===- FullUniform.cpp - Recompute all layers, in chunks ------------------===//
//
// Chen et al. 2016. Only the input of each chunk is kept; the last chunk may be
// shorter.
//
//===----------------------------------------------------------------------===//

#include "Regions.h"

using namespace tx;

void tx::chooseFullUniform(const RematProblem &problem, const RematPolicy &policy, RematPlan &plan) {
  RegionChooser chooser(problem, plan);
  for (int first = 0; first < problem.layerCount; first += policy.numLayers) {
    int end = std::min(first + policy.numLayers, problem.layerCount);
    std::vector<int> layers;
    for (int layer = first; layer < end; ++layer)
      layers.push_back(layer);
    chooser.recompute("full uniform, " + describeLayers(layers), first, end, [](const RematOp &) { return true; },
                      RegionOutput::Kept);
  }
}
