//===- Qwen3.cpp - Qwen 3: LLaMA with a norm over each head of q and k --------------------------------------------===//

#include "Families.h"

using namespace tx;

static constexpr ConfigField kFields[] = {
    countField("vocab_size", &ModelConfig::vocabSize),
    countField("hidden_size", &ModelConfig::hiddenSize),
    countField("intermediate_size", &ModelConfig::ffnHiddenSize),
    countField("num_hidden_layers", &ModelConfig::numLayers),
    countField("num_attention_heads", &ModelConfig::numAttentionHeads),
    nullableCountField("num_key_value_heads", &ModelConfig::numKeyValueHeads),
    countField("head_dim", &ModelConfig::headSize),
    countField("max_position_embeddings", &ModelConfig::maxPositionEmbeddings),
    numberField("rms_norm_eps", &ModelConfig::layernormEpsilon),
    numberField("initializer_range", &ModelConfig::initializerRange),
    numberField("attention_dropout", &ModelConfig::attentionDropout),
    fixedField("hidden_act", "\"silu\"", "the MLP is SwiGLU, whose gate is SiLU"),
    fixedField("mlp_bias", "false", "MLPs of this family have no biases"),
};

static constexpr const ConfigRule *kRules[] = {&kRopeRule, &kAttentionBiasRule, &kLayerWindowRule};

// Qwen3Config's.
static ModelConfig getDefaults() {
  ModelConfig config = getLlamaForm();
  config.type = "qwen3";
  config.vocabSize = 151936, config.hiddenSize = 4096, config.ffnHiddenSize = 22016;
  config.numLayers = 32, config.numAttentionHeads = 32, config.numKeyValueHeads = 32, config.headSize = 128;
  config.maxPositionEmbeddings = 32768;
  config.qkNorm = true;
  return config;
}

static std::string findMisfit(const ModelConfig &config) {
  if (!config.qkNorm)
    return "it has no QK norms";
  if (config.qkvBias != config.projBias)
    return "q, k and v have biases and attention's output has none";
  if (config.mlpBias)
    return "MLPs have biases";
  return findLlamaMisfit(config);
}

const Family tx::kQwen3Family = {"qwen3", "Qwen3ForCausalLM", "Qwen3Model", "Qwen 3, dense", getDefaults, kFields,
                                 kRules,  findMisfit,         kLlamaLayout};
