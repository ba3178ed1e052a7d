//===- ReplayTest.cpp - No policy changes a bit of a gradient -----------------------------------------------------===//
//
// On the reference interpreter, over random models and policies: loss and all gradients equal those without
// recomputation, bit by bit.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "RandomForms.h"
#include "RandomModels.h"

#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/IR/Verifier.h"

#include <gtest/gtest.h>

using namespace mlir;
using namespace tx;

namespace {
constexpr int kPairs = 60;

struct Outcome {
  double loss = 0;
  State gradients;
};

Outcome run(JointModel &model, const ModelConfig &config) {
  model.fillParameters(/*seed=*/7, /*spread=*/0.3);
  model.fillGradients(1e3);
  Batch batch = makeBatch(config.microBatchSize, config.seqLength, config.vocabSize, /*seed=*/3);
  Outcome outcome;
  // Two microbatches: the second one adds to what the first one left.
  for (bool first : {true, false})
    if (auto result = model.runMicrobatch(batch, 0.5, first))
      outcome.loss += result->lossSum;
  for (const std::string &name : model.getParameters())
    outcome.gradients[name] = model.getState()[name + ".grad"];
  return outcome;
}

bool equal(const Outcome &a, const Outcome &b) {
  if (a.loss != b.loss || a.gradients.size() != b.gradients.size())
    return false;
  for (const auto &[name, gradient] : a.gradients)
    if (gradient.values != b.gradients.at(name).values)
      return false;
  return true;
}
} // namespace

TEST(Replay, NoPolicyChangesABit) {
  MLIRContext context;
  context.getDiagEngine().registerHandler([](Diagnostic &) {}); // notes about random policies
  int recomputing = 0;
  for (int seed = 0; seed < kPairs; ++seed) {
    std::mt19937_64 random(seed);
    ModelConfig config = makeRandomConfig(random);
    RematPolicyOptions options = makeRandomPolicy(random, config.numLayers);
    if (seed % 2)
      drawLlamaForm(config,
                    [&](int first, int last) { return first + static_cast<int>(random() % (last - first + 1)); });
    if (config.qkNorm && options.modules)
      *options.modules += ",qk_norm";
    JointModel plain = makeJointModel(context, config), remat = makeJointModel(context, config);
    RematSummary summary;
    ASSERT_TRUE(succeeded(rematerialize(remat.getFunction("microbatch"), options, &summary))) << "seed " << seed;
    ASSERT_TRUE(succeeded(mlir::verify(remat.getModule()))) << "seed " << seed;
    Outcome expected = run(plain, config);
    ASSERT_GT(expected.loss, 0);
    EXPECT_TRUE(equal(expected, run(remat, config))) << "seed " << seed;
    recomputing += !summary.recomputed.empty();
  }
  EXPECT_EQ(recomputing, kPairs);
}

// The mutant that this must find: a replay that draws another mask.
TEST(Replay, AnotherDropoutKeyIsFound) {
  MLIRContext context;
  std::mt19937_64 random(1);
  ModelConfig config = makeRandomConfig(random);
  config.attentionDropout = config.hiddenDropout = config.embeddingDropout = 0.25;
  RematPolicyOptions options;
  options.granularity = "full", options.method = "uniform", options.numLayers = "1";
  JointModel plain = makeJointModel(context, config), mutant = makeJointModel(context, config);
  func::FuncOp function = mutant.getFunction("microbatch");
  ASSERT_TRUE(succeeded(rematerialize(function, options)));
  int moved = 0;
  function.walk([&](DropoutOp op) {
    ScopeAttr scope = op.getScope();
    if (scope.getSegment() != Segment::Recompute)
      return;
    op.setScopeAttr(ScopeAttr::get(&context, Segment::Recompute, scope.getLayer() + 100, scope.getPath()));
    ++moved;
  });
  EXPECT_GT(moved, 0);
  EXPECT_FALSE(equal(run(plain, config), run(mutant, config)));
}
