//===- PolicyPropertyTest.cpp - No policy changes a bit -------------------===//
//
// Random models, random policies (DESIGN's invariants 1 and 4). For each pair:
// every loss, gradient, parameter and moment of two iterations of two
// microbatches has the bits of policy none; something was recomputed; the arena
// is what was planned; no even size allocates in a step. TX_PROPERTY_PAIRS=5000 runs more;
// TX_PROPERTY_SEED=n repeats or varies.
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

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

/// Models of one kind; the four kinds together are half with dropout and half
/// with sizes that no vector divides.
class PolicyProperty : public testing::TestWithParam<std::tuple<bool, bool>> {};

struct Tally {
  int pairs = 0, smallerArena = 0, smallerSaved = 0;
};

void checkPair(const RandomModel &model, const Flags &policy, const Step &none, const RunResult &expected,
               const RunOptions &run, Tally &tally) {
  Flags flags = model.flags;
  flags.insert(flags.end(), policy.begin(), policy.end());
  SCOPED_TRACE("tx-compile " + joinFlags(flags));
  Step step = compileStep(flags);
  ASSERT_EQ(step.error, "");
  RunResult actual = runStep(step, run);
  ASSERT_EQ(actual.error, "");
  EXPECT_EQ(firstDifference(expected, actual), "") << "has other bits than under policy none";
  EXPECT_GT(step.recomputedOps(), 0u);
  EXPECT_EQ(actual.arenaBytes, static_cast<uint64_t>(step.number("peak_bytes"))) << "planned is not allocated";
  // For sizes that 16 does not divide, OpenBLAS's small-matrix kernel takes a
  // row's worth of scratch from malloc; nothing of ours does.
  if (!model.odd)
    EXPECT_EQ(actual.allocations, 0);
  ++tally.pairs;
  tally.smallerArena += step.number("peak_bytes") < none.number("peak_bytes");
  tally.smallerSaved += step.number("saved_activation_bytes") < none.number("saved_activation_bytes");
}

TEST_P(PolicyProperty, ChangesNoBit) {
  auto [dropout, odd] = GetParam();
  int pairs = environmentNumber("TX_PROPERTY_PAIRS", 208) / 4;
  int seed = environmentNumber("TX_PROPERTY_SEED", 1);
  std::mt19937 random(seed * 4 + dropout * 2 + odd);
  Tally tally;
  while (tally.pairs < pairs && !HasFatalFailure()) {
    RandomModel model = randomModel(random, dropout, odd);
    RunOptions run{random(), 1 + static_cast<int>(random() % 3)};
    Flags noneFlags = model.flags;
    noneFlags.insert(noneFlags.end(), {"--recompute-granularity", "none"});
    SCOPED_TRACE("tx-compile " + joinFlags(noneFlags));
    Step none = compileStep(noneFlags);
    ASSERT_EQ(none.error, "");
    RunResult expected = runStep(none, run);
    ASSERT_EQ(expected.error, "");
    EXPECT_EQ(none.recomputedOps(), 0u);
    ASSERT_TRUE(std::isfinite(expected.scalar("2.1.loss_sum")));
    if (dropout) { // a test that cannot fail shows nothing
      RunOptions otherKey = run;
      ++otherKey.keySeed;
      EXPECT_NE(firstDifference(expected, runStep(none, otherKey)), "") << "the dropout key has no effect";
    }
    run.threads = 1 + static_cast<int>(random() % 3);
    for (int i = 0; i < kPoliciesPerModel && tally.pairs < pairs; ++i)
      checkPair(model, randomPolicy(random, model), none, expected, run, tally);
  }
  printf("%d pairs: saved bytes fell in %d, the arena shrank in %d\n", tally.pairs, tally.smallerSaved,
         tally.smallerArena);
  EXPECT_EQ(tally.smallerSaved, tally.pairs);
  // What is left are tiny models whose peak is not at the border.
  EXPECT_GE(tally.smallerArena * 10, tally.pairs * 9);
}

INSTANTIATE_TEST_SUITE_P(Random, PolicyProperty, testing::Combine(testing::Bool(), testing::Bool()),
                         [](const auto &info) {
                           return std::string(std::get<0>(info.param) ? "Dropout" : "NoDropout") +
                                  (std::get<1>(info.param) ? "OddSizes" : "EvenSizes");
                         });

} // namespace
