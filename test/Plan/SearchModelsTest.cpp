//===- SearchModelsTest.cpp - The search and its bound on models of real sizes ------------------------------------===//
//
// What an optimum is nobody knows here. What must hold: no choice beats the bound of its own bytes, more budget is
// never slower, no policy by hand beats the search at the bytes that it needs itself, and the bytes are those of the
// whole compilation.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Models.h"

#include "../../lib/Pipeline/Report.h"

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Remat/Policies.h"
#include "tx/Remat/Remat.h"

#include "gtest/gtest.h"

#include <cstdio>

using namespace mlir;
using namespace tx;

namespace {

constexpr double kRounding = 1e-9;

const Flags kGpt2 = {"gpt2-124m", "--bf16", "--seq-length", "128"},
            kLlama = {"llama3.2-1b", "--bf16", "--seq-length", "256", "--num-layers", "4"},
            kUnfused = {"gpt2-124m", "--num-layers", "3", "--seq-length", "64", "--attention-backend", "unfused"};

/// A model, a device, and what they say of choices.
struct Planned {
  Planned(const Flags &flags, llvm::StringRef deviceName)
      : model(flags), device(llvm::cantFail(plan::findDevice(deviceName))), step(model.read.step),
        main(plan::Scorer::findMainEntry(step)), timer(step, device), scorer(step, main, timer) {}

  RematPlan plan(const RematPolicyOptions &options) {
    std::vector<RematMessage> messages;
    std::optional<RematPolicy> policy = parseRematPolicy(options, step.entries[main], messages);
    EXPECT_TRUE(policy) << messages.front().text;
    return planRemat({step, main, &device}, policy.value_or(RematPolicy()));
  }

  plan::SearchResult search(int64_t budget) {
    RematPolicyOptions options;
    options.granularity = "auto";
    options.memoryBudget = std::to_string(budget);
    RematPlan found = plan(options);
    EXPECT_EQ(found.refusal, "");
    EXPECT_EQ(verifyPlan(step.entries[main], found), std::nullopt);
    return found.found.value_or(plan::SearchResult());
  }

  /// The fewest bytes that the search knows a plan for: those that its refusal gives back.
  int64_t findLeast() {
    RematPolicyOptions options;
    options.granularity = "auto", options.memoryBudget = "1";
    std::string refusal = plan(options).refusal;
    llvm::StringRef text = refusal;
    int64_t least = 0;
    EXPECT_FALSE(text.split("needs; ").second.split(' ').first.getAsInteger(10, least)) << refusal;
    return least;
  }

  Model model;
  plan::Device device;
  const plan::Step &step;
  int main;
  plan::LaunchTimer timer;
  plan::Scorer scorer;
};

/// Policies that people use.
std::vector<RematPolicyOptions> listHandPolicies(const plan::Entry &entry) {
  std::vector<RematPolicyOptions> all;
  std::vector<RecomputeModule> present = entry.getModulesPresent();
  for (unsigned mask = 1; mask < 1u << present.size(); ++mask) {
    RematPolicyOptions options;
    options.granularity = "selective", options.modules = "";
    for (size_t i = 0; i < present.size(); ++i)
      if (mask >> i & 1)
        *options.modules += stringifyRecomputeModule(present[i]).str() + " ";
    all.push_back(options);
  }
  for (const char *method : {"block", "uniform"})
    for (int layers = 1; layers <= entry.getLayerCount(); layers += 1 + entry.getLayerCount() / 6) {
      RematPolicyOptions options;
      options.granularity = "full", options.method = method, options.numLayers = std::to_string(layers);
      all.push_back(options);
    }
  return all;
}

void checkBoundOfRandomChoices(const Flags &flags, llvm::StringRef device, int count) {
  Planned planned(flags, device);
  plan::KeepProblem problem(planned.scorer);
  std::mt19937_64 random(7);
  double nearest = 1;
  for (int i = 0; i < count && !testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE(i);
    plan::Choices choices = drawChoices(planned.step.entries[planned.main], random, random() % 101);
    plan::Score score = planned.scorer.score(choices);
    double bound = problem.boundSeconds(score.bytes);
    EXPECT_LE(bound, score.seconds * (1 + kRounding));
    nearest = std::min(nearest, 1 - bound / score.seconds);
  }
  std::printf("%s %s on %s: nearest to the bound %.2f %%\n", flags[0].c_str(), flags[1].c_str(), device.str().c_str(),
              100 * nearest);
}

void checkGrid(const Flags &flags, llvm::StringRef device) {
  constexpr int kBudgets = 10;
  Planned planned(flags, device);
  int64_t least = planned.findLeast(), full = planned.search(int64_t(1) << 50).fullBytes;
  double last = std::numeric_limits<double>::infinity(), lastBound = last;
  for (int i = 0; i <= kBudgets; ++i) {
    int64_t budget = least + (full - least) * i / kBudgets;
    SCOPED_TRACE("budget " + std::to_string(budget));
    plan::SearchResult found = planned.search(budget);
    EXPECT_TRUE(found.fits);
    EXPECT_LE(found.score.bytes, budget);
    EXPECT_LE(found.boundSeconds, found.score.seconds * (1 + kRounding));
    EXPECT_LE(found.boundSeconds, lastBound * (1 + kRounding));
    EXPECT_LE(found.score.seconds, last * (1 + kRounding)) << "more budget is slower";
    std::printf("%s on %s, %3d %%: %.6g s, gap %.2f %%\n", flags[0].c_str(), device.str().c_str(), 100 * i / kBudgets,
                found.score.seconds, 100 * found.getGap());
    last = found.score.seconds, lastBound = found.boundSeconds;
  }
}

void checkHandPolicies(const Flags &flags, llvm::StringRef device) {
  Planned planned(flags, device);
  for (const RematPolicyOptions &options : listHandPolicies(planned.step.entries[planned.main])) {
    SCOPED_TRACE(options.modules ? "modules " + *options.modules : *options.method + " " + *options.numLayers);
    RematPlan hand = planned.plan(options);
    int64_t bytes = planned.scorer.place(hand.choices).getBytes();
    EXPECT_LE(planned.search(bytes).score.seconds, planned.scorer.score(hand.choices).seconds * (1 + kRounding));
  }
}

} // namespace

TEST(SearchModels, NoChoiceBeatsTheBoundOfItsBytes) {
  checkBoundOfRandomChoices(kGpt2, "h100", 200);
  checkBoundOfRandomChoices(kLlama, "h100", 200);
  checkBoundOfRandomChoices(kUnfused, "cpu", 200);
}

// Small tensors: launches and alignment count for more than in models of real sizes.
TEST(SearchModels, NoChoiceOfASmallModelBeatsTheBound) {
  for (int seed = 0; seed < 24 && !HasFailure(); ++seed) {
    std::mt19937_64 random(seed);
    Flags flags = drawModel(random);
    SCOPED_TRACE("seed " + std::to_string(seed));
    checkBoundOfRandomChoices(flags, seed % 2 ? "h100" : "cpu", 60);
  }
}

TEST(SearchModels, MoreBudgetIsNeverSlower) {
  checkGrid(kGpt2, "h100");
  checkGrid(kLlama, "a100-80g");
}

TEST(SearchModels, NoPolicyByHandIsQuickerWithinItsBytes) {
  checkHandPolicies(kGpt2, "h100");
  checkHandPolicies(kLlama, "h100");
  checkHandPolicies(kUnfused, "cpu");
}

TEST(SearchModels, BytesAreThoseOfTheWholeCompilation) {
  for (int seed = 0; seed < 12; ++seed) {
    std::mt19937_64 random(seed);
    Planned planned(drawModel(random), "cpu");
    int64_t least = planned.findLeast(), full = planned.search(int64_t(1) << 50).fullBytes;
    for (int percent : {0, 40, 80}) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", " + std::to_string(percent) + " %");
      plan::SearchResult found = planned.search(least + (full - least) * percent / 100);
      OwningOpRef<ModuleOp> module = planned.model.module->clone();
      planned.model.options.recompute.granularity = "auto";
      planned.model.options.recompute.memoryBudget = std::to_string(found.budget);
      planned.model.run(*module, "remat", "step");
      EXPECT_EQ(found.score.bytes, getPeakBytes(*module->getOps<step::ProgramOp>().begin()));
    }
  }
}
