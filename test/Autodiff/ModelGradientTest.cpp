//===- ModelGradientTest.cpp - Whole models against differences ---------------------------------------------------===//

#include "JointModel.h"

#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Frontend/ModelBuilder.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace mlir;
using namespace tx;

namespace {

ModelConfig smallConfig(bool tied, double dropout) {
  ModelConfig config;
  config.numLayers = 2, config.hiddenSize = 6, config.numAttentionHeads = 2, config.ffnHiddenSize = 10;
  config.vocabSize = 7, config.seqLength = 5, config.maxPositionEmbeddings = 6, config.microBatchSize = 2;
  config.tiedEmbeddings = tied;
  config.attentionDropout = config.hiddenDropout = config.embeddingDropout = dropout;
  return config;
}

// Two heads that share keys and values; wider together than the hidden size.
void makeLlama(ModelConfig &config) {
  config.normalization = Normalization::RMSNorm, config.positions = PositionEmbedding::Rope;
  config.activation = Activation::SwiGlu, config.rope.theta = 100;
  config.headSize = 4, config.numKeyValueHeads = 1;
  config.layernormEpsilon = 0.1; // rows are near 0, where the loss is too curved for differences
  config.setBiases(false);
}
void makeQwen2(ModelConfig &config) {
  makeLlama(config);
  config.qkvBias = true, config.rope.percent = 0.5;
}
void makeQwen3(ModelConfig &config) {
  makeLlama(config);
  config.qkNorm = config.normOffset = config.rope.interleaved = true;
}
void makeLlamaWithBiases(ModelConfig &config) {
  makeLlama(config);
  config.setBiases(true);
  config.rope.scaling = RopeScaling::Yarn, config.rope.factor = 4;
}

struct Case {
  const char *name;
  bool tied;
  double dropout;
  AttentionBackend attention;
  void (*giveForm)(ModelConfig &) = [](ModelConfig &) {};
};

void PrintTo(const Case &c, std::ostream *os) { *os << c.name; }

class ModelGradient : public testing::TestWithParam<Case> {
protected:
  void SetUp() override {
    ModelConfig config = smallConfig(GetParam().tied, GetParam().dropout);
    config.attentionBackend = GetParam().attention;
    GetParam().giveForm(config);
    llvm::Error error = resolve(config);
    ASSERT_FALSE(error) << llvm::toString(std::move(error));
    model.emplace(context, buildModel(context, config));
    ASSERT_TRUE(model->isValid());
    model->fillParameters(/*seed=*/11, /*spread=*/0.4);
    batch = makeBatch(2, 5, /*vocabulary=*/7, /*seed=*/5);
  }
  MLIRContext context;
  std::optional<JointModel> model;
  Batch batch;
};

TEST_P(ModelGradient, AgreesWithCentralDifferences) {
  GradientError worst = compareWithDifferences(*model, batch);
  EXPECT_LT(worst.error, 1e-7) << worst.place;
  EXPECT_GT(worst.norm, 0.1);
}

TEST_P(ModelGradient, LossIsThatOfTheMarkedFunction) {
  auto alone = model->runLoss(batch), joint = model->runMicrobatch(batch, 1.0);
  ASSERT_TRUE(alone && joint);
  EXPECT_EQ(alone->lossSum, joint->lossSum);
  EXPECT_EQ(alone->validCount, joint->validCount);
  EXPECT_EQ(alone->validCount, 8);
}

TEST_P(ModelGradient, SecondMicrobatchAdds) {
  ASSERT_TRUE(model->runMicrobatch(batch, 1.0, /*first=*/true));
  State once = model->getState();
  ASSERT_TRUE(model->runMicrobatch(batch, 1.0, /*first=*/false));
  for (const std::string &name : model->getParameters()) {
    const auto &gradient = once[name + ".grad"].values, &sum = model->getState()[name + ".grad"].values;
    for (size_t i = 0; i < sum.size(); ++i)
      ASSERT_NEAR(sum[i], 2 * gradient[i], 1e-12 * (1 + std::abs(sum[i]))) << name << " " << i;
  }
}

TEST_P(ModelGradient, OnlyDropoutDependsOnTheKey) {
  auto before = model->runMicrobatch(batch, 1.0);
  batch.key.values[0] += 1;
  auto after = model->runMicrobatch(batch, 1.0);
  ASSERT_TRUE(before && after);
  EXPECT_EQ(before->lossSum == after->lossSum, GetParam().dropout == 0);
}

INSTANTIATE_TEST_SUITE_P(Gpt2, ModelGradient,
                         testing::Values(Case{"Tied", true, 0, AttentionBackend::Unfused},
                                         Case{"Untied", false, 0, AttentionBackend::Unfused},
                                         Case{"TiedDropout", true, 0.25, AttentionBackend::Unfused},
                                         Case{"UntiedDropout", false, 0.25, AttentionBackend::Unfused},
                                         Case{"Flash", true, 0, AttentionBackend::Flash},
                                         Case{"FlashDropout", true, 0.25, AttentionBackend::Flash}),
                         [](const auto &info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(LlamaForm, ModelGradient,
                         testing::Values(Case{"Llama", true, 0, AttentionBackend::Unfused, makeLlama},
                                         Case{"LlamaFlash", false, 0, AttentionBackend::Flash, makeLlama},
                                         Case{"LlamaWithBiases", true, 0, AttentionBackend::Flash, makeLlamaWithBiases},
                                         Case{"Qwen2", false, 0.25, AttentionBackend::Unfused, makeQwen2},
                                         Case{"Qwen3", true, 0, AttentionBackend::Unfused, makeQwen3},
                                         Case{"Qwen3FlashDropout", false, 0.25, AttentionBackend::Flash, makeQwen3}),
                         [](const auto &info) { return std::string(info.param.name); });

} // namespace
