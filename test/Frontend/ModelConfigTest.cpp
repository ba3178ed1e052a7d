//===- ModelConfigTest.cpp - Sizes, defaults and what is refused --------------------------------------------------===//

#include "FrontendTest.h"

#include "tx/Frontend/Presets.h"

using namespace tx;

static ModelConfig preset(llvm::StringRef name) {
  ModelConfig config = findPreset(name)->getConfig();
  EXPECT_FALSE(static_cast<bool>(resolve(config)));
  return config;
}

// Radford et al. 2019 as released; Brown et al. 2020 with Megatron's vocabulary.
TEST(ModelConfig, PresetsHaveTheKnownNumberOfParameters) {
  EXPECT_EQ(preset("gpt2-124m").countParameters(), 124'439'808);
  EXPECT_EQ(preset("gpt2-355m").countParameters(), 354'823'168);
  EXPECT_EQ(preset("gpt2-774m").countParameters(), 774'030'080);
  EXPECT_EQ(preset("gpt2-1558m").countParameters(), 1'557'611'200);
  EXPECT_EQ(preset("gpt3-175b").countParameters(), 174'615'846'912);
}

// The sums of the weights of the released files.
TEST(ModelConfig, PresetsOfTheLlamaFormHaveTheKnownNumberOfParameters) {
  EXPECT_EQ(preset("llama2-7b").countParameters(), 6'738'415'616);
  EXPECT_EQ(preset("llama2-13b").countParameters(), 13'015'864'320);
  EXPECT_EQ(preset("llama2-70b").countParameters(), 68'976'648'192);
  EXPECT_EQ(preset("llama3-8b").countParameters(), 8'030'261'248);
  EXPECT_EQ(preset("llama3-70b").countParameters(), 70'553'706'496);
  EXPECT_EQ(preset("llama3.1-405b").countParameters(), 405'853'388'800);
  EXPECT_EQ(preset("llama3.2-1b").countParameters(), 1'235'814'400);
  EXPECT_EQ(preset("llama3.2-3b").countParameters(), 3'212'749'824);
  EXPECT_EQ(preset("mistral-7b").countParameters(), 7'241'732'096);
  EXPECT_EQ(preset("qwen2.5-7b").countParameters(), 7'615'616'512);
  EXPECT_EQ(preset("qwen2.5-72b").countParameters(), 72'706'203'648);
  EXPECT_EQ(preset("qwen3-0.6b").countParameters(), 596'049'920);
  EXPECT_EQ(preset("qwen3-8b").countParameters(), 8'190'735'360);
}

TEST(ModelConfig, UntiedAndWithoutBiases) {
  ModelConfig tied = preset("gpt2-124m"), untied = tied, bare = tied;
  untied.tiedEmbeddings = false;
  bare.setBiases(false);
  EXPECT_EQ(untied.countParameters() - tied.countParameters(), 50257 * 768);
  EXPECT_EQ(tied.countParameters() - bare.countParameters(), 12 * (3 + 1 + 4 + 1) * 768);
}

TEST(ModelConfig, TheVocabularyIsPaddedWhenAsked) {
  EXPECT_EQ(parsed({"gpt2-124m"}).model.vocabSize, 50257);
  EXPECT_EQ(parsed({"gpt2-124m", "--make-vocab-size-divisible-by", "64"}).model.vocabSize, 50304);
}

TEST(ModelConfig, TheSequenceIsAsLongAsThereArePositions) {
  EXPECT_EQ(parsed({"gpt2-124m"}).model.seqLength, 1024);
  EXPECT_EQ(parsed({"gpt2-124m", "--seq-length", "64"}).model.maxPositionEmbeddings, 1024);
}

TEST(ModelConfig, WhatIsRefused) {
  struct {
    std::vector<llvm::StringRef> flags;
    const char *message;
  } cases[] = {
      {{"--num-layers", "0"}, "--num-layers (n_layer) is 0; it must be from 1 to 4096"},
      {{"--hidden-size", "-768"}, "--hidden-size (n_embd) is -768; it must be from 1 to 268435456"},
      {{"--num-attention-heads", "7"},
       "--num-attention-heads (n_head) is 7, which does not divide --hidden-size "
       "(n_embd) 768; 6 or 8 would"},
      {{"--num-attention-heads", "1000"},
       "--num-attention-heads (n_head) is 1000, which does not divide "
       "--hidden-size (n_embd) 768; 768 would"},
      {{"--ffn-hidden-size", "0"}, "--ffn-hidden-size (n_inner) is 0; it must be from 1 to 2147483648"},
      {{"--seq-length", "2048"},
       "--seq-length is 2048, above --max-position-embeddings (n_positions) 1024: learned "
       "positions end there; lower the one or raise the other"},
      {{"--hidden-dropout", "1"}, "--hidden-dropout (resid_pdrop) is 1; it must be at least 0 and below 1"},
      {{"--attention-dropout", "-0.1"}, "--attention-dropout (attn_pdrop) is -0.1; it must be at least 0 and below 1"},
      {{"--norm-epsilon", "0"}, "--norm-epsilon (layer_norm_epsilon) is 0; it must be above 0"},
      {{"--init-method-std", "-1"}, "--init-method-std (initializer_range) is -1; it must be at least 0"},
      {{"--adam-beta2", "1"}, "--adam-beta2 is 1; it must be at least 0 and below 1"},
      {{"--adam-eps", "0"}, "--adam-eps is 0; it must be above 0"},
      {{"--clip-grad", "-1"}, "--clip-grad is -1; it must be at least 0 (0 turns clipping off)"},
      {{"--make-vocab-size-divisible-by", "2147483648"},
       "--vocab-size, padded to a multiple of 2147483648, is 2147483648; token ids have 31 bits"},
  };
  for (auto &[flags, message] : cases) {
    flags.insert(flags.begin(), "gpt2-124m");
    Failure failure = failureOf(flags);
    EXPECT_EQ(failure.exitCode, 1);
    EXPECT_EQ(failure.message, message);
  }
  EXPECT_HOLDS(failureOf({"--num-layers", "2"}).message, "--hidden-size is missing");
  EXPECT_HOLDS(failureOf({"llama3-8b", "--num-layers", "0"}).message, "--num-layers (num_hidden_layers) is 0");
}

// Each product of sizes that could overflow later is refused here, however the sizes are chosen.
TEST(ModelConfig, ProductsThatOverflowAreRefused) {
  const llvm::StringRef huge = "2147483647";
  for (auto [flag, value] : {std::pair("--micro-batch-size", "2147483647"), {"--hidden-size", "268435456"}}) {
    Failure failure = failureOf({"gpt2-124m", flag, value, "--num-attention-heads", "1"});
    EXPECT_EQ(failure.exitCode, 1);
    EXPECT_HOLDS(failure.message, "elements; lower one of the factors");
  }
  EXPECT_HOLDS(failureOf({"gpt2-124m", "--max-position-embeddings", huge, "--seq-length", huge}).message,
               "the attention scores");
  EXPECT_HOLDS(failureOf({"gpt2-124m", "--max-position-embeddings", huge, "--seq-length", "8", "--hidden-size",
                          "2000000", "--num-attention-heads", "1"})
                   .message,
               "elements; lower one of the factors");
  EXPECT_EQ(failureOf({"gpt2-124m", "--micro-batch-size", "99999999999999999999"}).exitCode, 2);
  EXPECT_EQ(failureOf({"gpt2-124m", "--hidden-size", "9223372036854775807"}).exitCode, 1);
}

TEST(ModelConfig, TheManifestsObject) {
  llvm::json::Object object = toJson(preset("gpt2-124m"));
  EXPECT_EQ(object.getString("type"), llvm::StringRef("gpt2"));
  EXPECT_EQ(object.getInteger("ffn_hidden_size"), 3072);
  EXPECT_EQ(object.getBoolean("tied"), true);
  EXPECT_EQ(object.getNumber("hidden_dropout"), 0.1);
}
