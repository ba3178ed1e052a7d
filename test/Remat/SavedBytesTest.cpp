//===- SavedBytesTest.cpp - Saved bytes are those of the formulas -------------------------------------------------===//
//
// Korthikanti et al. 2022, table 2, tensor by tensor and in its closed forms, over random shapes: tied and untied, in
// f32 and bf16, with each choice of the three dropouts and both attentions, under every combination of modules. What
// differs is in docs/Recompute.md: no dropout masks, eight bytes of statistics for each token and norm.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "RandomModels.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

using namespace mlir;
using namespace tx;

namespace {
using Tensors = std::map<std::string, int64_t>; // name within the layer -> bytes
using Modules = std::set<std::string>;

class SavedBytes : public testing::TestWithParam<int> {
protected:
  // The parameter's bits choose what two shapes in a row should not share.
  void SetUp() override {
    int bits = GetParam();
    std::mt19937_64 random(bits);
    config = makeRandomConfig(random);
    config.attentionDropout = bits & 1 ? 0.25 : 0;
    config.hiddenDropout = bits & 2 ? 0.25 : 0;
    config.embeddingDropout = bits & 4 ? 0.25 : 0;
    config.dtype = bits & 8 ? DType::F32 : DType::BF16;
    config.tiedEmbeddings = bits & 16;
    isFlash = bits & 32;
    config.attentionBackend = isFlash ? AttentionBackend::Flash : AttentionBackend::Unfused;
    e = config.dtype == DType::F32 ? 4 : 2;
    s = config.seqLength;
    sb = s * config.microBatchSize;
    h = config.hiddenSize, f = config.ffnHiddenSize;
    layers = config.numLayers;
    attention = config.numAttentionHeads * s * sb;
    residualSum = config.hiddenDropout > 0 ? ".add" : "";
    model.emplace(makeJointModel(context, config));
  }

  RematSummary apply(const RematPolicyOptions &options) {
    ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
    OwningOpRef<ModuleOp> module = model->getModule().clone();
    RematSummary summary;
    EXPECT_TRUE(succeeded(rematerialize(module->lookupSymbol<func::FuncOp>("microbatch"), options, &summary)));
    return summary;
  }
  RematSummary applySelective(const Modules &modules, int64_t firstLayers) {
    RematPolicyOptions options;
    options.granularity = "selective", options.modules = "";
    for (const std::string &name : modules)
      *options.modules += (options.modules->empty() ? "" : ",") + name;
    options.method = "block", options.numLayers = std::to_string(firstLayers);
    return apply(options);
  }
  RematSummary applyFull(const char *method, int64_t count) {
    RematPolicyOptions options;
    options.granularity = "full", options.method = method;
    options.numLayers = std::to_string(count);
    return apply(options);
  }

  std::string output() const { return "mlp_residual" + residualSum; }

  /// What a layer saves when these modules are computed again.
  Tensors expected(const Modules &modules = {}) const {
    Tensors tensors = {
        {"self_attention.qkv", 3 * e * sb * h},
        {isFlash ? "self_attention.core_attn" : "self_attention.core_attn.attention_context", e * sb * h},
        {"self_attention.residual" + residualSum, e * sb * h},
        {output(), e * sb * h}};
    if (!modules.count("layernorm"))
      for (std::string norm : {"layernorm.input", "layernorm.pre_mlp"}) {
        tensors[norm] = e * sb * h;
        tensors[norm + ".mean"] = tensors[norm + ".rstd"] = 4 * sb;
      }
    if (!modules.count("core_attn") && isFlash)
      tensors["self_attention.core_attn.lse"] = 4 * config.numAttentionHeads * sb;
    if (!modules.count("core_attn") && !isFlash) {
      tensors["self_attention.core_attn.softmax"] = e * attention;
      if (config.attentionDropout > 0)
        tensors["self_attention.core_attn.dropout"] = e * attention;
    }
    if (!modules.count("mlp")) {
      tensors["mlp.fc1"] = e * sb * f;
      if (!modules.count("mlp_act"))
        tensors["mlp.mlp_act"] = e * sb * f;
    }
    return tensors;
  }

  /// The papers' bytes of a layer in two-byte types and with all dropouts, without the one-byte masks, with statistics.
  int64_t formula(int64_t perToken) const {
    int64_t masks = 2 * sb * h; // of the two hidden dropouts
    return (perToken * sb - masks) * e / 2 + 2 * 8 * sb;
  }

  static int64_t sumOf(const Tensors &tensors) {
    int64_t bytes = 0;
    for (const auto &[name, size] : tensors)
      bytes += size;
    return bytes;
  }

  void expectLayers(const RematSummary &summary, const std::vector<Tensors> &tensors) {
    std::vector<Tensors> found(layers);
    int64_t all = 0, inLayers = 0;
    for (const SavedValue &value : summary.saved) {
      all += value.bytes;
      if (value.layer >= 0) {
        std::string prefix = "layers." + std::to_string(value.layer) + ".";
        ASSERT_EQ(value.name.compare(0, prefix.size(), prefix), 0) << value.name;
        found[value.layer][value.name.substr(prefix.size())] = value.bytes;
      }
    }
    EXPECT_EQ(found, tensors);
    ASSERT_EQ(summary.savedBytesPerLayer.size(), tensors.size());
    for (int64_t layer = 0; layer < layers; ++layer) {
      EXPECT_EQ(summary.savedBytesPerLayer[layer], sumOf(tensors[layer])) << layer;
      inLayers += sumOf(tensors[layer]);
    }
    EXPECT_EQ(summary.savedBytes, all);
    EXPECT_EQ(summary.savedBytes - inLayers, outside());
  }

  // The first layer's input; the final norm's statistics (its input is the last layer's output); the gradient of its
  // output, which the head gives with the loss.
  int64_t outside() const { return e * sb * h + 8 * sb + e * sb * h; }

  // FLOPs of a layer's products; a multiply-add is two. And as many for P V; a flash attention computes what is seen
  // alone.
  int64_t scores() const { return isFlash ? sb * (s + 1) * h : 2 * sb * s * h; }
  // Where it is one op, P V is computed again with the scores.
  int64_t coreAttention() const { return isFlash ? 2 * scores() : scores(); }
  int64_t fc() const { return 2 * sb * h * f; } // fc1, and fc2
  int64_t layerForward() const { return 2 * sb * h * (3 * h + h) + 2 * scores() + 2 * fc(); }

  MLIRContext context;
  ModelConfig config;
  std::optional<JointModel> model;
  int64_t e, s, sb, h, f, layers, attention;
  bool isFlash;
  std::string residualSum; ///< where dropout shares the sum's place
};
} // namespace

TEST_P(SavedBytes, None) {
  RematSummary summary = apply({});
  expectLayers(summary, std::vector<Tensors>(layers, expected()));
  // sb (18h + 4f + 5as): five for the softmax's output, the mask and the
  // dropped output, of which the mask takes nothing.
  // Flash attention has the log-sum-exp instead.
  int64_t as = config.numAttentionHeads * s, kept = config.attentionDropout > 0 ? 4 : 2;
  EXPECT_EQ(summary.savedBytesPerLayer[0], isFlash ? formula(18 * h + 4 * f) + 4 * config.numAttentionHeads * sb
                                                   : formula(18 * h + 4 * f + kept * as));
  EXPECT_EQ(summary.recomputeFlops, 0);
  EXPECT_EQ(summary.forwardFlops, layers * layerForward() + 2 * sb * h * config.vocabSize);
  // Backward of flash attention computes the scores again.
  EXPECT_EQ(summary.backwardFlops, 2 * summary.forwardFlops + (isFlash ? layers * scores() : 0));
}

TEST_P(SavedBytes, EveryCombinationOfModules) {
  const char *names[] = {"core_attn", "mlp", "mlp_act", "layernorm"};
  for (int bits = 1; bits < 16; ++bits) {
    Modules modules;
    for (int i = 0; i < 4; ++i)
      if (bits >> i & 1)
        modules.insert(names[i]);
    // In all layers, and in the first ones.
    for (int64_t count : {layers, (layers + 1) / 2}) {
      RematSummary summary = applySelective(modules, count);
      SCOPED_TRACE("modules " + std::to_string(bits) + " in " + std::to_string(count) + " layers");
      std::vector<Tensors> tensors(layers, expected());
      std::fill_n(tensors.begin(), count, expected(modules));
      expectLayers(summary, tensors);
      int64_t flops = (modules.count("core_attn") ? coreAttention() : 0) + (modules.count("mlp") ? fc() : 0);
      EXPECT_EQ(summary.recomputeFlops, count * flops);
      // In closed form: sb (18h + 4f) without core attention.
      if (modules == Modules{"core_attn"})
        EXPECT_EQ(summary.savedBytesPerLayer[0], formula(18 * h + 4 * f));
    }
  }
}

// A chunk's input is the output of the layer before. Backward of a chunk needs the forward of its layers but for the
// last product, fc2, of the last one.
TEST_P(SavedBytes, FullUniform) {
  for (int64_t count = 1; count <= layers; ++count) {
    SCOPED_TRACE("chunks of " + std::to_string(count));
    RematSummary summary = applyFull("uniform", count);
    int64_t chunks = (layers + count - 1) / count;
    std::vector<Tensors> tensors(layers);
    for (int64_t layer = 0; layer < layers; ++layer)
      if ((layer + 1) % count == 0 || layer + 1 == layers)
        tensors[layer] = {{output(), e * sb * h}};
    expectLayers(summary, tensors);
    EXPECT_EQ(summary.recomputeFlops, layers * layerForward() - chunks * fc());
  }
}

TEST_P(SavedBytes, FullBlock) {
  for (int64_t count = 1; count <= layers; ++count) {
    SCOPED_TRACE("the first " + std::to_string(count));
    RematSummary summary = applyFull("block", count);
    std::vector<Tensors> tensors(layers, expected());
    std::fill_n(tensors.begin(), count, Tensors{{output(), e * sb * h}});
    expectLayers(summary, tensors);
    EXPECT_EQ(summary.recomputeFlops, count * (layerForward() - fc()));
  }
}

INSTANTIATE_TEST_SUITE_P(RandomShapes, SavedBytes, testing::Range(0, 64));
