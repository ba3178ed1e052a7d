//===- Auto.cpp - What is quickest within a budget of memory ------------------------------------------------------===//
//
// The search is that of the plain step (Plan/Search.h). Policies by hand are its seeds: it is never dearer than one of
// them within the same bytes.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Regions.h"

#include "llvm/Support/FormatVariadic.h"

using namespace tx;

/// Policies that a person would try: each module, all that repeat no product, chunks of layers, each layer alone.
static std::vector<plan::Choices> makeSeeds(const plan::Entry &entry) {
  std::vector<plan::Choices> seeds;
  auto add = [&](const RematPolicy &policy) { seeds.push_back(planRemat(entry, policy).choices); };
  RematPolicy policy;
  policy.granularity = RecomputeGranularity::Selective;
  std::vector<RecomputeModule> present = entry.getModulesPresent();
  for (RecomputeModule module : present) {
    policy.modules = {module};
    add(policy);
  }
  policy.modules = present;
  add(policy);
  policy.granularity = RecomputeGranularity::Full;
  policy.method = RecomputeMethod::Uniform;
  policy.modules.clear();
  for (int layers = 1; layers <= entry.getLayerCount(); layers *= 2) {
    policy.numLayers = layers;
    add(policy);
  }
  return seeds;
}

/// Where a value lies among others, for a line of the plan: its layer.
static std::string describe(int64_t bytes) { return std::to_string(bytes) + " bytes"; }

/// What holds memory up where it is most, largest first.
static std::string listPeak(const plan::Step &applied, const plan::Peak &peak) {
  const plan::Entry &entry = applied.entries[peak.largest];
  plan::Schedule schedule = plan::makeSchedule(entry);
  plan::Storages storages = computeStorages(applied, entry, schedule, plan::StateLayout::compute(applied));
  std::string text;
  constexpr size_t kMost = 4;
  for (const plan::LiveStorage &live :
       llvm::ArrayRef(findPeakPoint(entry, schedule, storages).storages).take_front(kMost))
    text += (text.empty() ? "" : ", ") +
            (live.value < 0 ? std::string("scratch") : "'" + entry.values[live.value].name + "'") + " " +
            std::to_string(live.bytes);
  return text;
}

void tx::chooseAuto(const RematInput &input, const RematPolicy &policy, RematPlan &plan) {
  if (!input.step || !input.device) {
    plan.refusal = "needs a whole step and a device";
    return;
  }
  plan::LaunchTimer timer(*input.step, *input.device);
  plan::Search search(*input.step, input.number, timer);
  std::vector<plan::Choices> seeds = makeSeeds(input.entry);
  int64_t budget = policy.memoryBudget.value_or(input.device->getMemoryBytes() - input.device->getOutsideBytes(0));
  plan::SearchResult found = search.run(budget, seeds);
  if (!found.fits) {
    plan::Step applied = search.getScorer().apply(found.choices);
    plan::Peak peak = search.getScorer().place(found.choices);
    plan.refusal = llvm::formatv("{0} is less than any plan needs; --memory-budget {1} would do, and {2} needs no "
                                 "recomputation. State is {3}; what holds the peak up beside it: {4}",
                                 describe(budget), found.score.bytes, describe(found.fullBytes),
                                 describe(peak.persistentBytes), listPeak(applied, peak));
    return;
  }
  int line = plan.addLine(llvm::formatv("auto within {0}", describe(budget)));
  for (int value = 0, e = found.choices.size(); value < e; ++value)
    if (found.choices[value] == plan::Choice::Recompute)
      plan.recompute(value, line);
  plan.found = std::move(found);
}
