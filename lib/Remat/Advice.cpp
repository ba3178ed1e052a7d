//===- Advice.cpp - A policy that does less than it seems ---------------------------------------------------------===//

#include "tx/Remat/Policies.h"

#include "NearNames.h"

#include "llvm/ADT/STLExtras.h"

using namespace tx;

static RematPlan planModule(const RematProblem &problem, RematPolicy policy, RecomputeModule module) {
  policy.modules = {module};
  return planRemat(problem, policy);
}

/// Finds another module of the policy that recomputes every value that `module` recomputes.
static std::optional<RecomputeModule> findParent(const RematProblem &problem, const RematPolicy &policy,
                                                 RecomputeModule module) {
  RematPlan own = planModule(problem, policy, module);
  for (RecomputeModule other : policy.modules) {
    if (other == module)
      continue;
    RematPlan parent = planModule(problem, policy, other);
    bool covers = llvm::all_of(llvm::zip(own.choices, parent.choices),
                               [](auto pair) { return !std::get<0>(pair).recompute || std::get<1>(pair).recompute; });
    if (covers)
      return other;
  }
  return std::nullopt;
}

/// The bytes that the plan saves in the layers that the policy includes.
static int64_t getBytesOfLayers(const RematProblem &problem, const RematPolicy &policy, const RematPlan &plan) {
  int64_t bytes = 0;
  for (int value : getSavedValues(problem, plan))
    if (policy.includesLayer(problem.ops[problem.values[value].producer].layer))
      bytes += problem.values[value].bytes;
  return bytes;
}

static int64_t getMatrixFlops(const RematProblem &problem, const RematPlan &plan) {
  int64_t flops = 0;
  for (const Recomputation &recomputation : plan.recomputations)
    flops += problem.ops[recomputation.op].matrixFlops;
  return flops;
}

/// The end of a warning about a module that frees no more than `least` bytes: proposes the modules that free more and
/// recompute no matrix product.
static std::string proposeInstead(const RematProblem &problem, const RematPolicy &policy, int64_t least) {
  int64_t bytesOfNone = getSavedBytes(problem, RematPlan(problem));
  std::string names;
  for (RecomputeModule module : problem.getModulesPresent()) {
    if (llvm::is_contained(policy.modules, module))
      continue;
    RematPlan plan = planModule(problem, policy, module);
    if (getMatrixFlops(problem, plan) == 0 && bytesOfNone - getSavedBytes(problem, plan) > least)
      names += (names.empty() ? "" : ",") + stringifyRecomputeModule(module).str();
  }
  return "; leave it out" + (names.empty() ? "" : ", or take " + names + ", which free more and repeat no product");
}

/// Warns about a module that frees nothing, or less than 1% of what its layers save. Core attention as one op (flash
/// attention) is such a module: recomputing it frees the log-sum-exp alone.
static void adviseOnBytes(const RematProblem &problem, const RematPolicy &policy, RecomputeModule module,
                          std::vector<RematMessage> &messages) {
  RematPlan none(problem), plan = planModule(problem, policy, module);
  std::string name = "recompute module '" + stringifyRecomputeModule(module).str() + "'";
  int64_t bytesOfNone = getSavedBytes(problem, none), bytes = getSavedBytes(problem, plan);
  int64_t ofLayers = getBytesOfLayers(problem, policy, none);
  if (bytes >= bytesOfNone) {
    messages.push_back({RematMessage::Warning, name + " frees 0 bytes: " + std::to_string(bytes) +
                                                   " are saved with it, " + std::to_string(bytesOfNone) + " without" +
                                                   proposeInstead(problem, policy, ofLayers / 100)});
    return;
  }
  if (bytesOfNone - bytes >= ofLayers / 100)
    return;
  messages.push_back(
      {RematMessage::Warning, name + " frees little: " + std::to_string(bytesOfNone - bytes) + " of the " +
                                  std::to_string(ofLayers) + " bytes that its layers save, for " +
                                  std::to_string(getMatrixFlops(problem, plan)) + " FLOPs computed again" +
                                  proposeInstead(problem, policy, ofLayers / 100)});
}

static void adviseOnModules(const RematProblem &problem, const RematPolicy &policy,
                            std::vector<RematMessage> &messages) {
  for (RecomputeModule module : policy.modules) {
    if (std::optional<RecomputeModule> parent = findParent(problem, policy, module))
      messages.push_back({RematMessage::Note, "recompute module '" + stringifyRecomputeModule(module).str() +
                                                  "' is part of '" + stringifyRecomputeModule(*parent).str() +
                                                  "' and runs once, with it; it can be left out"});
    else
      adviseOnBytes(problem, policy, module, messages);
  }
}

/// Counts the layers whose replay reads values of other layers, all of them recomputed: no saved value stops the
/// replay.
static int countReplaysThroughInput(const RematProblem &problem, const RematPlan &plan) {
  std::vector<bool> takesSaved(problem.layers.size()), takesReplayed(problem.layers.size());
  for (const Recomputation &recomputation : plan.recomputations) {
    const RematOp &op = problem.ops[recomputation.op];
    std::optional<int> layer = problem.findLayer(op.layer);
    if (!layer)
      continue;
    for (int operand : op.operands)
      if (problem.isForwardResult(operand) && problem.ops[problem.values[operand].producer].layer != op.layer)
        (plan.choices[operand].recompute ? takesReplayed : takesSaved)[*layer] = true;
  }
  int count = 0;
  for (size_t layer = 1; layer < problem.layers.size(); ++layer)
    count += takesReplayed[layer] && !takesSaved[layer];
  return count;
}

/// The name, without `layers.N.`, of the value that the second layer reads from the first.
static std::string findCarriedName(const RematProblem &problem) {
  for (const RematOp &op : problem.ops)
    if (op.isForward() && op.layer == problem.layers[1])
      for (int operand : op.operands)
        if (problem.isForwardResult(operand) &&
            problem.ops[problem.values[operand].producer].layer == problem.layers[0])
          return withoutLayer(problem.values[operand].name).str();
  return "";
}

static void adviseOnSavedNames(const RematProblem &problem, const RematPlan &plan,
                               std::vector<RematMessage> &messages) {
  int replayed = countReplaysThroughInput(problem, plan);
  if (replayed == 0 || replayed < problem.getLayerCount() - 1)
    return;
  messages.push_back(
      {RematMessage::Note, "no saved name carries from layer to layer, so that one replay runs through all " +
                               std::to_string(problem.getLayerCount()) +
                               " layers; to save each layer's input too, add '" + findCarriedName(problem) + "'"});
}

void tx::adviseOnPlan(const RematProblem &problem, const RematPolicy &policy, const RematPlan &plan,
                      std::vector<RematMessage> &messages) {
  if (policy.saveOnly)
    adviseOnSavedNames(problem, plan, messages);
  if (policy.granularity == RecomputeGranularity::Selective)
    return adviseOnModules(problem, policy, messages);
  int64_t bytes = getSavedBytes(problem, plan), bytesOfNone = getSavedBytes(problem, RematPlan(problem));
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
