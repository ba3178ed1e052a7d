//===- HuggingFaceTest.cpp - config.json, field by field ----------------------------------------------------------===//

#include "FrontendTest.h"

#include "tx/Frontend/HuggingFace.h"

#include "llvm/Support/FormatVariadic.h"

using namespace tx;

static llvm::Expected<ModelConfig> read(const std::string &fields, std::vector<std::string> &notes) {
  return parseHuggingFaceConfig("{\"model_type\": \"gpt2\"" + (fields.empty() ? "" : ", " + fields) + "}",
                                "config.json", notes);
}

static ModelConfig good(const std::string &fields) {
  std::vector<std::string> notes;
  llvm::Expected<ModelConfig> config = read(fields, notes);
  if (config)
    return *config;
  ADD_FAILURE() << take(config.takeError()).message;
  return {};
}

static std::string messageOf(const std::string &fields) {
  std::vector<std::string> notes;
  llvm::Expected<ModelConfig> config = read(fields, notes);
  if (config)
    return "";
  Failure failure = take(config.takeError());
  EXPECT_EQ(failure.exitCode, 1);
  return failure.message;
}

// The file that the hub has for gpt2.
TEST(HuggingFace, TheHubsGpt2) {
  std::vector<std::string> notes;
  llvm::Expected<ModelConfig> config = parseHuggingFaceConfig(R"({
    "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1,
    "bos_token_id": 50256, "embd_pdrop": 0.1, "eos_token_id": 50256, "initializer_range": 0.02,
    "layer_norm_epsilon": 1e-05, "model_type": "gpt2", "n_ctx": 1024, "n_embd": 768, "n_head": 12,
    "n_layer": 12, "n_positions": 1024, "resid_pdrop": 0.1, "summary_activation": null,
    "summary_first_dropout": 0.1, "summary_proj_to_labels": true, "summary_type": "cls_index",
    "summary_use_proj": true, "task_specific_params": {"text-generation": {"do_sample": true, "max_length": 50}},
    "vocab_size": 50257})",
                                                              "config.json", notes);
  ASSERT_TRUE(static_cast<bool>(config)) << take(config.takeError()).message;
  ASSERT_FALSE(static_cast<bool>(resolve(*config)));
  EXPECT_EQ(config->countParameters(), 124'439'808);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_HOLDS(notes[0], "ignored of config.json, these change nothing here: bos_token_id eos_token_id n_ctx summary_");
}

// The base model's file has no head; a tied one has no weight of its own.
TEST(HuggingFace, AModelWithoutAHeadGetsATiedOne) {
  std::vector<std::string> notes;
  ASSERT_TRUE(static_cast<bool>(read(R"("architectures": ["GPT2Model"])", notes)));
  EXPECT_TRUE(hasNote(notes, "which has no head: the step has GPT2LMHeadModel's"));
  EXPECT_HOLDS(messageOf(R"("architectures": ["GPT2Model"], "tie_word_embeddings": false)"),
               "no weight for a head of its own");
  for (const char *names :
       {"[\"GPT2ForSequenceClassification\"]", "[\"GPT2Model\", \"GPT2LMHeadModel\"]", "\"GPT2Model\"", "{}"})
    EXPECT_HOLDS(messageOf(std::string("\"architectures\": ") + names), "architectures is ");
  good("\"architectures\": []");
}

TEST(HuggingFace, NumbersBeyondTheirType) {
  for (const char *number : {"9223372036854775808", "18446744073709551616", "1e19", "1e400", "-1e400",
                             "-9223372036854775809", "1.5", "1e-3"})
    EXPECT_HOLDS(messageOf(std::string("\"n_layer\": ") + number), "n_layer is ");
  for (const char *number : {"1e400", "-1e400"})
    EXPECT_HOLDS(messageOf(std::string("\"layer_norm_epsilon\": ") + number), "it must be a finite number");
}

TEST(HuggingFace, EveryModelledFieldIsRead) {
  ModelConfig config = good(R"("n_layer": 3, "n_embd": 20, "n_head": 4, "n_inner": 52, "n_positions": 9,
    "vocab_size": 53, "layer_norm_epsilon": 1e-6, "initializer_range": 0.5, "attn_pdrop": 0.25, "embd_pdrop": 0.125,
    "resid_pdrop": 0, "tie_word_embeddings": false, "activation_function": "gelu_pytorch_tanh")");
  EXPECT_EQ(config.numLayers, 3);
  EXPECT_EQ(config.hiddenSize, 20);
  EXPECT_EQ(config.numAttentionHeads, 4);
  EXPECT_EQ(config.ffnHiddenSize, 52);
  EXPECT_EQ(config.maxPositionEmbeddings, 9);
  EXPECT_EQ(config.vocabSize, 53);
  EXPECT_EQ(config.layernormEpsilon, 1e-6);
  EXPECT_EQ(config.initializerRange, 0.5);
  EXPECT_EQ(config.attentionDropout, 0.25);
  EXPECT_EQ(config.embeddingDropout, 0.125);
  EXPECT_EQ(config.hiddenDropout, 0.0);
  EXPECT_FALSE(config.tiedEmbeddings);
}

TEST(HuggingFace, AbsentFieldsAreGPT2Configs) {
  ModelConfig config = good("");
  EXPECT_EQ(config.numLayers, 12);
  EXPECT_EQ(config.vocabSize, 50257);
  EXPECT_EQ(good("\"n_inner\": null").ffnHiddenSize, ModelConfig::kUnset);
}

TEST(HuggingFace, OtherNamesOfTheSameField) {
  ModelConfig config = good(R"("num_hidden_layers": 2, "hidden_size": 64, "num_attention_heads": 2)");
  EXPECT_EQ(config.numLayers, 2);
  EXPECT_EQ(config.hiddenSize, 64);
  EXPECT_HOLDS(messageOf(R"("n_layer": 2, "num_hidden_layers": 3)"), "are the same field; leave one out");
}

TEST(HuggingFace, WhatChangesTheModelIsRefusedByNameAndValue) {
  struct {
    const char *fields, *words;
  } cases[] = {
      {R"("scale_attn_by_inverse_layer_idx": true)", "config.json: scale_attn_by_inverse_layer_idx is true, refused: "},
      {R"("scale_attn_weights": false)", "scale_attn_weights is false, refused: "},
      {R"("reorder_and_upcast_attn": true)", "reorder_and_upcast_attn is true, refused: "},
      {R"("add_cross_attention": true)", "add_cross_attention is true, refused: "},
      {R"("activation_function": "relu")", "activation_function is \"relu\", refused: the MLP is GELU"},
      {R"("activation_function": "gelu")", "activation_function is \"gelu\", refused: "},
      {R"("rope_scaling": {"type": "linear", "factor": 2.0})", "rope_scaling is {"},
      {R"("quantization_config": {"bits": 4})", "quantization_config is {\"bits\":4}, refused: "},
      {R"("num_key_value_heads": 4)", "num_key_value_heads is 4, refused: this field is unknown"},
      {R"("n_layers": 4)", "this field is unknown, and may change the model; the nearest that is known is n_layer"},
      {R"("architectures": ["GPT2ForSequenceClassification"])", "architectures is [\"GPT2ForSequenceClassification\"]"},
      {R"("pruned_heads": {"1": [0]})", "pruned_heads is {"},
  };
  for (const auto &[fields, words] : cases)
    EXPECT_HOLDS(messageOf(fields), words);
  EXPECT_EQ(messageOf(R"("scale_attn_weights": true, "scale_attn_by_inverse_layer_idx": false, "rope_scaling": null,
    "add_cross_attention": false, "pruned_heads": {}, "chunk_size_feed_forward": 0)"),
            "");
}

TEST(HuggingFace, OtherModelsAreRefused) {
  std::vector<std::string> notes;
  auto message = [&](llvm::StringRef text) {
    llvm::Expected<ModelConfig> config = parseHuggingFaceConfig(text, "c.json", notes);
    return config ? "" : take(config.takeError()).message;
  };
  EXPECT_EQ(message(R"({"model_type": "mamba", "hidden_size": 4096})"),
            "c.json: model_type is \"mamba\", refused: the ones that are there are \"gpt2\", \"llama\", \"qwen2\", "
            "\"qwen3\", \"mistral\"");
  EXPECT_HOLDS(message("{}"), "model_type is missing");
  EXPECT_HOLDS(message("[1]"), "it must hold a JSON object");
  EXPECT_HOLDS(message(""), "c.json: ");
  EXPECT_HOLDS(message("{\"model_type\": \"gpt2\""), "c.json: ");
}

TEST(HuggingFace, WrongTypesAndRanges) {
  EXPECT_EQ(messageOf("\"n_layer\": \"12\""), "config.json: n_layer is \"12\"; it must be a whole number");
  EXPECT_EQ(messageOf("\"n_layer\": 1.5"), "config.json: n_layer is 1.5; it must be a whole number");
  EXPECT_EQ(messageOf("\"n_layer\": 0"), "config.json: n_layer is 0; it must be at least 1");
  EXPECT_EQ(messageOf("\"n_layer\": null"), "config.json: n_layer is null; it must be a whole number");
  EXPECT_HOLDS(messageOf("\"n_layer\": 1e400"), "it must be a whole number");
  EXPECT_HOLDS(messageOf("\"n_layer\": -9223372036854775808"), "it must be at least 1");
  EXPECT_HOLDS(messageOf("\"attn_pdrop\": 1e400"), "it must be a finite number");
  EXPECT_EQ(messageOf("\"tie_word_embeddings\": 1"), "config.json: tie_word_embeddings is 1; it must be true or false");
}

TEST(HuggingFace, EveryRecordedModelIsRead) {
  for (const char *name : {"tied-1x40", "tied-2x30", "untied-3x20"}) {
    CompileOptions options =
        parsed({llvm::formatv("{0}/test/Models/Recorded/{1}/config.json", TX_SOURCE_DIR, name).str()});
    EXPECT_EQ(options.model.tiedEmbeddings, name[0] == 't');
  }
}
