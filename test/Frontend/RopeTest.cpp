//===- RopeTest.cpp - Rotary frequencies, beside those of transformers 5.24 ---------------------------------------===//

#include "FrontendTest.h"

#include "tx/Frontend/HuggingFace.h"
#include "tx/Frontend/Rope.h"

using namespace tx;

/// The table of heads of 16 columns.
static RopeTable tableOf(const std::string &fields, int64_t seqLength = 64) {
  std::vector<std::string> notes;
  llvm::Expected<ModelConfig> config = parseHuggingFaceConfig(
      R"({"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4, )" + fields + "}", "config.json", notes);
  if (!config) {
    ADD_FAILURE() << take(config.takeError()).message;
    return {};
  }
  config->seqLength = seqLength;
  EXPECT_FALSE(static_cast<bool>(resolve(*config)));
  return makeRopeTable(*config);
}

static void expectTable(const RopeTable &table, std::vector<double> frequencies, double scale) {
  ASSERT_EQ(table.frequencies.size(), frequencies.size());
  for (size_t i = 0; i < frequencies.size(); ++i) {
    EXPECT_NEAR(table.frequencies[i], frequencies[i], 3e-7 * frequencies[i]) << i;
    EXPECT_EQ(table.frequencies[i], static_cast<double>(static_cast<float>(table.frequencies[i])));
  }
  EXPECT_DOUBLE_EQ(table.scale, scale);
}

TEST(Rope, Default) {
  expectTable(tableOf(R"("max_position_embeddings": 64)"),
              {1, 0.316227764, 0.100000001, 0.0316227786, 0.00999999978, 0.00316227786, 0.00100000005, 0.000316227786},
              1.0);
  expectTable(
      tableOf(R"("max_position_embeddings": 64, "rope_theta": 500000.0)"),
      {1, 0.193922758, 0.0376060307, 0.00729266508, 0.00141421345, 0.000274248188, 5.31829573e-05, 1.03133852e-05},
      1.0);
}

TEST(Rope, Linear) {
  expectTable(
      tableOf(R"("max_position_embeddings": 64, "rope_scaling": {"type": "linear", "factor": 4})"),
      {0.25, 0.079056941, 0.0250000004, 0.00790569466, 0.00249999994, 0.000790569466, 0.000250000012, 7.90569466e-05},
      1.0);
}

// Within the positions of the model nothing changes.
TEST(Rope, Dynamic) {
  const std::string fields = R"("max_position_embeddings": 64, "rope_scaling": {"rope_type": "dynamic", "factor": 4})";
  expectTable(tableOf(fields, 64),
              {1, 0.316227764, 0.100000001, 0.0316227786, 0.00999999978, 0.00316227786, 0.00100000005, 0.000316227786},
              1.0);
  expectTable(tableOf(fields, 100),
              {1, 0.267223001, 0.0714081228, 0.0190818924, 0.00509912008, 0.00136260199, 0.000364118576, 9.730085e-05},
              1.0);
}

TEST(Rope, Llama3) {
  expectTable(
      tableOf(R"("max_position_embeddings": 1024, "rope_theta": 500000.0, "rope_scaling": {"rope_type": "llama3",
                         "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                         "original_max_position_embeddings": 256})"),
      {1, 0.193922758, 0.0105382307, 0.000911583134, 0.000176776681, 3.42810235e-05, 6.64786967e-06, 1.28917316e-06},
      1.0);
}

TEST(Rope, Yarn) {
  auto fields = [](const std::string &more) {
    return R"("max_position_embeddings": 1024, "rope_scaling": {"rope_type": "yarn", "factor": 16.0,
              "original_max_position_embeddings": 64)" +
           more + "}";
  };
  const std::vector<double> truncated = {
      1, 0.217406571, 0.0374999978, 0.00197642366, 0.000624999986, 0.000197642366, 6.2500003e-05, 1.97642366e-05};
  expectTable(tableOf(fields("")), truncated, 1.2772588722239782);
  expectTable(tableOf(fields(R"(, "attention_factor": 0.5)")), truncated, 0.5);
  // 0 means that the key is absent, as in Hugging Face's classes.
  expectTable(tableOf(fields(R"(, "mscale": 1.0, "mscale_all_dim": 0, "beta_fast": 0)")), truncated,
              1.2772588722239782);
  expectTable(
      tableOf(fields(R"(, "mscale": 0.707, "mscale_all_dim": 1.0, "beta_fast": 8.0, "beta_slow": 2.0,
                                 "truncate": false)")),
      {1, 0.1216795, 0.00625000009, 0.00197642366, 0.000624999986, 0.000197642366, 6.2500003e-05, 1.97642366e-05},
      0.9363975061530204);
  // Without a factor it is the ratio of positions.
  expectTable(tableOf(R"("max_position_embeddings": 1024, "rope_scaling": {"rope_type": "yarn",
                         "original_max_position_embeddings": 64})"),
              truncated, 1.2772588722239782);
}

TEST(Rope, ConstantsThatGiveNoNumbersAreRefused) {
  auto messageOf = [](const char *fields) {
    std::vector<std::string> notes;
    llvm::Expected<ModelConfig> config = parseHuggingFaceConfig(
        std::string(R"({"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4, )") + fields + "}",
        "config.json", notes);
    return config ? take(resolve(*config)).message : take(config.takeError()).message;
  };
  for (const char *fields : {R"("rope_scaling": {"type": "linear", "factor": 1e-300})",
                             R"("rope_scaling": {"type": "yarn", "factor": 2, "attention_factor": 0})",
                             R"("rope_scaling": {"type": "yarn", "factor": 2, "mscale": -1000, "mscale_all_dim": 1})"})
    EXPECT_HOLDS(messageOf(fields), "that are no positive f32 numbers");
  EXPECT_HOLDS(messageOf(R"("rope_scaling": {"type": "linear", "factor": 0})"), "is 0; it must be above 0");
  EXPECT_HOLDS(messageOf(R"("rope_theta": 1)"), "is 1; it must be above 1");
  EXPECT_EQ(messageOf(R"("rope_theta": 1e300)"), "");
}

TEST(Rope, APartOfEachHead) {
  ModelConfig model = parsed({"llama2-7b", "--seq-length", "8", "--rotary-percent", "0.25"}).model;
  EXPECT_EQ(model.getRotarySize(), 32);
  RopeTable table = makeRopeTable(model);
  ASSERT_EQ(table.frequencies.size(), 16u);
  EXPECT_NEAR(table.frequencies[1], std::pow(1e4, -2.0 / 32), 1e-7);
}
