//===- PolicyPropertyTest.cpp - No policy changes a bit -----------------------------------------------------------===//
//
// Random models, random policies, at this machine's level and those below in turns. For each pair:
// every loss, gradient, parameter and moment of two iterations of two
// microbatches, of a fused step and of an evaluation has the bits of policy
// none; what the report lists is recomputed in backward, launch by launch, and
// the bytes that it lists pass the border; the arena is what was planned and
// smaller than that of none; what lies between globals stays zero; no step
// allocates (but see below).
// TX_PROPERTY_PAIRS=5000 runs more; TX_PROPERTY_SEED=n repeats or varies.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Harness.h"

#include "tx/Target/HostKernels.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace txtest;

namespace {

int environmentNumber(const char *name, int fallback) {
  const char *text = getenv(name);
  return text ? atoi(text) : fallback;
}

constexpr int kPoliciesPerModel = 4;

/// Models of one kind; the four kinds together are half with dropout and half with sizes that no vector divides.
class PolicyProperty : public testing::TestWithParam<std::tuple<bool, bool>> {};

void checkPair(const RandomModel &model, const Flags &policy, const Step &none, const RunResult &expected,
               const RunOptions &run) {
  Flags flags = model.flags;
  flags.insert(flags.end(), policy.begin(), policy.end());
  SCOPED_TRACE("tx-compile " + joinFlags(flags));
  Step step = compileStep(flags);
  ASSERT_EQ(step.error, "");
  RunResult actual = runStep(step, run);
  ASSERT_EQ(actual.error, "");
  EXPECT_EQ(firstDifference(expected, actual), "") << "has other bits than under policy none";
  EXPECT_GT(step.recomputedOps(), 0u);
  EXPECT_EQ(findLaunchFault(step, none), "");
  EXPECT_EQ(findSavedFault(step), "");
  EXPECT_EQ(actual.strayBytes, 0) << "something was written between the globals";
  EXPECT_EQ(actual.arenaBytes, static_cast<uint64_t>(step.number("peak_bytes"))) << "planned is not allocated";
  // For sizes that 16 does not divide, OpenBLAS's AVX-512 kernel for small matrices takes a row's worth of scratch from
  // malloc; nothing of ours does.
  if (!model.odd || !__builtin_cpu_supports("avx512f"))
    EXPECT_EQ(actual.allocations, TX_NO_ALLOCATIONS);
  EXPECT_LT(step.number("saved_activation_bytes"), none.number("saved_activation_bytes"));
  EXPECT_LT(step.number("peak_bytes"), none.number("peak_bytes")) << "the arena is not smaller";
}

TEST_P(PolicyProperty, ChangesNoBit) {
  auto [dropout, odd] = GetParam();
  int pairs = environmentNumber("TX_PROPERTY_PAIRS", 208) / 4;
  int seed = environmentNumber("TX_PROPERTY_SEED", 1);
  std::mt19937 random(seed * 4 + dropout * 2 + odd);
  const std::vector<std::string> levels = tx::hostLevels();
  int checked = 0;
  while (checked < pairs && !HasFatalFailure()) {
    RandomModel model = randomModel(random, dropout, odd);
    model.flags.insert(model.flags.end(), {"--target-cpu", levels[checked / kPoliciesPerModel % levels.size()]});
    RunOptions run{random(), 1 + static_cast<int>(random() % 3)};
    Flags noneFlags = model.flags;
    noneFlags.insert(noneFlags.end(), {"--recompute-granularity", "none"});
    SCOPED_TRACE("tx-compile " + joinFlags(noneFlags));
    Step none = compileStep(noneFlags);
    ASSERT_EQ(none.error, "");
    RunResult expected = runStep(none, run);
    ASSERT_EQ(expected.error, "");
    EXPECT_EQ(none.recomputedOps(), 0u);
    EXPECT_EQ(findLaunchFault(none, none), "");
    EXPECT_EQ(findSavedFault(none), "");
    ASSERT_TRUE(std::isfinite(expected.scalar("2.1.loss_sum")));
    if (dropout) { // a test that cannot fail shows nothing
      RunOptions otherKey = run;
      ++otherKey.keySeed;
      EXPECT_NE(firstDifference(expected, runStep(none, otherKey)), "") << "the dropout key has no effect";
    }
    run.threads = 1 + static_cast<int>(random() % 3);
    for (int i = 0; i < kPoliciesPerModel && checked < pairs; ++i, ++checked)
      checkPair(model, randomPolicy(random, model), none, expected, run);
  }
  if (!HasFailure())
    printf("check: %d pairs: same bits; recomputed and saved as reported; smaller arenas\n", checked);
}

/// A check that cannot fail shows nothing: without eps, the update of zeros is 0 / 0. Only what the update writes is
/// touched by that, so the norm of gradients has no NaN.
TEST(StateGaps, AreSeenWhenWritten) {
  Flags flags = {"--num-layers", "1",  "--hidden-size",       "12", "--num-attention-heads", "2", "--seq-length", "5",
                 "--vocab-size", "19", "--attention-dropout", "0",  "--hidden-dropout",      "0"};
  RunResult written = runStep(compileStep(flags));
  ASSERT_EQ(written.error, "");
  EXPECT_EQ(written.strayBytes, 0);
  flags.insert(flags.end(), {"--adam-eps", "1e-300"}); // zero in f32
  written = runStep(compileStep(flags));
  ASSERT_EQ(written.error, "");
  EXPECT_GT(written.strayBytes, 0);
  EXPECT_TRUE(std::isfinite(written.scalar("1.grad_norm")));
}

INSTANTIATE_TEST_SUITE_P(Random, PolicyProperty, testing::Combine(testing::Bool(), testing::Bool()),
                         [](const auto &info) {
                           return std::string(std::get<0>(info.param) ? "Dropout" : "NoDropout") +
                                  (std::get<1>(info.param) ? "OddSizes" : "EvenSizes");
                         });

} // namespace
