//===- Selective.cpp - Recompute modules of layers ----------------------------------------------------------------===//
//
// Recomputes the core attention of Korthikanti et al. 2022, and the modules that Megatron-LM added later. It combines
// with a block of first layers or a list of layers, which Megatron refuses.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Regions.h"

#include "../ModuleTraits.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"

using namespace tx;

void tx::chooseSelective(const RematInput &input, const RematPolicy &policy, RematPlan &plan) {
  const plan::Entry &entry = input.entry;
  std::vector<int> layers;
  llvm::copy_if(entry.layers, std::back_inserter(layers), [&](int layer) { return policy.includesLayer(layer); });
  bool everywhere = layers.size() == entry.layers.size();

  RegionChooser chooser(entry, plan);
  for (RecomputeModule module : policy.modules) {
    int line = plan.addLine("selective " + stringifyRecomputeModule(module).str() +
                            (everywhere ? "" : ", " + describeLayers(layers)));
    auto layerOf = [&](const plan::Op &op) {
      return policy.includesLayer(op.layer) && op.isInside(module) ? entry.findLayer(op.layer) : std::nullopt;
    };
    chooser.recompute(std::vector<int>(entry.layers.size(), line), layerOf,
                      discardsOutput(module) ? RegionOutput::Discarded : RegionOutput::Kept);
  }
}
