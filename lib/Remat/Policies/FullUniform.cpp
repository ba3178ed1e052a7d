//===- FullUniform.cpp - Recompute all layers, in chunks ----------------------------------------------------------===//
//
// Chen et al. 2016. A chunk is numLayers layers in a row; the last one may be shorter. Only the input of each chunk is
// kept.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Regions.h"

#include "llvm/ADT/ArrayRef.h"

using namespace tx;

void tx::chooseFullUniform(const RematInput &input, const RematPolicy &policy, RematPlan &plan) {
  const plan::Entry &entry = input.entry;
  std::vector<int> lines; // for each chunk
  for (llvm::ArrayRef<int> rest = entry.layers; !rest.empty();
       rest = rest.drop_front(std::min<size_t>(policy.numLayers, rest.size())))
    lines.push_back(plan.addLine("full uniform, " + describeLayers(rest.take_front(policy.numLayers).vec())));
  auto chunkOf = [&](const plan::Op &op) -> std::optional<int> {
    std::optional<int> place = entry.findLayer(op.layer);
    return place ? std::optional(*place / policy.numLayers) : std::nullopt;
  };
  RegionChooser(entry, plan).recompute(lines, chunkOf, RegionOutput::Kept);
}
