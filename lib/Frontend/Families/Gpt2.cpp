//===- Gpt2.cpp - GPT-2, and the form of Megatron's GPT ----------------------------------------------------------===//

#include "Families.h"

using namespace tx;

static constexpr ConfigField kFields[] = {
    countField("vocab_size", &ModelConfig::vocabSize),
    countField("n_embd", &ModelConfig::hiddenSize, "hidden_size"),
    nullableCountField("n_inner", &ModelConfig::ffnHiddenSize),
    countField("n_layer", &ModelConfig::numLayers, "num_hidden_layers"),
    countField("n_head", &ModelConfig::numAttentionHeads, "num_attention_heads"),
    countField("n_positions", &ModelConfig::maxPositionEmbeddings, "max_position_embeddings"),
    numberField("layer_norm_epsilon", &ModelConfig::layernormEpsilon),
    numberField("initializer_range", &ModelConfig::initializerRange),
    numberField("attn_pdrop", &ModelConfig::attentionDropout),
    numberField("embd_pdrop", &ModelConfig::embeddingDropout),
    numberField("resid_pdrop", &ModelConfig::hiddenDropout),
    fixedField("scale_attn_weights", "true", "scores are always scaled by 1/sqrt(head size)"),
    fixedField("scale_attn_by_inverse_layer_idx", "false",
               "scores are scaled by 1/sqrt(head size) alone in every layer"),
    fixedField("reorder_and_upcast_attn", "false", "the order and precision of attention are fixed"),
    fixedField("rope_scaling", "null", "positions are learned"),
    fixedField("rope_parameters", "null", "positions are learned"),
    harmlessField("n_ctx"), // the mask of old versions; n_positions bounds the sequence
    harmlessField("n_special"),
    harmlessField("predict_special_tokens"),
    harmlessField("summary_activation"),
    harmlessField("summary_first_dropout"),
    harmlessField("summary_proj_to_labels"),
    harmlessField("summary_type"),
    harmlessField("summary_use_proj"),
};

static constexpr llvm::StringLiteral kActivationFields[] = {"activation_function"};

static llvm::Error readActivation(ConfigReading &reading) {
  const llvm::json::Value *value = reading.find("activation_function");
  if (!value || value->getAsString() == llvm::StringRef("gelu_new") ||
      value->getAsString() == llvm::StringRef("gelu_pytorch_tanh"))
    return llvm::Error::success();
  return reading.refuse("activation_function", *value,
                        "the MLP is GELU in its tanh form: gelu_new or gelu_pytorch_tanh");
}

static void writeActivation(const ModelConfig &, llvm::json::Object &object) {
  object["activation_function"] = "gelu_new";
}

static constexpr ConfigRule kActivationRule = {
    kActivationFields, "gelu_new or gelu_pytorch_tanh: GELU in its tanh form", readActivation, writeActivation};
static constexpr const ConfigRule *kRules[] = {&kActivationRule};

// GPT2Config's.
static ModelConfig getDefaults() {
  ModelConfig config;
  config.type = "gpt2";
  config.numLayers = 12, config.hiddenSize = 768, config.numAttentionHeads = 12;
  config.vocabSize = 50257, config.maxPositionEmbeddings = 1024;
  return config;
}

static std::string findMisfit(const ModelConfig &config) {
  if (config.normalization != Normalization::LayerNorm)
    return "norms are RMSNorm";
  if (config.positions != PositionEmbedding::LearnedAbsolute)
    return "positions are not learned";
  if (config.activation != Activation::Gelu)
    return "the MLP has a gate";
  if (config.numKeyValueHeads != config.numAttentionHeads)
    return "heads share keys and values";
  if (config.getQuerySize() != config.hiddenSize)
    return "heads together are not as wide as the hidden size";
  if (!config.qkvBias || !config.projBias || !config.mlpBias)
    return "some products have no biases";
  return "";
}

// Conv1D's weights are [in, out].
static constexpr Layout::Part kParts[] = {{Layout::Part::Kind::Attention, "ln_1"}, {Layout::Part::Kind::Mlp, "ln_2"}};
static constexpr llvm::StringLiteral kIgnored[] = {"*.attn.bias", "*.attn.masked_bias"}; // the causal mask

const Layout tx::kGpt2Layout = {
    kParts,
    /*embedding=*/"transformer.wte",
    /*positions=*/"transformer.wpe",
    /*layer=*/"transformer.h.",
    /*finalNorm=*/"transformer.ln_f",
    /*head=*/"lm_head",
    /*fusedQkv=*/"attn.c_attn",
    /*query=*/"",
    /*key=*/"",
    /*value=*/"",
    /*queryNorm=*/"",
    /*keyNorm=*/"",
    /*proj=*/"attn.c_proj",
    /*gate=*/"",
    /*up=*/"mlp.c_fc",
    /*down=*/"mlp.c_proj",
    /*outputsFirst=*/false,
    /*prefix=*/"transformer.",
    kIgnored,
};

const Family tx::kGpt2Family = {"gpt2",      "GPT2LMHeadModel", "GPT2Model", "GPT-2, and Megatron's GPT",
                                getDefaults, kFields,           kRules,      findMisfit,
                                kGpt2Layout};
