//===- Mistral.cpp - Mistral 7B and models of its form ------------------------------------------------------------===//

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
    fixedField("attention_bias", "false", "the family has no biases"),
    fixedField("mlp_bias", "false", "the family has no biases"),
};

static constexpr llvm::StringLiteral kWindowFields[] = {"sliding_window", "layer_types"};

// The window of every layer. A file without the key has MistralConfig's default, 4096; null means none.
static llvm::Error readWindow(ConfigReading &reading) {
  int64_t window = 4096;
  if (const llvm::json::Value *value = reading.find("sliding_window")) {
    if (llvm::Error error = reading.read("sliding_window", *value, window))
      return error;
  } else if (reading.has("sliding_window")) {
    window = 0;
  }
  std::vector<bool> types;
  if (llvm::Error error = readLayerTypes(reading, types))
    return error;
  if (llvm::is_contained(types, window == 0))
    return reading.refuse("layer_types", *reading.find("layer_types"),
                          "all layers of this family are alike, and sliding_window says whether they have a window");
  if (window != 0)
    reading.config.windows = {window};
  return llvm::Error::success();
}

static void writeWindow(const ModelConfig &config, llvm::json::Object &object) {
  object["sliding_window"] = nullptr;
  if (int64_t window = config.getWindow(0))
    object["sliding_window"] = window;
}

static constexpr ConfigRule kWindowRule = {
    kWindowFields,
    "absent: a window of 4096 tokens, as the class has it; null: none. A window that is smaller than the sequence is "
    "refused",
    readWindow, writeWindow};
static constexpr const ConfigRule *kRules[] = {&kRopeRule, &kWindowRule};

// MistralConfig's.
static ModelConfig getDefaults() {
  ModelConfig config = getLlamaForm();
  config.type = "mistral";
  config.vocabSize = 32000, config.hiddenSize = 4096, config.ffnHiddenSize = 14336;
  config.numLayers = 32, config.numAttentionHeads = 32, config.numKeyValueHeads = 8;
  config.maxPositionEmbeddings = 131072;
  return config;
}

static std::string findMisfit(const ModelConfig &config) {
  if (config.qkNorm)
    return "it has QK norms";
  if (config.qkvBias || config.projBias || config.mlpBias)
    return "it has biases";
  return findLlamaMisfit(config);
}

const Family tx::kMistralFamily = {
    "mistral", "MistralForCausalLM", "MistralModel", "Mistral 7B and its form", getDefaults, kFields,
    kRules,    findMisfit,           kLlamaLayout};
