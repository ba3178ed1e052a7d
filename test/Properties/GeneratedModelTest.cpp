//===- GeneratedModelTest.cpp - Random models in tx ops on the host -----------------------------------------------===//
//
// What no frontend builds compiles, and runs with the losses and gradients of the reference interpreter; whatever is
// recomputed, with the same bits, in the planned memory. TX_GENERATED_MODELS sets the number of models; a failure
// prints the model.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "ReferenceModel.h"

#include "gtest/gtest.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdlib>

using namespace txtest;

namespace {

/// Another one for the next seed.
Flags policyOf(const tx::GeneratedModel &model, uint64_t seed) {
  std::vector<Flags> policies = {
      {"--recompute-granularity", "full", "--recompute-method", "uniform", "--recompute-num-layers", "1"},
      {"--recompute-granularity", "full", "--recompute-method", "block", "--recompute-num-layers", "1"},
  };
  if (!model.modules.empty()) {
    Flags selective = {"--recompute-granularity", "selective", "--recompute-modules"};
    selective.insert(selective.end(), model.modules.begin(), model.modules.end());
    policies.push_back(selective);
  }
  return policies[seed % policies.size()];
}

class GeneratedModels : public testing::Test {
protected:
  void SetUp() override { ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("tx-generated", "mlir", path)); }
  void TearDown() override { llvm::sys::fs::remove(path); }

  Step compile(Flags policy) {
    policy.insert(policy.begin(), path.str().str());
    return compileStep(policy);
  }

  llvm::SmallString<64> path;
};

TEST_F(GeneratedModels, AgreeWithTheReferenceUnderEveryPolicy) {
  const char *text = std::getenv("TX_GENERATED_MODELS");
  uint64_t count = text ? std::strtoull(text, nullptr, 10) : 12;
  ASSERT_GT(count, 0u) << "TX_GENERATED_MODELS is no number";
  size_t recomputed = 0;
  for (uint64_t seed = 0; seed < count && !HasFailure(); ++seed) {
    tx::GeneratedModel model = tx::generateModel(seed, /*isForStep=*/true);
    SCOPED_TRACE("model " + std::to_string(seed) + "\n" + model.text);
    std::error_code error;
    llvm::raw_fd_ostream(path, error) << model.text;
    ASSERT_FALSE(error) << error.message();
    Step none = compile({"--recompute-granularity", "none"});
    ASSERT_EQ(none.error, "");
    RunOptions run{seed + 1};
    RunResult expected = runStep(none, run);
    ASSERT_EQ(expected.error, "");
    EXPECT_EQ(ReferenceModel(model).firstDifference(expected), "") << "is not what the reference computes";
    run.threads = 2;
    Flags policy = policyOf(model, seed);
    SCOPED_TRACE(joinFlags(policy));
    Step step = compile(policy);
    ASSERT_EQ(step.error, "");
    RunResult actual = runStep(step, run);
    ASSERT_EQ(actual.error, "");
    EXPECT_EQ(firstDifference(expected, actual), "") << "has other bits than under policy none";
    EXPECT_EQ(actual.arenaBytes, static_cast<uint64_t>(step.number("peak_bytes"))) << "planned is not allocated";
    recomputed += step.recomputedOps();
  }
  EXPECT_GT(recomputed, count / 2) << "the policies do nothing";
}

} // namespace
