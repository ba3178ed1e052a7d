//===- Qwen2.cpp - Qwen 1.5, 2 and 2.5: LLaMA with biases on q, k and v -------------------------------------------===//

#include "Families.h"

using namespace tx;

static constexpr ConfigField kFields[] = {
    countField("vocab_size", &ModelConfig::vocabSize),
    countField("hidden_size", &ModelConfig::hiddenSize),
    countField("intermediate_size", &ModelConfig::ffnHiddenSize),
    countField("num_hidden_layers", &ModelConfig::numLayers),
    countField("num_attention_heads", &ModelConfig::numAttentionHeads),
    nullableCountField("num_key_value_heads", &ModelConfig::numKeyValueHeads),
    nullableCountField("head_dim", &ModelConfig::headSize),
    countField("max_position_embeddings", &ModelConfig::maxPositionEmbeddings),
    numberField("rms_norm_eps", &ModelConfig::layernormEpsilon),
    numberField("initializer_range", &ModelConfig::initializerRange),
    numberField("attention_dropout", &ModelConfig::attentionDropout),
    fixedField("hidden_act", "\"silu\"", "the MLP is SwiGLU, whose gate is SiLU"),
    fixedField("attention_bias", "true", "q, k and v of this family always have biases, attention's output has none"),
    fixedField("mlp_bias", "false", "MLPs of this family have no biases"),
    fixedField("use_mrope", "false", "positions are those of text"),
};

static constexpr const ConfigRule *kRules[] = {&kRopeRule, &kLayerWindowRule};

// Qwen2Config's.
static ModelConfig getDefaults() {
  ModelConfig config = getLlamaForm();
  config.type = "qwen2";
  config.vocabSize = 151936, config.hiddenSize = 4096, config.ffnHiddenSize = 22016;
  config.numLayers = 32, config.numAttentionHeads = 32, config.numKeyValueHeads = 32;
  config.maxPositionEmbeddings = 32768;
  config.qkvBias = true;
  return config;
}

static std::string findMisfit(const ModelConfig &config) {
  if (config.qkNorm)
    return "it has QK norms";
  if (!config.qkvBias || config.projBias || config.mlpBias)
    return "other products than q, k and v have biases, or these have none";
  return findLlamaMisfit(config);
}

const Family tx::kQwen2Family = {"qwen2", "Qwen2ForCausalLM", "Qwen2Model", "Qwen 1.5, 2 and 2.5", getDefaults, kFields,
                                 kRules,  findMisfit,         kLlamaLayout};
