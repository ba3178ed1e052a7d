//===- LlamaSavedBytesTest.cpp - Saved bytes of LLaMA's layers are those of docs/Recompute.md ---------------------===//
//
// Module by module over random shapes: with and without QK norm, with grouped queries, biases, tied embeddings, both
// attentions, in f32 and bf16, under every combination of modules and under `full`.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "RandomModels.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

using namespace mlir;
using namespace tx;

namespace {
using Bytes = std::map<std::string, int64_t>; // module -> bytes of a token
using Modules = std::set<std::string>;

class LlamaSavedBytes : public testing::TestWithParam<int> {
protected:
  void SetUp() override {
    int bits = GetParam();
    std::mt19937_64 random(bits);
    auto between = [&](int first, int last) { return first + static_cast<int>(random() % (last - first + 1)); };
    config.numLayers = between(1, 4);
    config.numKeyValueHeads = between(1, 3);
    config.numAttentionHeads = config.numKeyValueHeads * between(1, 3);
    config.headSize = 2 * between(1, 6);
    config.hiddenSize = between(3, 30);
    config.ffnHiddenSize = between(3, 40);
    config.seqLength = between(2, 9);
    config.maxPositionEmbeddings = config.seqLength + between(0, 4);
    config.microBatchSize = between(1, 3);
    config.vocabSize = between(5, 19);
    config.normalization = Normalization::RMSNorm;
    config.positions = PositionEmbedding::Rope;
    config.activation = Activation::SwiGlu;
    config.attentionDropout = config.hiddenDropout = config.embeddingDropout = 0;
    config.setBiases(false);
    config.qkNorm = bits & 1;
    config.qkvBias = !config.qkNorm && bits & 2;
    config.tiedEmbeddings = bits & 4;
    config.dtype = bits & 8 ? DType::F32 : DType::BF16;
    isFlash = bits & 16;
    config.attentionBackend = isFlash ? AttentionBackend::Flash : AttentionBackend::Unfused;
    e = config.dtype == DType::F32 ? 4 : 2;
    tokens = config.seqLength * config.microBatchSize;
    h = config.hiddenSize, f = config.ffnHiddenSize, a = config.numAttentionHeads, g = config.numKeyValueHeads;
    q = a * config.headSize, k = g * config.headSize;
    model.emplace(makeJointModel(context, config));
  }

  void check(const RematPolicyOptions &options, const Bytes &layer) {
    ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
    OwningOpRef<ModuleOp> module = model->getModule().clone();
    RematSummary summary;
    ASSERT_TRUE(succeeded(rematerialize(module->lookupSymbol<func::FuncOp>("microbatch"), options, &summary)));
    std::vector<Bytes> found(config.numLayers);
    int64_t tables = 0;
    for (const SavedValue &value : summary.saved) {
      if (value.layer >= 0) {
        ASSERT_EQ(value.bytes % tokens, 0) << value.name;
        found[value.layer][value.module] += value.bytes / tokens;
      }
      if (value.module == "rotary_pos_emb")
        tables += value.bytes;
    }
    EXPECT_EQ(found, std::vector<Bytes>(config.numLayers, layer));
    // Cosines and sines, once for all layers and samples.
    EXPECT_EQ(tables, 2 * 4 * config.seqLength * config.headSize / 2);
  }

  /// What a layer saves for each token when these modules are computed again.
  Bytes expected(const Modules &modules = {}) const {
    Bytes bytes = {{"self_attention.core_attn", e * q},
                   {"self_attention.residual", e * h},
                   {"mlp_residual", e * h},
                   {"self_attention.qkv", e * k}}; // V; Q and K too where their norm's gradient reads them
    if (!modules.count("layernorm"))
      bytes["layernorm.input"] = bytes["layernorm.pre_mlp"] = e * h + 4;
    if (config.qkNorm)
      bytes["self_attention.qkv"] += e * (q + k);
    if (config.qkNorm && !modules.count("qk_norm"))
      bytes["self_attention.qk_norm"] = e * (q + k) + 4 * (a + g);
    if (!config.qkNorm)
      bytes["self_attention.rope"] = e * (q + k);
    if (!modules.count("core_attn"))
      bytes["self_attention.core_attn"] += isFlash ? 4 * a : e * a * config.seqLength;
    if (!modules.count("mlp")) {
      bytes["mlp.fc1"] = 2 * e * f;
      if (!modules.count("mlp_act"))
        bytes["mlp.mlp_act"] = e * f;
    }
    return bytes;
  }

  static int64_t sumOf(const Bytes &bytes) {
    int64_t sum = 0;
    for (const auto &[module, count] : bytes)
      sum += count;
    return sum;
  }

  MLIRContext context;
  ModelConfig config;
  std::optional<JointModel> model;
  int64_t e, tokens, h, f, a, g, q, k;
  bool isFlash;
};
} // namespace

TEST_P(LlamaSavedBytes, None) {
  check({}, expected());
  int64_t attention = isFlash ? 4 * a : e * a * config.seqLength;
  int64_t qkNorm = config.qkNorm ? e * (q + k) + 4 * (a + g) : 0;
  EXPECT_EQ(sumOf(expected()), e * (4 * h + 2 * q + 2 * k + 3 * f) + attention + 8 + qkNorm);
}

TEST_P(LlamaSavedBytes, EveryCombinationOfModules) {
  std::vector<std::string> names = {"core_attn", "mlp", "mlp_act", "layernorm"};
  if (config.qkNorm)
    names.push_back("qk_norm");
  for (int bits = 1; bits < 1 << names.size(); ++bits) {
    Modules modules;
    RematPolicyOptions options;
    options.granularity = "selective", options.modules = "";
    for (size_t i = 0; i < names.size(); ++i)
      if (bits >> i & 1) {
        modules.insert(names[i]);
        *options.modules += (options.modules->empty() ? "" : ",") + names[i];
      }
    SCOPED_TRACE(*options.modules);
    check(options, expected(modules));
  }
}

TEST_P(LlamaSavedBytes, Full) {
  RematPolicyOptions options;
  options.granularity = "full", options.method = "uniform", options.numLayers = "1";
  check(options, {{"mlp_residual", e * h}});
}

INSTANTIATE_TEST_SUITE_P(RandomShapes, LlamaSavedBytes, testing::Range(0, 32));
