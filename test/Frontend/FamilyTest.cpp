//===- FamilyTest.cpp - Families: their config.json, their names, their forms -------------------------------------===//

#include "FrontendTest.h"

#include "tx/Frontend/Family.h"
#include "tx/Frontend/HuggingFace.h"
#include "tx/Frontend/Parameters.h"
#include "tx/Frontend/Presets.h"

#include "llvm/Support/FormatVariadic.h"

using namespace tx;
namespace json = llvm::json;

static llvm::Expected<ModelConfig> read(llvm::StringRef text, std::vector<std::string> &notes) {
  return parseHuggingFaceConfig(text, "config.json", notes);
}

/// The config of a family with some fields.
static ModelConfig good(const std::string &family, const std::string &fields) {
  std::vector<std::string> notes;
  llvm::Expected<ModelConfig> config =
      read("{\"model_type\": \"" + family + "\"" + (fields.empty() ? "" : ", " + fields) + "}", notes);
  if (config)
    return *config;
  ADD_FAILURE() << take(config.takeError()).message;
  return {};
}

static std::string messageOf(const std::string &family, const std::string &fields) {
  std::vector<std::string> notes;
  llvm::Expected<ModelConfig> config = read("{\"model_type\": \"" + family + "\", " + fields + "}", notes);
  return config ? "" : take(config.takeError()).message;
}

static std::string show(const json::Object &object) {
  return llvm::formatv("{0:2}", json::Value(json::Object(object)));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Files of public repositories
//===--------------------------------------------------------------------------------------------------------------===//

// Each is read as it is, and has as many parameters as the weights beside it.
TEST(Family, FilesOfPublicRepositories) {
  const struct {
    const char *name;
    int64_t parameters;
    const char *flags = "";
  } cases[] = {
      {"llama-7b", 6'738'415'616},
      {"llama-2-7b-chat", 6'738'415'616},
      {"llama-3-8b", 8'030'261'248},
      {"llama-3.1-8b-instruct", 8'030'261'248},
      {"llama-3.2-1b", 1'235'814'400},
      {"llama-3.2-1b-of-transformers-5", 1'235'814'400},
      {"tinyllama-1.1b-chat", 1'100'048'384},
      {"yi-6b", 6'061'035'520},
      {"smollm2-135m", 134'515'008},
      {"deepseek-coder-6.7b", 6'740'512'768},
      {"yarn-llama-2-7b-64k", 6'738'415'616},
      {"mistral-7b-v0.1", 7'241'732'096, "--seq-length=4096"},
      {"mistral-7b-instruct-v0.2", 7'241'732'096},
      {"mistral-7b-v0.3", 7'248'023'552},
      {"mistral-nemo-2407", 12'247'782'400},
      {"qwen2.5-0.5b-instruct", 494'032'768},
      {"qwen2.5-7b", 7'615'616'512},
      {"qwen1.5-1.8b", 1'836'828'672},
      {"qwen3-0.6b", 596'049'920},
      {"qwen3-8b-of-transformers-5", 8'190'735'360},
      {"deepseek-r1-0528-qwen3-8b", 8'190'735'360},
      {"qwen2-1.5b-yarn", 1'543'714'304},
  };
  for (const auto &[name, parameters, flags] : cases) {
    std::string path = llvm::formatv("{0}/test/Frontend/Inputs/Configs/{1}.json", TX_SOURCE_DIR, name);
    std::vector<llvm::StringRef> arguments = {path, "--micro-batch-size=1"};
    if (*flags)
      arguments.push_back(flags);
    llvm::Expected<CompileOptions> options = parse(arguments);
    ASSERT_TRUE(static_cast<bool>(options)) << name << ": " << take(options.takeError()).message;
    EXPECT_EQ(options->model.countParameters(), parameters) << name;
    EXPECT_FALSE(hasNote(options->notes, "no class of Hugging Face")) << name;
  }
}

TEST(Family, BothSpellingsAreOneModel) {
  auto read = [](const char *name) {
    return toJson(
        parsed({llvm::formatv("{0}/test/Frontend/Inputs/Configs/{1}.json", TX_SOURCE_DIR, name).str()}).model);
  };
  EXPECT_EQ(show(read("llama-3.2-1b")), show(read("llama-3.2-1b-of-transformers-5")));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Fields
//===--------------------------------------------------------------------------------------------------------------===//

TEST(Family, AbsentFieldsAreTheirClasses) {
  EXPECT_EQ(good("llama", "").ffnHiddenSize, 11008);
  EXPECT_EQ(good("llama", "").layernormEpsilon, 1e-6);
  EXPECT_EQ(good("llama", "").numKeyValueHeads, ModelConfig::kUnset);
  EXPECT_EQ(good("mistral", "").numKeyValueHeads, 8);
  EXPECT_EQ(good("mistral", R"("num_key_value_heads": null)").numKeyValueHeads, ModelConfig::kUnset);
  EXPECT_EQ(good("qwen3", "").headSize, 128);
  EXPECT_EQ(good("qwen2", "").headSize, ModelConfig::kUnset);
  EXPECT_FALSE(good("qwen2", "").tiedEmbeddings);
  EXPECT_EQ(good("llama", "").attentionDropout, 0.0);
}

TEST(Family, BiasesAreWhereTheClassHasThem) {
  auto biasesOf = [](const char *family, const char *fields) {
    ModelConfig config = good(family, fields);
    return std::string(config.qkvBias ? "q" : "") + (config.projBias ? "o" : "") + (config.mlpBias ? "m" : "");
  };
  EXPECT_EQ(biasesOf("llama", ""), "");
  EXPECT_EQ(biasesOf("llama", R"("attention_bias": true)"), "qo");
  EXPECT_EQ(biasesOf("llama", R"("mlp_bias": true)"), "m");
  EXPECT_EQ(biasesOf("qwen2", ""), "q");
  EXPECT_EQ(biasesOf("qwen3", ""), "");
  EXPECT_EQ(biasesOf("qwen3", R"("attention_bias": true)"), "qo");
  EXPECT_EQ(biasesOf("gpt2", ""), "qom");
  EXPECT_HOLDS(messageOf("mistral", R"("attention_bias": true)"), "attention_bias is true, refused: the family has no");
}

TEST(Family, WhatChangesTheComputationIsRefusedByName) {
  const struct {
    const char *family, *fields, *words;
  } cases[] = {
      {"llama", R"("quantization_config": {"bits": 4})", "quantization_config is {\"bits\":4}, refused: "},
      {"llama", R"("hidden_act": "gelu")", "hidden_act is \"gelu\", refused: the MLP is SwiGLU"},
      {"llama", R"("pretraining_tp": 2)", "pretraining_tp is 2, refused: "},
      {"llama", R"("partial_rotary_factor": 0.5)", "partial_rotary_factor is 0.5, refused: "},
      {"llama", R"("rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.5})",
       "rope_parameters.partial_rotary_factor is 0.5, refused: "},
      {"llama", R"("rope_scaling": {"rope_type": "longrope", "factor": 2})", "rope_scaling.rope_type is \"longrope\""},
      {"llama", R"("rope_scaling": {"type": "su", "factor": 2})", "rope_scaling.rope_type is \"su\", refused: "},
      {"llama", R"("rope_scaling": {"type": "linear"})", "refused: factor is missing, which linear needs"},
      {"llama", R"("rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1})",
       "high_freq_factor is missing, which llama3 needs"},
      {"llama", R"("rope_scaling": {"rope_type": "linear", "type": "yarn", "factor": 2})",
       "type and rope_type disagree"},
      {"llama", R"("rope_scaling": {"rope_type": "linear", "factor": 2, "more": 3})",
       "rope_scaling.more is 3, refused: "},
      {"llama", R"("rope_scaling": 2)", "rope_scaling is 2; it must be an object, or null"},
      {"llama", R"("rope_theta": 1e4, "rope_parameters": {"rope_type": "default", "rope_theta": 5e5})",
       "rope_theta says another rope_theta, 10000; leave one out"},
      {"llama",
       R"("rope_scaling": {"type": "linear", "factor": 2}, "rope_parameters": {"rope_type": "linear", "factor": 4})",
       "rope_scaling says something else; leave one out"},
      {"llama", R"("rope_parameters": {"full_attention": {"rope_type": "default"}})",
       "rope_parameters.full_attention is {"},
      {"llama", R"("layer_types": ["full_attention"])",
       "layer_types is [\"full_attention\"]; it must be a list with one"},
      {"llama", R"("num_hidden_layers": 1, "layer_types": ["linear_attention"])",
       "layer_types is \"linear_attention\""},
      {"llama", R"("num_hidden_layers": 1, "layer_types": ["sliding_attention"])", "this family has no windows"},
      {"llama", R"("sliding_window": 4096)", "sliding_window is 4096, refused: this family has no windows"},
      {"llama", R"("use_bidirectional_attention": true)", "use_bidirectional_attention is true, refused: "},
      {"llama", R"("num_local_experts": 8)", "num_local_experts is 8, refused: this field is unknown"},
      {"llama", R"("hidden_sise": 8)",
       "this field is unknown, and may change the model; the nearest that is known is hidden_size"},
      {"qwen2", R"("dual_chunk_attention_config": {})", "dual_chunk_attention_config is {}, refused: "},
      {"qwen3", R"("num_hidden_layers": 1, "layer_types": ["sliding_attention"])", "use_sliding_window is false"},
      {"llama", R"("architectures": ["LlamaForSequenceClassification"])", "architectures is [\"LlamaForSequence"},
  };
  for (const auto &[family, fields, words] : cases)
    EXPECT_HOLDS(messageOf(family, fields), words);
}

TEST(Family, SpellingsThatAgreePass) {
  ModelConfig config = good("llama", R"("rope_theta": 5e5, "rope_scaling": {"type": "linear", "rope_type": "linear",
      "factor": 2.0}, "rope_parameters": {"rope_type": "linear", "rope_theta": 500000, "factor": 2,
      "partial_rotary_factor": 1.0})");
  EXPECT_EQ(config.rope.theta, 5e5);
  EXPECT_EQ(config.rope.factor, 2.0);
  good("llama", R"("rope_scaling": null, "rope_parameters": null, "partial_rotary_factor": null, "sliding_window": null,
      "num_hidden_layers": 2, "layer_types": ["full_attention", "full_attention"], "head_dim": null)");
}

// An absent key means 4096 tokens; a window that sees the whole sequence has no effect.
TEST(Family, WindowsOfMistral) {
  auto messageOf = [](const std::string &fields, llvm::StringRef seqLength) {
    ModelConfig config = good("mistral", fields);
    seqLength.getAsInteger(10, config.seqLength);
    return take(resolve(config)).message;
  };
  EXPECT_EQ(messageOf(R"("sliding_window": null)", "32768"), "");
  EXPECT_EQ(messageOf("", "4096"), "");
  EXPECT_HOLDS(messageOf("", "4097"), "sliding_window is 4096, refused: attention of layer 0 would see 4096 of 4097");
  EXPECT_HOLDS(messageOf(R"("sliding_window": 16)", "17"), "--seq-length 16 is the longest without one");
}

TEST(Family, WindowsOfQwen) {
  auto messageOf = [](const std::string &fields) {
    ModelConfig config = good("qwen2", fields + R"(, "num_hidden_layers": 4)");
    config.seqLength = 64;
    return take(resolve(config)).message;
  };
  EXPECT_EQ(messageOf(R"("sliding_window": 8, "max_window_layers": 0)"), "");
  EXPECT_EQ(messageOf(R"("use_sliding_window": true, "sliding_window": 8, "max_window_layers": 4)"), "");
  EXPECT_EQ(messageOf(R"("use_sliding_window": true, "sliding_window": null, "max_window_layers": 0)"), "");
  EXPECT_EQ(messageOf(R"("use_sliding_window": true, "sliding_window": 64, "max_window_layers": 0)"), "");
  EXPECT_HOLDS(messageOf(R"("use_sliding_window": true, "sliding_window": 8, "max_window_layers": 2)"),
               "attention of layer 2 would see 8 of 64 tokens");
  EXPECT_HOLDS(messageOf(R"("use_sliding_window": true, "sliding_window": 8, "layer_types":
      ["full_attention", "sliding_attention", "full_attention", "full_attention"])"),
               "attention of layer 1 would see");
}

TEST(Family, AClassWithoutAHead) {
  std::vector<std::string> notes;
  ASSERT_TRUE(static_cast<bool>(
      read(R"({"model_type": "qwen3", "architectures": ["Qwen3Model"], "tie_word_embeddings": true})", notes)));
  EXPECT_TRUE(hasNote(notes, "the step has Qwen3ForCausalLM's"));
  EXPECT_HOLDS(messageOf("llama", R"("architectures": ["LlamaModel"])"), "no weight for a head of its own");
}

//===--------------------------------------------------------------------------------------------------------------===//
// What is written
//===--------------------------------------------------------------------------------------------------------------===//

// The config.json that is written beside weights is read as the model that it was written for.
TEST(Family, WhatIsWrittenIsReadAsTheSame) {
  for (const Preset &preset : getPresets()) {
    ModelConfig config = parsed({preset.name}).model;
    json::Object weights = describeWeights(config);
    ASSERT_TRUE(weights.getObject("config")) << preset.name.str();
    std::vector<std::string> notes;
    llvm::Expected<ModelConfig> again =
        read(llvm::formatv("{0}", json::Value(json::Object(*weights.getObject("config")))).str(), notes);
    ASSERT_TRUE(static_cast<bool>(again)) << preset.name.str() << take(again.takeError()).message;
    again->dtype = config.dtype;
    ASSERT_FALSE(static_cast<bool>(resolve(*again)));
    EXPECT_EQ(show(toJson(*again)), show(toJson(config)));
    EXPECT_EQ(show(describeWeights(*again)), show(weights));
  }
}

TEST(Family, FieldsThatChangeNothingAreWrittenBack) {
  ModelConfig config =
      good("llama", R"("eos_token_id": [1, 2], "transformers_version": "4.40.0", "torch_dtype": "float16")");
  ASSERT_FALSE(static_cast<bool>(resolve(config)));
  json::Object object = *describeWeights(config).getObject("config");
  EXPECT_EQ(*object.get("eos_token_id"), json::Value(json::Array{1, 2}));
  EXPECT_FALSE(object.get("transformers_version"));
  EXPECT_EQ(object.getString("torch_dtype"), llvm::StringRef("float32"));
}

TEST(Family, WhatARunnerMustKnowOfWeights) {
  json::Object tied = describeWeights(parsed({"llama3.2-1b"}).model);
  EXPECT_EQ(tied.getString("prefix"), llvm::StringRef("model."));
  EXPECT_EQ(tied.getObject("tied")->getString("lm_head.weight"), llvm::StringRef("model.embed_tokens.weight"));
  EXPECT_TRUE(describeWeights(parsed({"llama3-8b"}).model).getObject("tied")->empty());
  json::Object none = describeWeights(parsed({"llama3-8b", "--rotary-interleaved"}).model);
  EXPECT_FALSE(none.get("config"));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Parameters
//===--------------------------------------------------------------------------------------------------------------===//

static const Parameter *find(const std::vector<Parameter> &parameters, llvm::StringRef name) {
  for (const Parameter &parameter : parameters)
    if (parameter.name == name)
      return &parameter;
  return nullptr;
}

// Names and shapes are those of the released files.
TEST(Family, NamesOfQwen3) {
  std::vector<Parameter> parameters = listParameters(parsed({"qwen3-0.6b", "--num-layers", "1"}).model);
  const struct {
    const char *name;
    std::vector<int64_t> shape;
  } expected[] = {
      {"model.embed_tokens.weight", {151936, 1024}},
      {"model.layers.0.input_layernorm.weight", {1024}},
      {"model.layers.0.self_attn.q_proj.weight", {2048, 1024}},
      {"model.layers.0.self_attn.k_proj.weight", {1024, 1024}},
      {"model.layers.0.self_attn.v_proj.weight", {1024, 1024}},
      {"model.layers.0.self_attn.o_proj.weight", {1024, 2048}},
      {"model.layers.0.self_attn.q_norm.weight", {128}},
      {"model.layers.0.self_attn.k_norm.weight", {128}},
      {"model.layers.0.post_attention_layernorm.weight", {1024}},
      {"model.layers.0.mlp.gate_proj.weight", {3072, 1024}},
      {"model.layers.0.mlp.up_proj.weight", {3072, 1024}},
      {"model.layers.0.mlp.down_proj.weight", {1024, 3072}},
      {"model.norm.weight", {1024}},
  };
  ASSERT_EQ(parameters.size(), std::size(expected));
  for (size_t i = 0; i < parameters.size(); ++i) {
    EXPECT_EQ(parameters[i].name, expected[i].name);
    EXPECT_EQ(llvm::ArrayRef<int64_t>(parameters[i].shape), llvm::ArrayRef<int64_t>(expected[i].shape));
  }
}

// Weight decay is for matrices alone, unless QK norms ask for it. Hugging Face's classes start all matrices alike.
TEST(Family, InitialValuesAndDecay) {
  std::vector<Parameter> parameters = listParameters(parsed({"qwen3-0.6b", "--num-layers", "8"}).model);
  for (const Parameter &parameter : parameters) {
    EXPECT_EQ(parameter.decay, parameter.shape.size() == 2) << parameter.name;
    EXPECT_EQ(parameter.init, parameter.shape.size() == 2 ? InitKind::Normal : InitKind::Ones) << parameter.name;
    if (parameter.init == InitKind::Normal)
      EXPECT_EQ(parameter.stddev, 0.02) << parameter.name;
  }
  parameters = listParameters(parsed({"qwen3-0.6b", "--apply-wd-to-qk-layernorm", "--apply-layernorm-1p"}).model);
  EXPECT_TRUE(find(parameters, "model.layers.0.self_attn.q_norm.weight")->decay);
  EXPECT_FALSE(find(parameters, "model.layers.0.input_layernorm.weight")->decay);
  EXPECT_EQ(find(parameters, "model.norm.weight")->init, InitKind::Zeros);
  // Megatron's flags alone: as Megatron.
  parameters = listParameters(
      parsed({"--megatron-args=--num-layers 8 --hidden-size 64 --num-attention-heads 4 --vocab-size 64 --seq-length 8 "
              "--swiglu --normalization RMSNorm --position-embedding-type rope --disable-bias-linear"})
          .model);
  EXPECT_EQ(find(parameters, "model.layers.0.mlp.down_proj.weight")->stddev, 0.005);
  EXPECT_EQ(find(parameters, "model.layers.0.mlp.up_proj.weight")->stddev, 0.02);
}

// Any field of any family is in the table once.
TEST(Family, FieldsAreThereOnce) {
  for (const Family *family : getFamilies()) {
    std::vector<llvm::StringRef> names;
    for (llvm::ArrayRef<ConfigField> fields : {family->fields, getCommonFields()})
      for (const ConfigField &field : fields)
        names.push_back(field.name);
    for (const ConfigRule *rule : family->rules)
      names.insert(names.end(), rule->fields.begin(), rule->fields.end());
    llvm::sort(names);
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end()) << family->name.str();
  }
}
