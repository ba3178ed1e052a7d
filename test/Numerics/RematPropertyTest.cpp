//===- RematPropertyTest.cpp - No policy changes a bit ------------------------------------------------------------===//
//
// Random models under random policies, on the reference: the loss and every gradient are those without recomputation,
// bit by bit, while something is recomputed and fewer bytes are saved. TX_PROPERTY_PAIRS sets the number of pairs; a
// failure names the seed and the flags.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "JointModel.h"
#include "RandomForms.h"

#include "tx/Autodiff/Passes.h"
#include "tx/Frontend/ModelBuilder.h"
#include "tx/Remat/Remat.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"

#include "gtest/gtest.h"

#include <cstdlib>
#include <random>

using namespace mlir;
using namespace tx;

namespace {

class Draw {
public:
  explicit Draw(uint64_t seed) : random(seed) {}
  int64_t between(int64_t low, int64_t high) { return low + static_cast<int64_t>(random() % (high - low + 1)); }
  bool coin() { return random() & 1; }

private:
  std::mt19937_64 random;
};

ModelConfig drawModel(Draw &draw, bool dropout) {
  ModelConfig config;
  config.numLayers = draw.between(1, 4);
  config.numAttentionHeads = draw.between(1, 3);
  config.hiddenSize = config.numAttentionHeads * draw.between(2, 5);
  config.ffnHiddenSize = draw.between(2, 17);
  config.vocabSize = draw.between(3, 19);
  config.seqLength = draw.between(2, 7);
  config.maxPositionEmbeddings = config.seqLength + draw.between(0, 3);
  config.microBatchSize = draw.between(1, 3);
  config.tiedEmbeddings = draw.coin();
  config.setBiases(draw.between(0, 3) > 0);
  // At least one of the three.
  int64_t which = dropout ? draw.between(1, 7) : 0;
  config.attentionDropout = which & 1 ? 0.3 : 0;
  config.hiddenDropout = which & 2 ? 0.2 : 0;
  config.embeddingDropout = which & 4 ? 0.1 : 0;
  config.attentionBackend = draw.coin() ? AttentionBackend::Flash : AttentionBackend::Unfused;
  if (draw.coin())
    drawLlamaForm(config, [&](int64_t low, int64_t high) { return draw.between(low, high); });
  return config;
}

/// A policy that recomputes something of any model.
RematPolicyOptions drawPolicy(Draw &draw, const ModelConfig &config) {
  RematPolicyOptions options;
  int64_t kind = draw.between(0, 4);
  if (kind == 0) {
    const char *names[] = {"embedding", "self_attention.qkv", "self_attention.residual", "mlp.fc1", "mlp_residual"};
    options.saveOnly = names[draw.between(0, 4)];
    return options;
  }
  if (kind <= 2) {
    options.granularity = "full";
    options.method = draw.coin() ? "uniform" : "block";
    options.numLayers = std::to_string(draw.between(1, config.numLayers));
    return options;
  }
  options.granularity = "selective";
  const char *modules[] = {"core_attn", "mlp", "mlp_act", "layernorm", "qk_norm"};
  std::string list;
  int count = config.qkNorm ? 5 : 4;
  int64_t chosen = draw.between(1, (1 << count) - 1);
  for (int i = 0; i < count; ++i)
    if (chosen >> i & 1)
      list += (list.empty() ? "" : ",") + std::string(modules[i]);
  options.modules = list;
  if (draw.between(0, 2) == 0) {
    options.method = "block";
    options.numLayers = std::to_string(draw.between(1, config.numLayers));
  } else if (draw.coin())
    options.layers = std::to_string(draw.between(0, config.numLayers - 1));
  return options;
}

std::string describe(const RematPolicyOptions &options) {
  std::string text;
  for (const RematFlag &flag : getRematFlags())
    if (const auto &value = options.*(flag.field))
      text += flag.name + " " + *value + " ";
  return text;
}

class RematProperty : public testing::Test {
protected:
  /// The state after one or two microbatches, the second of other samples.
  std::optional<State> train(func::FuncOp function, const ModelConfig &config, uint64_t seed, bool twice,
                             double keyShift, std::vector<double> &losses) {
    State state = model->getState();
    for (int i = 0; i < (twice ? 2 : 1); ++i) {
      Batch batch = makeBatch(config.microBatchSize, config.seqLength, config.vocabSize, seed + i);
      batch.key.values[0] += keyShift;
      batch.key.values[2] += i * config.microBatchSize;
      auto results = interpret(
          function, {batch.tokens, batch.targets, batch.key, Tensor::scalar(0.3), Tensor::scalar(i == 0)}, state);
      if (failed(results))
        return std::nullopt;
      losses.push_back((*results)[0].values[0]);
    }
    return state;
  }

  void check(uint64_t seed) {
    Draw draw(seed);
    bool dropout = seed % 2, twice = seed / 2 % 2;
    ModelConfig config = drawModel(draw, dropout);
    llvm::Error error = resolve(config);
    ASSERT_FALSE(error) << llvm::toString(std::move(error));
    RematPolicyOptions options = drawPolicy(draw, config);
    SCOPED_TRACE("pair " + std::to_string(seed) + ", " + describe(options));

    model.reset(); // before its context
    MLIRContext &context = contextOfPair.emplace(MLIRContext::Threading::DISABLED);
    ScopedDiagnosticHandler warnings(
        &context, [](Diagnostic &d) { return success(d.getSeverity() != DiagnosticSeverity::Error); });
    model.emplace(context, buildModel(context, config));
    ASSERT_TRUE(model->isValid());
    model->fillParameters(seed, /*spread=*/0.4);
    OwningOpRef<ModuleOp> module = model->getModule().clone();
    func::FuncOp none = model->getFunction("microbatch"), remat = module->lookupSymbol<func::FuncOp>("microbatch");
    RematSummary plan, without = summarizeRemat(none);
    ASSERT_TRUE(succeeded(rematerialize(remat, options, &plan)));
    PassManager passes(&context);
    passes.addPass(createTxVerifyJointPass());
    ASSERT_TRUE(succeeded(passes.run(*module)));

    EXPECT_GT(plan.recomputed.size(), 0u);
    EXPECT_LT(plan.savedBytes, without.savedBytes);
    EXPECT_EQ(plan.forwardFlops, without.forwardFlops);
    EXPECT_EQ(plan.backwardFlops, without.backwardFlops);

    std::vector<double> losses, rematLosses, otherLosses;
    auto expected = train(none, config, seed, twice, 0, losses),
         found = train(remat, config, seed, twice, 0, rematLosses);
    ASSERT_TRUE(expected && found);
    EXPECT_EQ(losses, rematLosses);
    for (const std::string &name : model->getParameters())
      EXPECT_EQ((*expected)[name + ".grad"].values, (*found)[name + ".grad"].values) << name;
    if (dropout) {
      // A small model may lose nothing under one key, hardly under twenty.
      bool differs = false;
      for (int shift = 1; shift <= 20 && !differs; ++shift) {
        auto other = train(remat, config, seed, twice, shift, otherLosses);
        differs = other && !sameGradients(*other, *expected);
      }
      EXPECT_TRUE(differs) << "another key must drop other elements";
    }
  }

  bool sameGradients(State &a, State &b) {
    for (const std::string &name : model->getParameters())
      if (a[name + ".grad"].values != b[name + ".grad"].values)
        return false;
    return true;
  }

  std::optional<MLIRContext> contextOfPair;
  std::optional<JointModel> model;
};

TEST_F(RematProperty, RandomModelsUnderRandomPolicies) {
  const char *pairs = std::getenv("TX_PROPERTY_PAIRS");
  uint64_t count = pairs ? std::strtoull(pairs, nullptr, 10) : 200;
  ASSERT_GT(count, 0u) << "TX_PROPERTY_PAIRS is no number";
  for (uint64_t seed = 0; seed < count && !HasFailure(); ++seed)
    check(seed);
}

} // namespace
