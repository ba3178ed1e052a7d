//===- Advice.cpp - A policy that does less than it seems ---------------------------------------------------------===//

#include "tx/Remat/Policies.h"

#include "NearNames.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"

using namespace tx;

static RematPlan planModule(const plan::Entry &entry, RematPolicy policy, RecomputeModule module) {
  policy.modules = {module};
  return planRemat(entry, policy);
}

/// Finds another module of the policy that recomputes every value that `module` recomputes.
static std::optional<RecomputeModule> findParent(const plan::Entry &entry, const RematPolicy &policy,
                                                 RecomputeModule module) {
  RematPlan own = planModule(entry, policy, module);
  for (RecomputeModule other : policy.modules) {
    if (other == module)
      continue;
    RematPlan parent = planModule(entry, policy, other);
    bool covers = llvm::all_of(llvm::seq<int>(own.choices.size()),
                               [&](int value) { return !own.isRecomputed(value) || parent.isRecomputed(value); });
    if (covers)
      return other;
  }
  return std::nullopt;
}

/// The bytes that the plan saves in the layers that the policy includes.
static int64_t getBytesOfLayers(const plan::Entry &entry, const RematPolicy &policy, const RematPlan &plan) {
  int64_t bytes = 0;
  for (int value : getSavedValues(entry, plan))
    if (policy.includesLayer(entry.ops[entry.values[value].producer].layer))
      bytes += entry.values[value].bytes;
  return bytes;
}

static int64_t getMatrixFlops(const plan::Entry &entry, const RematPlan &plan) {
  int64_t flops = 0;
  for (const plan::Recomputation &recomputation : plan.recomputations)
    flops += entry.ops[recomputation.op].matrixFlops;
  return flops;
}

/// The end of a warning about a module that frees no more than `least` bytes: proposes the modules that free more and
/// recompute no matrix product.
static std::string proposeInstead(const plan::Entry &entry, const RematPolicy &policy, int64_t least) {
  int64_t bytesOfNone = getSavedBytes(entry, RematPlan(entry));
  std::string names;
  for (RecomputeModule module : entry.getModulesPresent()) {
    if (llvm::is_contained(policy.modules, module))
      continue;
    RematPlan plan = planModule(entry, policy, module);
    if (getMatrixFlops(entry, plan) == 0 && bytesOfNone - getSavedBytes(entry, plan) > least)
      names += (names.empty() ? "" : ",") + stringifyRecomputeModule(module).str();
  }
  return "; leave it out" + (names.empty() ? "" : ", or take " + names + ", which free more and repeat no product");
}

/// Warns about a module that frees nothing, or less than 1% of what its layers save. Core attention as one op (flash
/// attention) is such a module: recomputing it frees the log-sum-exp alone.
static void adviseOnBytes(const plan::Entry &entry, const RematPolicy &policy, RecomputeModule module,
                          std::vector<RematMessage> &messages) {
  RematPlan none(entry), plan = planModule(entry, policy, module);
  std::string name = "recompute module '" + stringifyRecomputeModule(module).str() + "'";
  int64_t bytesOfNone = getSavedBytes(entry, none), bytes = getSavedBytes(entry, plan);
  int64_t ofLayers = getBytesOfLayers(entry, policy, none);
  if (bytes >= bytesOfNone) {
    messages.push_back({RematMessage::Warning, name + " frees 0 bytes: " + std::to_string(bytes) +
                                                   " are saved with it, " + std::to_string(bytesOfNone) + " without" +
                                                   proposeInstead(entry, policy, ofLayers / 100)});
    return;
  }
  if (bytesOfNone - bytes >= ofLayers / 100)
    return;
  messages.push_back({RematMessage::Warning, name + " frees little: " + std::to_string(bytesOfNone - bytes) +
                                                 " of the " + std::to_string(ofLayers) +
                                                 " bytes that its layers save, for " +
                                                 std::to_string(getMatrixFlops(entry, plan)) + " FLOPs computed again" +
                                                 proposeInstead(entry, policy, ofLayers / 100)});
}

static void adviseOnModules(const plan::Entry &entry, const RematPolicy &policy, std::vector<RematMessage> &messages) {
  for (RecomputeModule module : policy.modules) {
    if (std::optional<RecomputeModule> parent = findParent(entry, policy, module))
      messages.push_back({RematMessage::Note, "recompute module '" + stringifyRecomputeModule(module).str() +
                                                  "' is part of '" + stringifyRecomputeModule(*parent).str() +
                                                  "' and runs once, with it; it can be left out"});
    else
      adviseOnBytes(entry, policy, module, messages);
  }
}

/// Counts the layers whose replay reads values of other layers, all of them recomputed: no saved value stops the
/// replay.
static int countReplaysThroughInput(const plan::Entry &entry, const RematPlan &plan) {
  std::vector<bool> takesSaved(entry.layers.size()), takesReplayed(entry.layers.size());
  for (const plan::Recomputation &recomputation : plan.recomputations) {
    const plan::Op &op = entry.ops[recomputation.op];
    std::optional<int> layer = entry.findLayer(op.layer);
    if (!layer)
      continue;
    for (const plan::Operand &operand : op.operands)
      if (int value = operand.value;
          entry.isForwardResult(value) && entry.ops[entry.values[value].producer].layer != op.layer)
        (plan.isRecomputed(value) ? takesReplayed : takesSaved)[*layer] = true;
  }
  int count = 0;
  for (size_t layer = 1; layer < entry.layers.size(); ++layer)
    count += takesReplayed[layer] && !takesSaved[layer];
  return count;
}

/// The name, without `layers.N.`, of the value that the second layer reads from the first.
static std::string findCarriedName(const plan::Entry &entry) {
  for (const plan::Op &op : entry.ops)
    if (op.isForward() && op.layer == entry.layers[1])
      for (const plan::Operand &operand : op.operands)
        if (int value = operand.value;
            entry.isForwardResult(value) && entry.ops[entry.values[value].producer].layer == entry.layers[0])
          return withoutLayer(entry.values[value].name).str();
  return "";
}

static void adviseOnSavedNames(const plan::Entry &entry, const RematPlan &plan, std::vector<RematMessage> &messages) {
  int replayed = countReplaysThroughInput(entry, plan);
  if (replayed == 0 || replayed < entry.getLayerCount() - 1)
    return;
  messages.push_back(
      {RematMessage::Note, "no saved name carries from layer to layer, so that one replay runs through all " +
                               std::to_string(entry.getLayerCount()) +
                               " layers; to save each layer's input too, add '" + findCarriedName(entry) + "'"});
}

void tx::adviseOnPlan(const plan::Entry &entry, const RematPolicy &policy, const RematPlan &plan,
                      std::vector<RematMessage> &messages) {
  if (policy.saveOnly)
    adviseOnSavedNames(entry, plan, messages);
  if (policy.granularity == RecomputeGranularity::Selective)
    return adviseOnModules(entry, policy, messages);
  if (policy.granularity == RecomputeGranularity::Auto) {
    if (plan.recomputations.empty())
      messages.push_back({RematMessage::Note, "all values fit into the budget: nothing is recomputed"});
    return;
  }
  int64_t bytes = getSavedBytes(entry, plan), bytesOfNone = getSavedBytes(entry, RematPlan(entry));
  if (!plan.lines.empty() && bytes >= bytesOfNone)
    messages.push_back({RematMessage::Warning, "this recompute policy frees 0 bytes: " + std::to_string(bytes) +
                                                   " are saved with it, " + std::to_string(bytesOfNone) + " without"});
}

std::optional<RematMessage> tx::warnIfPeakRises(int64_t peakBytes, int64_t peakBytesOfNone) {
  if (peakBytes <= peakBytesOfNone)
    return std::nullopt;
  return RematMessage{RematMessage::Warning, "this recompute policy raises the peak: " + std::to_string(peakBytes) +
                                                 " bytes, " + std::to_string(peakBytesOfNone) +
                                                 " without recompute; use --recompute-granularity none"};
}
