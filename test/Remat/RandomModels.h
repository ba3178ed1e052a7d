//===- RandomModels.h - GPTs to rematerialize -----------------------------------------------------------*- C++ -*-===//

#ifndef TX_TEST_REMAT_RANDOMMODELS_H
#define TX_TEST_REMAT_RANDOMMODELS_H

#include "JointModel.h"

#include "tx/Frontend/ModelBuilder.h"
#include "tx/Remat/Remat.h"

#include <gtest/gtest.h>

#include <random>

namespace tx {

/// Small odd sizes; dropout in every second model, or never.
inline ModelConfig makeRandomConfig(std::mt19937_64 &random, bool withDropout = true) {
  auto between = [&](int first, int last) { return first + static_cast<int>(random() % (last - first + 1)); };
  ModelConfig config;
  config.numLayers = between(1, 5);
  config.numAttentionHeads = between(1, 3);
  config.hiddenSize = config.numAttentionHeads * between(3, 7); // a norm over one element is always 0
  config.ffnHiddenSize = between(3, 20);
  config.seqLength = between(2, 7);
  config.maxPositionEmbeddings = config.seqLength + between(0, 2);
  config.microBatchSize = between(1, 3);
  config.vocabSize = between(5, 19);
  config.tiedEmbeddings = between(0, 1);
  double dropout = withDropout && between(0, 1) ? 0.25 : 0;
  config.attentionDropout = config.hiddenDropout = config.embeddingDropout = dropout;
  config.attentionBackend = between(0, 1) ? AttentionBackend::Flash : AttentionBackend::Unfused;
  return config;
}

inline JointModel makeJointModel(mlir::MLIRContext &context, ModelConfig config) {
  llvm::Error error = resolve(config);
  EXPECT_FALSE(static_cast<bool>(error)) << llvm::toString(std::move(error));
  return JointModel(context, buildModel(context, config));
}

/// Any valid policy but none, for a dense model of so many layers.
inline RematPolicyOptions makeRandomPolicy(std::mt19937_64 &random, int layers) {
  RematPolicyOptions options;
  std::string count = std::to_string(1 + random() % layers), layer = std::to_string(random() % layers);
  const char *modules[] = {
      "core_attn", "mlp", "layernorm", "mlp_act", "core_attn,mlp,layernorm", "layernorm,mlp_act", "core_attn mlp_act"};
  switch (random() % 6) {
  case 0:
    options.granularity = "selective", options.modules = modules[random() % std::size(modules)];
    break;
  case 1:
    options.granularity = "selective", options.modules = modules[random() % std::size(modules)];
    options.method = "block", options.numLayers = count;
    break;
  case 2:
    options.granularity = "full", options.method = "uniform", options.numLayers = count;
    break;
  case 3:
    options.granularity = "full", options.method = "block", options.numLayers = count;
    break;
  case 4:
    options.granularity = random() % 2 ? "full" : "selective", options.layers = layer;
    break;
  case 5:
    options.saveOnly = random() % 2 ? "mlp_residual,self_attention.qkv" : "layers." + layer + ".mlp.fc1";
    break;
  }
  return options;
}

} // namespace tx

#endif // TX_TEST_REMAT_RANDOMMODELS_H
