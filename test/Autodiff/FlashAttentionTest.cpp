//===- FlashAttentionTest.cpp - One model, two attentions, in double ----------------------------------------------===//
//
// On the reference, where nothing is rounded: the losses and gradients of a model are the same with flash and with
// unfused attention, dropout included, whether heads share keys and values or not.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "JointModel.h"

#include "tx/Frontend/ModelBuilder.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace mlir;
using namespace tx;

TEST(FlashAttention, HasTheGradientsOfUnfusedAttention) {
  for (auto [dropout, keyHeads] : {std::pair(0.0, 3), std::pair(0.5, 3), std::pair(0.5, 1)}) {
    ModelConfig config;
    config.numLayers = 2, config.numAttentionHeads = 3, config.numKeyValueHeads = keyHeads;
    config.hiddenSize = 12, config.ffnHiddenSize = 10;
    // Longer than a tile: dropout's counters go by 64 columns.
    config.seqLength = config.maxPositionEmbeddings = 70;
    config.microBatchSize = 2, config.vocabSize = 11;
    config.attentionDropout = dropout;
    config.hiddenDropout = config.embeddingDropout = 0;
    ASSERT_FALSE(resolve(config));

    MLIRContext context;
    std::vector<double> losses;
    std::vector<State> states;
    for (auto backend : {AttentionBackend::Unfused, AttentionBackend::Flash}) {
      config.attentionBackend = backend;
      JointModel model(context, buildModel(context, config));
      ASSERT_TRUE(model.isValid());
      model.fillParameters(/*seed=*/5, /*spread=*/0.5);
      auto result = model.runMicrobatch(makeBatch(2, 70, 11, /*seed=*/9), 1.0);
      ASSERT_TRUE(result);
      losses.push_back(result->lossSum);
      states.push_back(model.getState());
    }
    EXPECT_NEAR(losses[0], losses[1], 1e-12 * losses[0]);
    for (const auto &[name, unfused] : states[0]) {
      const Tensor &flash = states[1].at(name);
      for (size_t i = 0; i < unfused.values.size(); ++i)
        ASSERT_NEAR(flash.values[i], unfused.values[i], 1e-9) << name << " at " << i << ", dropout " << dropout;
    }
  }
}
