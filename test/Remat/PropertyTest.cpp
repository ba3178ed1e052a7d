//===- PropertyTest.cpp - Every policy on every entry -----------------------------------------------------------===//

#include "Entries.h"

#include <gtest/gtest.h>

#include <set>

using namespace tx;

namespace {
constexpr int kPairs = 4000;

std::string describe(const RematPolicyOptions &options) {
  std::string text;
  for (const RematFlag &flag : getRematFlags())
    if (options.*flag.field)
      text += flag.name + " " + *(options.*flag.field) + " ";
  return text;
}

/// The ops whose recomputation the choices make necessary, found as a fixpoint:
/// another way than the one of placement.
std::set<int> findNeeded(const plan::Entry &entry, const RematPlan &plan) {
  std::set<int> needed;
  for (bool changed = true; changed;) {
    changed = false;
    for (int op = 0, e = entry.ops.size(); op < e; ++op) {
      if (entry.ops[op].isForward() && !needed.count(op))
        continue;
      for (auto [operand, isRead, mayBeReplaced, isOtherRows] : entry.ops[op].operands)
        if (plan.isRecomputed(operand))
          changed |= needed.insert(entry.values[operand].producer).second;
    }
  }
  return needed;
}
} // namespace

TEST(RematProperty, EveryPlanVerifiesAndComputesTheSame) {
  int64_t recomputed = 0, freed = 0;
  for (int seed = 0; seed < kPairs; ++seed) {
    std::mt19937_64 random(seed);
    plan::Entry entry = makeRandomEntry(random);
    RematPolicyOptions options = makeRandomOptions(random, entry);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + describe(options));
    RematPlan plan = planRemat(entry, parseOk(options, entry));

    std::optional<std::string> fault = verifyPlan(entry, plan);
    ASSERT_FALSE(fault.has_value()) << *fault;
    ASSERT_EQ(compareWithoutPlan(entry, plan), "");
    recomputed += !plan.recomputations.empty();
    freed += getSavedBytes(entry, plan) < getSavedBytes(entry, RematPlan(entry));
  }
  // A test of plans that do nothing tests nothing.
  EXPECT_GT(recomputed, kPairs / 3);
  EXPECT_GT(freed, kPairs / 4);
}

TEST(RematProperty, RecomputesWhatIsNeededAndNoMore) {
  for (int seed = 0; seed < kPairs; ++seed) {
    std::mt19937_64 random(seed);
    plan::Entry entry = makeRandomEntry(random);
    RematPolicyOptions options = makeRandomOptions(random, entry);
    RematPlan plan = planRemat(entry, parseOk(options, entry));
    std::set<int> found;
    for (const plan::Recomputation &recomputation : plan.recomputations)
      ASSERT_TRUE(found.insert(recomputation.op).second) << "seed " << seed;
    ASSERT_EQ(found, findNeeded(entry, plan)) << "seed " << seed << ": " << describe(options);
  }
}

TEST(RematProperty, ExactlyOnePolicyKindIsChosen) {
  std::set<std::string> seen;
  for (int seed = 0; seed < 500; ++seed) {
    std::mt19937_64 random(seed);
    plan::Entry entry = makeRandomEntry(random);
    seen.insert(getRematPolicyKind(parseOk(makeRandomOptions(random, entry), entry)).name);
  }
  RematPolicy found, given; // what no random flags ask for
  found.granularity = RecomputeGranularity::Auto;
  given.plan.emplace();
  for (const RematPolicy &policy : {found, given})
    seen.insert(getRematPolicyKind(policy).name);
  EXPECT_EQ(seen.size(), getRematPolicyKinds().size());
}
