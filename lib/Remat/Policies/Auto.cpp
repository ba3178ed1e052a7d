//===- Auto.cpp - What is quickest within a budget of memory ------------------------------------------------------===//
//
// The search is that of the plain step (Plan/Search.h). Policies by hand are its seeds: it is never dearer than one of
// them within the same bytes.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Regions.h"

#include "llvm/Support/FormatVariadic.h"

using namespace tx;

/// Policies that a person would try: lists of modules, chunks of layers, the first layers each alone.
static std::vector<plan::Choices> makeSeeds(const plan::Entry &entry) {
  std::vector<plan::Choices> seeds;
  auto add = [&](const RematPolicy &policy) { seeds.push_back(planRemat(entry, policy).choices); };
  RematPolicy policy;
  policy.granularity = RecomputeGranularity::Selective;
  std::vector<RecomputeModule> present = entry.getModulesPresent();
  constexpr size_t kMostModules = 4, kMostBlocks = 32;
  for (unsigned set = 1; set < 1u << std::min(present.size(), kMostModules); ++set) {
    policy.modules.clear();
    for (size_t i = 0; i < present.size(); ++i)
      if (set >> i & 1)
        policy.modules.push_back(present[i]);
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
  policy.method = RecomputeMethod::Block;
  int step = std::max<int>(1, entry.getLayerCount() / kMostBlocks);
  for (int layers = step; layers < entry.getLayerCount(); layers += step) {
    policy.lastOfBlock = entry.layers[layers - 1];
    add(policy);
  }
  return seeds;
}

/// What holds memory up where it is most, largest first.
static std::string listPeak(const plan::Step &applied, int number) {
  constexpr size_t kMost = 4;
  const plan::Entry &entry = applied.entries[number];
  plan::Schedule schedule = plan::makeSchedule(entry);
  plan::Storages storages = computeStorages(applied, entry, schedule, plan::StateLayout::compute(applied));
  plan::LivePoint point = findPeakPoint(entry, schedule, storages);
  std::string text;
  for (const plan::LiveStorage &live : llvm::ArrayRef(point.storages).take_front(kMost)) {
    std::string name = live.value < 0 ? "" : entry.values[live.value].name;
    text +=
        (text.empty() ? "" : ", ") + (name.empty() ? std::string("scratch") : name) + " " + std::to_string(live.bytes);
  }
  return text;
}

/// The bytes that the arena may have: those that a person names, or a device's memory less what lies outside of the
/// arena. Nothing, and a reason, if neither is said.
static std::optional<int64_t> findBudget(const RematInput &input, const RematPolicy &policy, std::string &reason) {
  if (policy.budgetDevice.empty())
    return policy.memoryBudget;
  llvm::Expected<plan::Device> device = plan::findDevice(policy.budgetDevice);
  if (!device) {
    reason = llvm::toString(device.takeError());
    return std::nullopt;
  }
  bool talks = llvm::any_of(input.entry.ops, [](const plan::Op &op) { return op.ranks > 1; });
  return device->getMemoryBytes() - device->getOutsideBytes(talks ? 1 : 0);
}

/// The search's plan has more bytes than the budget, whatever it does.
static std::string refuse(plan::Search &search, const plan::SearchResult &found, const std::string &what) {
  plan::Step applied = search.getScorer().apply(found.choices);
  plan::Peak peak = search.getScorer().place(found.choices);
  return llvm::formatv("{0}; {1} would do, and {2} needs no recomputation; {3} of it are state; beside it the largest "
                       "at the peak are {4}",
                       what, found.score.bytes, found.fullBytes, peak.persistentBytes, listPeak(applied, peak.largest));
}

void tx::chooseAuto(const RematInput &input, const RematPolicy &policy, RematPlan &plan) {
  if (!input.step || !input.device) {
    plan.refusal = "needs a whole step and a device";
    return;
  }
  auto isUnknown = [](const plan::Op &op) { return op.work == plan::Work::Other; };
  if (auto other = llvm::find_if(input.entry.ops, isUnknown); other != input.entry.ops.end()) {
    plan.refusal = "needs ops that a target has, found " + other->kind +
                   "; run tx-make-entries, tx-expand-ops and tx-copy-views first, as tx-compile does";
    return;
  }
  std::optional<int64_t> budget = findBudget(input, policy, plan.refusal);
  if (!plan.refusal.empty())
    return;
  plan::LaunchTimer timer(*input.step, *input.device);
  plan::Search search(*input.step, input.number, timer);
  plan::SearchResult found = search.run(budget.value_or(0), makeSeeds(input.entry));
  if (!budget) {
    plan.refusal = refuse(search, found, "needs --memory-budget BYTES, or --device for its memory");
    return;
  }
  if (!found.fits) {
    plan.refusal = refuse(search, found, llvm::formatv("a budget of {0} bytes is less than any plan needs", *budget));
    return;
  }
  int line = plan.addLine(llvm::formatv("auto within {0} bytes", *budget));
  for (int value = 0, e = found.choices.size(); value < e; ++value)
    if (found.choices[value] == plan::Choice::Recompute)
      plan.recompute(value, line);
  plan.found = std::move(found);
}
