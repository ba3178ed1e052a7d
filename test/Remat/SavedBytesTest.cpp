//===- SavedBytesTest.cpp - Saved bytes are those of the formulas ---------===//
//
// Korthikanti et al. 2022, table 2, tensor by tensor, over random shapes; what
// differs is in docs/Recompute.md: no dropout masks, eight bytes of statistics
// for each token and norm.
//
//===----------------------------------------------------------------------===//

#include "RandomModels.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

using namespace mlir;
using namespace tx;

namespace {
using Tensors = std::map<std::string, int64_t>; // name within the layer -> bytes

class SavedBytes : public testing::TestWithParam<int> {
protected:
  void SetUp() override {
    std::mt19937_64 random(GetParam());
    config = makeRandomConfig(random);
    config.dtype = GetParam() % 3 == 0 ? DType::F32 : DType::BF16;
    e = config.dtype == DType::F32 ? 4 : 2;
    sb = config.seqLength * config.microBatchSize;
    h = config.hiddenSize, f = config.ffnHiddenSize;
    attention = config.numAttentionHeads * config.seqLength * sb;
    hasDropout = config.attentionDropout > 0;
  }

  RematSummary apply(const RematPolicyOptions &options) {
    JointModel model = makeJointModel(context, config);
    RematSummary summary;
    EXPECT_TRUE(succeeded(rematerialize(model.getFunction("microbatch"), options, &summary)));
    return summary;
  }
  RematSummary applySelective(const char *modules) {
    RematPolicyOptions options;
    options.granularity = "selective", options.modules = modules;
    return apply(options);
  }
  RematSummary applyFull() {
    RematPolicyOptions options;
    options.granularity = "full", options.method = "uniform", options.numLayers = "1";
    return apply(options);
  }

  Tensors expected() const {
    std::string add = hasDropout ? ".add" : "";
    Tensors tensors = {{"layernorm.input", e * sb * h},
                       {"layernorm.input.mean", 4 * sb},
                       {"layernorm.input.rstd", 4 * sb},
                       {"self_attention.qkv", 3 * e * sb * h},
                       {"self_attention.core_attn.softmax", e * attention},
                       {"self_attention.core_attn.attention_context", e * sb * h},
                       {"self_attention.residual" + add, e * sb * h},
                       {"layernorm.pre_mlp", e * sb * h},
                       {"layernorm.pre_mlp.mean", 4 * sb},
                       {"layernorm.pre_mlp.rstd", 4 * sb},
                       {"mlp.fc1", e * sb * f},
                       {"mlp.mlp_act", e * sb * f},
                       {"mlp_residual" + add, e * sb * h}};
    if (hasDropout)
      tensors["self_attention.core_attn.dropout"] = e * attention;
    return tensors;
  }
  static Tensors without(Tensors tensors, std::initializer_list<const char *> names) {
    for (const char *name : names)
      tensors.erase(name);
    return tensors;
  }

  void expectLayers(const RematSummary &summary, const Tensors &tensors) {
    int64_t bytes = 0;
    for (const auto &[name, size] : tensors)
      bytes += size;
    ASSERT_EQ(summary.savedBytesPerLayer, std::vector<int64_t>(config.numLayers, bytes));
    std::vector<Tensors> found(config.numLayers);
    int64_t all = 0;
    for (const SavedValue &value : summary.saved) {
      all += value.bytes;
      if (value.layer >= 0) {
        std::string prefix = "layers." + std::to_string(value.layer) + ".";
        ASSERT_EQ(value.name.compare(0, prefix.size(), prefix), 0) << value.name;
        found[value.layer][value.name.substr(prefix.size())] = value.bytes;
      }
    }
    for (const Tensors &layer : found)
      EXPECT_EQ(layer, tensors);
    EXPECT_EQ(summary.savedBytes, all);
    EXPECT_EQ(summary.savedBytes - config.numLayers * bytes, outside());
  }

  // The first layer's input; the final norm's output and statistics (its input
  // is the last layer's output); logits and their log-sum-exp, in f32.
  int64_t outside() const {
    return e * sb * h + e * sb * h + 8 * sb + 4 * sb * config.vocabSize + 4 * sb;
  }

  MLIRContext context;
  ModelConfig config;
  int64_t e, sb, h, f, attention;
  bool hasDropout;
};
} // namespace

TEST_P(SavedBytes, None) {
  RematSummary summary = apply({});
  expectLayers(summary, expected());
  // sb (18h + 4f + 5as) for GELU in two-byte types, without masks (2 sbh and
  // as^2b), with statistics (16 sb).
  if (e == 2 && hasDropout) {
    int64_t formula = sb * (18 * h + 4 * f + 5 * config.numAttentionHeads * config.seqLength);
    EXPECT_EQ(summary.savedBytesPerLayer[0], formula - 2 * sb * h - attention + 16 * sb);
  }
  EXPECT_EQ(summary.recomputeFlops, 0);
  EXPECT_EQ(summary.backwardFlops, 2 * summary.forwardFlops);
}

TEST_P(SavedBytes, CoreAttention) {
  RematSummary summary = applySelective("core_attn");
  expectLayers(summary, without(expected(), {"self_attention.core_attn.softmax", "self_attention.core_attn.dropout"}));
  EXPECT_EQ(summary.recomputeFlops, config.numLayers * 2 * sb * config.seqLength * h); // scores alone
}

TEST_P(SavedBytes, Mlp) {
  RematSummary summary = applySelective("mlp");
  expectLayers(summary, without(expected(), {"mlp.fc1", "mlp.mlp_act"}));
  EXPECT_EQ(summary.recomputeFlops, config.numLayers * 2 * sb * h * f); // fc1 alone
}

TEST_P(SavedBytes, Activation) {
  RematSummary summary = applySelective("mlp_act");
  expectLayers(summary, without(expected(), {"mlp.mlp_act"}));
  EXPECT_EQ(summary.recomputeFlops, 0);
}

TEST_P(SavedBytes, Layernorm) {
  expectLayers(applySelective("layernorm"),
               without(expected(), {"layernorm.input", "layernorm.input.mean", "layernorm.input.rstd",
                                    "layernorm.pre_mlp", "layernorm.pre_mlp.mean", "layernorm.pre_mlp.rstd"}));
}

TEST_P(SavedBytes, Full) {
  RematSummary summary = applyFull();
  expectLayers(summary, {{hasDropout ? "mlp_residual.add" : "mlp_residual", e * sb * h}});
  // The layers' forward, without fc2.
  int64_t layer = 8 * sb * h * h + 4 * sb * config.seqLength * h + 2 * sb * h * f;
  EXPECT_EQ(summary.recomputeFlops, config.numLayers * layer);
  EXPECT_EQ(summary.forwardFlops,
            config.numLayers * (layer + 2 * sb * h * f) + 2 * sb * h * config.vocabSize);
}

INSTANTIATE_TEST_SUITE_P(RandomShapes, SavedBytes, testing::Range(0, 12));
