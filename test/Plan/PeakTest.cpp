//===- PeakTest.cpp - Peaks and waits of the plain step are those of the whole compilation ------------------------===//
//
// Models under plans, both at random or as people choose them. One side stays plain: recomputations are applied to the
// entries as data, which are then scheduled and placed. The other side rewrites IR, and passes fuse and place it. Every
// byte count that the passes write down must be the plain one, and every launch must wait for the same.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Models.h"

#include "../../lib/Pipeline/Report.h"
#include "../../lib/Remat/ApplyPlan.h"

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Pipeline/Pipelines.h"
#include "tx/Plan/Peak.h"
#include "tx/Plan/Waits.h"
#include "tx/Remat/Policies.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringExtras.h"

#include "gtest/gtest.h"

#include <random>

using namespace mlir;
using namespace tx;

namespace {

using Plans = std::vector<RematPlan>; // one for each entry

Plans planByPolicy(const Model &model, const RematPolicyOptions &options) {
  Plans plans;
  for (const plan::Entry &entry : model.read.step.entries) {
    std::vector<RematMessage> messages;
    std::optional<RematPolicy> policy;
    if (entry.hasBackward())
      policy = parseRematPolicy(options, entry, messages);
    plans.push_back(policy ? planRemat(entry, *policy) : RematPlan(entry));
  }
  return plans;
}

/// Each value for itself; at times almost all, at times almost none.
Plans planAtRandom(const Model &model, std::mt19937_64 &random) {
  Plans plans;
  unsigned percent = random() % 101;
  for (const plan::Entry &entry : model.read.step.entries) {
    RematPlan plan(entry);
    plan.addLine("random");
    plan.choices = drawChoices(entry, random, percent);
    for (int value = 0, e = entry.values.size(); value < e; ++value)
      plan.reasons[value] = plan.isRecomputed(value) ? 0 : -1;
    placeRecomputations(entry, plan);
    EXPECT_EQ(verifyPlan(entry, plan), std::nullopt);
    plans.push_back(std::move(plan));
  }
  return plans;
}

/// A step under plans, as plain data.
struct PlainStep {
  PlainStep(const plan::Step &step, const Plans &plans) : step{{}, step.states, step.types} {
    for (auto [entry, plan] : llvm::zip(step.entries, plans)) {
      this->step.entries.push_back(plan::applyRecomputations(entry, plan.choices, plan.recomputations));
      schedules.push_back(plan::makeSchedule(this->step.entries.back()));
    }
    peak = plan::computePeak(this->step, schedules);
  }

  std::vector<plan::Waits> findWaits(size_t number) const {
    plan::StateLayout layout = plan::StateLayout::compute(step);
    const plan::Entry &entry = step.entries[number];
    plan::Storages storages = plan::computeStorages(step, entry, schedules[number], layout);
    return plan::findWaits(plan::getLaunchBytes(entry, schedules[number], storages, peak.entries[number]));
  }

  plan::Step step;
  std::vector<plan::Schedule> schedules;
  plan::Peak peak;
};

/// How many launches of a step.entry do the work of this one. Before a product one may write its bias.
int countLaunches(const plan::Entry &entry, const plan::Launch &launch) {
  const std::optional<plan::Product> &product = entry.ops[launch.ops.front()].product;
  return launch.work == plan::Work::View ? 0 : product && product->bias >= 0 && !product->libraryAddsBias ? 2 : 1;
}

/// Holds the plain waits of an entry against those of the launches.
void checkWaits(const PlainStep &plain, size_t number, step::EntryOp entry) {
  auto launches = llvm::to_vector(entry.getBody().getOps<step::LaunchOpInterface>());
  std::vector<plan::Waits> waits = plain.findWaits(number);
  std::vector<int> plainNumber; // of the entry's launches
  for (auto [place, launch] : llvm::enumerate(plain.schedules[number].launches))
    plainNumber.insert(plainNumber.end(), countLaunches(plain.step.entries[number], launch), place);
  ASSERT_EQ(plainNumber.size(), launches.size());
  const plan::Waits none = {-1, -1, -1};
  std::vector<plan::Waits> found(waits.size(), none);
  for (auto [launch, place] : llvm::zip(launches, plainNumber))
    for (int64_t awaited : launch.getWaitsAttr() ? launch.getWaitsAttr().asArrayRef() : llvm::ArrayRef<int64_t>()) {
      int64_t other = awaited - launches.front().getNumberAttr().getInt();
      int &latest = found[place][static_cast<unsigned>(launches[other].getLane())];
      latest = std::max(latest, plainNumber[other]);
    }
  EXPECT_EQ(waits, found);
}

int64_t getBytes(Operation *op, llvm::StringRef name) {
  auto bytes = op->getAttrOfType<IntegerAttr>(name);
  return bytes ? bytes.getInt() : 0;
}

/// Holds the plain peak under the plans against what the passes say.
void check(Model &model, const Plans &plans) {
  OwningOpRef<ModuleOp> module = model.module->clone();
  StepIR read = *readStep(*module, ReadNames::Yes);
  for (auto [entry, ir, plan] : llvm::zip(read.step.entries, read.entries, plans))
    applyRematPlan(entry, ir, plan);
  model.run(*module, "fusion", "placement");

  PlainStep plain(model.read.step, plans);
  const plan::Peak &peak = plain.peak;
  ASSERT_FALSE(peak.fault) << peak.fault->text;
  EXPECT_EQ(peak.persistentBytes, getBytes(*module, kPersistentBytesAttr));
  for (auto [ir, entry] : llvm::zip_equal(read.entries, peak.entries)) {
    SCOPED_TRACE(func::FuncOp(ir.function).getName().str());
    EXPECT_EQ(entry.argumentBytes, getBytes(ir.function, kArgumentBytesAttr));
    EXPECT_EQ(entry.transientBytes, getBytes(ir.function, kTransientBytesAttr));
    EXPECT_EQ(entry.liveBytes, getBytes(ir.function, kPeakLiveBytesAttr));
  }
  model.run(*module, "step", "step");
  step::ProgramOp program = *module->getOps<step::ProgramOp>().begin();
  EXPECT_EQ(peak.getBytes(), getPeakBytes(program));
  for (auto [number, entry] : llvm::enumerate(program.getBody().getOps<step::EntryOp>()))
    checkWaits(plain, number, entry);
}

} // namespace

TEST(PlainStep, OfRandomModelsUnderRandomPlans) {
  constexpr int kModels = 40, kPlans = 6;
  for (int seed = 0; seed < kModels && !testing::Test::HasFailure(); ++seed) {
    std::mt19937_64 random(seed);
    Flags flags = drawModel(random);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + llvm::join(flags, " "));
    Model model(flags);
    for (int i = 0; i < kPlans; ++i)
      check(model, planAtRandom(model, random));
  }
}

TEST(PlainStep, OfPresetsUnderPolicies) {
  const std::vector<Flags> presets = {{"gpt2-124m", "--seq-length", "64", "--bf16", "--hidden-dropout", "0.1"},
                                      {"gpt2-355m", "--attention-backend", "unfused", "--data-parallel-size", "2"},
                                      {"qwen3-0.6b"},
                                      {"gpt2-124m", "--target", "cuda:sm_90", "--bf16"},
                                      {"llama3.2-1b", "--target", "cuda:sm_80,sm_90"},
                                      {"qwen3-0.6b", "--target", "cuda:sm_90", "--attention-backend", "unfused"},
                                      {"mistral-7b", "--bf16"}};
  std::vector<RematPolicyOptions> policies(6);
  policies[0].granularity = "none";
  policies[1].granularity = "full";
  policies[2].granularity = "selective", policies[2].modules = "mlp,layernorm";
  policies[3].granularity = "selective", policies[3].modules = "core_attn", policies[3].layers = "0,3-5";
  policies[4].granularity = "full", policies[4].method = "block", policies[4].numLayers = "2";
  policies[5].granularity = "full", policies[5].method = "uniform", policies[5].numLayers = "3";
  for (const Flags &preset : presets) {
    Model model(preset);
    for (size_t number = 0; number < policies.size(); ++number) {
      SCOPED_TRACE(llvm::join(preset, " ") + ", policy " + std::to_string(number));
      check(model, planByPolicy(model, policies[number]));
    }
  }
}
