//===- Llama.cpp - LLaMA 1, 2 and 3, and the many models of their form --------------------------------------------===//

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
    flagField("mlp_bias", &ModelConfig::mlpBias),
    fixedField("hidden_act", "\"silu\"", "the MLP is SwiGLU, whose gate is SiLU"),
    fixedField("pretraining_tp", "1", "products are whole, as they were trained with 1"),
    fixedField("rope_interleaved", "false", "files of this family have the halves of a head apart"),
    harmlessField("is_llama_config"),
    harmlessField("max_sequence_length"), // of old files; max_position_embeddings says it too
};

static constexpr const ConfigRule *kRules[] = {&kRopeRule, &kAttentionBiasRule, &kNoWindowRule};

// LlamaConfig's.
static ModelConfig getDefaults() {
  ModelConfig config = getLlamaForm();
  config.type = "llama";
  config.vocabSize = 32000, config.hiddenSize = 4096, config.ffnHiddenSize = 11008;
  config.numLayers = 32, config.numAttentionHeads = 32;
  config.maxPositionEmbeddings = 2048;
  return config;
}

static std::string findMisfit(const ModelConfig &config) {
  if (config.qkNorm)
    return "it has QK norms";
  if (config.qkvBias != config.projBias)
    return "q, k and v have biases and attention's output has none";
  return findLlamaMisfit(config);
}

const Family tx::kLlamaFamily = {
    "llama", "LlamaForCausalLM", "LlamaModel", "LLaMA 1, 2, 3, 3.1, 3.2 and their form", getDefaults, kFields,
    kRules,  findMisfit,         kLlamaLayout};
