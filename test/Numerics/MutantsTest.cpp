//===- MutantsTest.cpp - Which check kills which bug --------------------------------------------------------------===//
//
// The checks are the invariants of DESIGN: the joint phase's verifier, gradients equal to those without recomputation
// in every bit, saved bytes and recompute FLOPs as the plan said. The rematerialized function passes them all; each of
// Mutations.h does not, and the check that it was made for is among its killers.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "JointModel.h"
#include "Mutations.h"

#include "tx/Autodiff/Passes.h"
#include "tx/Frontend/ModelBuilder.h"
#include "tx/Remat/Remat.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"

#include "gtest/gtest.h"

#include <iostream>

using namespace mlir;
using namespace tx;

namespace {

/// What a microbatch leaves behind, to be compared bit by bit.
struct Outcome {
  double lossSum;
  std::map<std::string, std::vector<double>> gradients;
  bool operator==(const Outcome &other) const { return lossSum == other.lossSum && gradients == other.gradients; }
};

struct Policy {
  const char *name;
  RematPolicyOptions options;
};

std::vector<Policy> getPolicies() {
  std::vector<Policy> policies(4);
  policies[0].name = "full-uniform-1";
  policies[0].options.granularity = "full";
  policies[0].options.method = "uniform";
  policies[0].options.numLayers = "1";
  policies[1] = policies[0];
  policies[1].name = "full-uniform-2";
  policies[1].options.numLayers = "2";
  policies[2] = policies[0];
  policies[2].name = "full-block-3";
  policies[2].options.method = "block";
  policies[2].options.numLayers = "3";
  policies[3].name = "selective";
  policies[3].options.granularity = "selective";
  policies[3].options.modules = "core_attn,mlp,layernorm";
  return policies;
}

class Mutants : public testing::TestWithParam<size_t> {
protected:
  void SetUp() override {
    ModelConfig config;
    config.numLayers = 4, config.hiddenSize = 6, config.numAttentionHeads = 2, config.ffnHiddenSize = 10;
    config.vocabSize = 11, config.seqLength = 5, config.microBatchSize = 2;
    config.attentionDropout = config.hiddenDropout = config.embeddingDropout = 0.25;
    config.attentionBackend = AttentionBackend::Unfused; // mutants of its parts
    llvm::Error error = resolve(config);
    ASSERT_FALSE(error) << llvm::toString(std::move(error));
    model.emplace(context, buildModel(context, config));
    ASSERT_TRUE(model->isValid());
    model->fillParameters(/*seed=*/1, /*spread=*/0.4);
    none = *outcomeOf(model->getModule());
  }

  /// Runs the module's microbatch on gradients full of an old value.
  std::optional<Outcome> outcomeOf(ModuleOp module) {
    Batch batch = makeBatch(2, 5, /*vocabulary=*/11, /*seed=*/2);
    model->fillGradients(17);
    State state = model->getState();
    auto results = interpret(module.lookupSymbol<func::FuncOp>("microbatch"),
                             {batch.tokens, batch.targets, batch.key, Tensor::scalar(0.1), Tensor::scalar(1)}, state);
    if (failed(results))
      return std::nullopt;
    Outcome outcome{(*results)[0].values[0], {}};
    for (const std::string &name : model->getParameters())
      outcome.gradients[name] = state[name + ".grad"].values;
    return outcome;
  }

  /// The names of the checks that fail; `plan` is what rematerialization said.
  std::vector<std::string> failingChecks(ModuleOp module, const RematSummary &plan) {
    ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
    std::vector<std::string> failing;
    PassManager passes(&context);
    passes.addPass(createTxVerifyJointPass());
    if (failed(passes.run(module)))
      failing.push_back("verify-joint");
    std::optional<Outcome> outcome = outcomeOf(module);
    if (!outcome || !(*outcome == none))
      failing.push_back("gradients");
    RematSummary found = summarizeRemat(module.lookupSymbol<func::FuncOp>("microbatch"));
    if (found.savedBytes != plan.savedBytes)
      failing.push_back("saved-bytes");
    if (found.recomputeFlops != plan.recomputeFlops)
      failing.push_back("recompute-flops");
    return failing;
  }

  OwningOpRef<ModuleOp> rematerialized(const Policy &policy, RematSummary &plan) {
    ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
    OwningOpRef<ModuleOp> module = model->getModule().clone();
    EXPECT_TRUE(succeeded(rematerialize(module->lookupSymbol<func::FuncOp>("microbatch"), policy.options, &plan)))
        << policy.name;
    return module;
  }

  MLIRContext context;
  std::optional<JointModel> model;
  Outcome none;
};

TEST_P(Mutants, IsKilled) {
  const Mutation &mutation = getMutations()[GetParam()];
  std::map<std::string, unsigned> kills;
  unsigned mutants = 0;
  for (const Policy &policy : getPolicies()) {
    RematSummary plan;
    OwningOpRef<ModuleOp> module = rematerialized(policy, plan);
    if (!mutation.apply(module->lookupSymbol<func::FuncOp>("microbatch")))
      continue;
    ASSERT_TRUE(succeeded(verify(*module))) << "the mutant is a valid program";
    ++mutants;
    auto failing = failingChecks(*module, plan);
    EXPECT_FALSE(failing.empty()) << "mutant " << mutation.name << " of " << policy.name << " survives";
    for (const std::string &check : failing)
      ++kills[check];
  }
  ASSERT_GT(mutants, 0u) << "no policy has a place for the mutation";
  std::cout << "check: mutant " << mutation.name << " killed by";
  for (const auto &[check, count] : kills)
    std::cout << " " << check << " (" << count << " of " << mutants << ")";
  std::cout << "\n";
  EXPECT_EQ(kills[mutation.killer], mutants) << mutation.killer << " should have found it";
}

INSTANTIATE_TEST_SUITE_P(Bugs, Mutants, testing::Range<size_t>(0, getMutations().size()), [](const auto &info) {
  std::string name = getMutations()[info.param].name;
  for (char &c : name)
    c = c == '-' ? '_' : c;
  return name;
});

using Unmutated = Mutants;

TEST_P(Unmutated, PassesAllChecks) {
  const Policy policy = getPolicies()[GetParam()];
  RematSummary plan, without = summarizeRemat(model->getFunction("microbatch"));
  OwningOpRef<ModuleOp> module = rematerialized(policy, plan);
  EXPECT_EQ(failingChecks(*module, plan), std::vector<std::string>());
  EXPECT_GT(plan.recomputed.size(), 0u);
  EXPECT_LT(plan.savedBytes, without.savedBytes);
}

INSTANTIATE_TEST_SUITE_P(Policies, Unmutated, testing::Range<size_t>(0, getPolicies().size()));

} // namespace
