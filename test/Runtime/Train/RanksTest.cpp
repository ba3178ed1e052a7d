//===- RanksTest.cpp - The C interface of training on several ranks -----------------------------------------------===//

#include "Ranks.h"
#include "txrt/txrt_train.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <numeric>

using namespace txrt;

namespace {

class TrainRanks : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/tx-ranks-XXXXXX";
    folder = ::mkdtemp(&pattern[0]);
    artifact = folder + "/step.txa";
    const std::string command = std::string(TX_TOOLS_DIR) +
                                "/tx-compile --num-layers 1 --hidden-size 32 --num-attention-heads 2 --seq-length 16 "
                                "--max-position-embeddings 16 --micro-batch-size 2 --vocab-size 64 "
                                "--data-parallel-size 2 -o " +
                                artifact + " > /dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string folder, artifact;
};

std::string read(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_F(TrainRanks, StepTogether) {
  std::vector<int32_t> tokens(4 * 16), targets(4 * 16);
  std::iota(tokens.begin(), tokens.end(), 0);
  std::iota(targets.begin(), targets.end(), 0);
  double losses[2][4] = {};
  const std::vector<std::string> errors = runRanks(2, [&](txrt_world &world) {
    const int rank = txrt_world_rank(&world);
    txrt_error error;
    txrt_train_options options = {};
    options.session.threads = 1;
    options.session.world = &world;
    txrt_train *made = nullptr;
    check(txrt_train_open(artifact.c_str(), &options, &made, &error), error);
    const std::unique_ptr<txrt_train, void (*)(txrt_train *)> train(made, txrt_train_close);
    txrt_train_info info;
    check(txrt_train_describe(made, &info, &error), error);
    EXPECT_EQ(info.global_batch, 4u);
    check(txrt_train_initialize(made, 1, &error), error);
    for (int i = 0; i < 2; ++i) {
      txrt_step_result result = {};
      check(txrt_train_step_batch(made, tokens.data(), targets.data(), 4, 1e-2, &result, &error), error);
      EXPECT_EQ(result.valid_count, 64u);
      losses[rank][i] = result.loss;
    }
    check(txrt_train_save(made, (folder + "/w.safetensors").c_str(), 0, &error), error);
    for (int i = 2; i < 4; ++i) {
      txrt_step_result result = {};
      check(txrt_train_step_batch(made, tokens.data(), targets.data(), 4, 1e-2, &result, &error), error);
      losses[rank][i] = result.loss;
    }
    // Goes on from the file as it went on without it.
    check(txrt_train_load(made, (folder + "/w.safetensors").c_str(), 0, &error), error);
    for (int i = 2; i < 4; ++i) {
      txrt_step_result result = {};
      check(txrt_train_step_batch(made, tokens.data(), targets.data(), 4, 1e-2, &result, &error), error);
      EXPECT_EQ(losses[rank][i], result.loss);
    }
    // What fails on one rank fails on all, in the same words.
    const std::string path = rank == 1 ? folder + "/none" : folder + "/w.safetensors";
    EXPECT_EQ(txrt_train_load(made, path.c_str(), 0, &error), TXRT_IO);
    EXPECT_NE(std::string(error.message).find("/none: cannot be opened"), std::string::npos) << error.message;
    if (rank == 0)
      EXPECT_NE(std::string(error.message).find("rank 1 of 2: "), std::string::npos) << error.message;
    // Other seeds are found.
    EXPECT_EQ(txrt_train_initialize(made, uint64_t(rank), &error), TXRT_BAD_INPUT);
    EXPECT_NE(std::string(error.message).find("rank 1 differs from rank 0 in the seed: 1 and 0"), std::string::npos)
        << error.message;
  });
  for (const std::string &error : errors)
    EXPECT_EQ(error, "");
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(losses[0][i], losses[1][i]);
  EXPECT_LT(losses[0][3], losses[0][0]);
  EXPECT_FALSE(read(folder + "/w.safetensors").empty());
}

TEST_F(TrainRanks, NeedAsManyAsWereCompiledFor) {
  txrt_error error;
  txrt_train *train = nullptr;
  EXPECT_EQ(txrt_train_open(artifact.c_str(), nullptr, &train, &error), TXRT_BAD_INPUT);
  EXPECT_NE(std::string(error.message).find("its world size is 2"), std::string::npos) << error.message;
}

} // namespace
