//===- VerifyPlanTest.cpp - Faults in plans are found -------------------------------------------------------------===//
//
// Each mutant takes the correct plan of a GPT under full recomputation, or of a random entry, and spoils one thing.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Entries.h"

#include "llvm/ADT/STLExtras.h"

#include <gtest/gtest.h>

using namespace tx;

namespace {
struct Step {
  plan::Entry entry = makeGpt(2);
  RematPlan plan = RematPlan(entry);

  Step() {
    RematPolicyOptions options;
    options.granularity = "full", options.method = "uniform", options.numLayers = "1";
    plan = planRemat(entry, parseOk(options, entry));
  }
  std::string verify() const { return verifyPlan(entry, plan).value_or("fine"); }
  int findOp(llvm::StringRef name, ReplayKind replay = ReplayKind::Exact) const {
    for (int op = 0, e = entry.ops.size(); op < e; ++op)
      if (entry.ops[op].name == name && entry.ops[op].replay == replay)
        return op;
    return -1;
  }
  /// The place of an op's recomputation in the list.
  int findRecomputation(int op) const {
    return llvm::find_if(plan.recomputations, [&](const plan::Recomputation &r) { return r.op == op; }) -
           plan.recomputations.begin();
  }
};

bool contains(llvm::StringRef text, llvm::StringRef part) { return text.contains(part); }
#define EXPECT_FAULT(step, part) EXPECT_PRED2(contains, (step).verify(), part)
} // namespace

TEST(VerifyPlan, AcceptsTheRightPlan) { EXPECT_EQ(Step().verify(), "fine"); }

TEST(VerifyPlan, FindsAPlanOfAnotherProblem) {
  Step step;
  step.plan.choices.pop_back();
  EXPECT_FAULT(step, "decides about");
}

TEST(VerifyPlan, FindsARecomputedInput) {
  Step step;
  step.plan.recompute(0, 0);
  EXPECT_FAULT(step, "no forward op computes it");
}

TEST(VerifyPlan, FindsARecomputedGradient) {
  Step step;
  step.plan.recompute(step.plan.choices.size() - 1, 0);
  EXPECT_FAULT(step, "no forward op computes it");
}

TEST(VerifyPlan, FindsAChoiceWithoutALine) {
  Step step;
  step.plan.reasons[step.entry.ops[step.findOp("layers.0.mlp.fc1")].results[0]] = 99;
  EXPECT_FAULT(step, "no line of the policy");
}

TEST(VerifyPlan, FindsAViewThatOutlivesTheWhole) {
  Step step;
  for (int value = 0, e = step.entry.values.size(); value < e; ++value)
    if (step.entry.isView(value))
      step.plan.keep(value);
  EXPECT_FAULT(step, "only one of them is kept");
}

TEST(VerifyPlan, FindsAMissingRecomputation) {
  Step step;
  int at = step.findRecomputation(step.findOp("layers.1.mlp.fc1"));
  step.plan.recomputations.erase(step.plan.recomputations.begin() + at);
  EXPECT_FAULT(step, "neither kept nor recomputed");
}

TEST(VerifyPlan, FindsASecondRecomputation) {
  Step step;
  step.plan.recomputations.push_back(step.plan.recomputations.back());
  EXPECT_FAULT(step, "twice");
}

TEST(VerifyPlan, FindsALateRecomputation) {
  Step step;
  int act = step.findOp("layers.0.mlp.mlp_act");
  step.plan.recomputations.erase(step.plan.recomputations.begin() + step.findRecomputation(act));
  step.plan.recomputations.push_back({act, static_cast<int>(step.entry.ops.size()) - 1});
  EXPECT_FAULT(step, "uses 'layers.0.mlp.mlp_act', which is neither kept nor recomputed by then");
}

TEST(VerifyPlan, FindsAnEarlyRecomputation) {
  Step step;
  step.plan.recomputations[0].before -= 1;
  EXPECT_FAULT(step, "away from its first use");
}

TEST(VerifyPlan, FindsARecomputationInForward) {
  Step step;
  step.plan.recomputations[0].before = 3;
  EXPECT_FAULT(step, "not of backward");
}

TEST(VerifyPlan, FindsWrongOrder) {
  Step step;
  std::swap(step.plan.recomputations[0], step.plan.recomputations[1]);
  EXPECT_FAULT(step, "neither kept nor recomputed");
}

TEST(VerifyPlan, FindsPlacesOutOfOrder) {
  Step step;
  std::swap(step.plan.recomputations.front(), step.plan.recomputations.back());
  EXPECT_NE(step.verify(), "fine");
}

TEST(VerifyPlan, FindsANumberOutOfRange) {
  for (int op : {-1, 1 << 20}) {
    Step step;
    step.plan.recomputations[0].op = op;
    EXPECT_FAULT(step, "names no forward op");
    Step other;
    other.plan.recomputations[0].before = op;
    EXPECT_FAULT(other, "not of backward");
  }
}

TEST(VerifyPlan, FindsADeadRecomputation) {
  Step step; // fc2's output is needed by nobody: demand never clones it
  int fc2 = step.findOp("layers.1.mlp.fc2");
  EXPECT_EQ(step.findRecomputation(fc2), static_cast<int>(step.plan.recomputations.size()));
  int act = step.findRecomputation(step.findOp("layers.1.mlp.mlp_act"));
  int before = step.plan.recomputations[act].before;
  step.plan.recomputations.insert(step.plan.recomputations.begin() + act + 1, {fc2, before});
  EXPECT_FAULT(step, "for no use");
}

// Diagnostic 18.
TEST(VerifyPlan, FindsAnOpThatMustHappenOnce) {
  Step step;
  step.entry.ops[step.findOp("layers.0.mlp.fc1")].replay = ReplayKind::Never;
  EXPECT_FAULT(step, "layers.0.mlp.fc1 cannot be recomputed: it has an effect or must happen once");
}

// Diagnostic 18.
TEST(VerifyPlan, FindsARandomOpWithoutItsKey) {
  for (int key : {-1, 5}) {
    Step step;
    step.entry.ops[step.findOp("layers.0.self_attention.core_attn", ReplayKind::Keyed)].replayKey = key;
    EXPECT_FAULT(step, "no operand holds its key");
  }
}

// On random problems: a mutant is found, or it is a correct plan too, which the machine of Entries.h says and findings
// of places do not.
TEST(VerifyPlan, FindsRandomFaults) {
  int caught = 0, harmless = 0;
  for (int seed = 0; seed < 3000; ++seed) {
    std::mt19937_64 random(seed);
    plan::Entry entry = makeRandomEntry(random);
    RematPlan plan = planRemat(entry, parseOk(makeRandomOptions(random, entry), entry));
    if (plan.recomputations.empty())
      continue;
    size_t at = random() % plan.recomputations.size();
    auto chosen = plan.recomputations.begin() + at;
    switch (random() % 5) {
    case 0:
      plan.recomputations.erase(chosen);
      break;
    case 1:
      chosen->before = std::min<int>(chosen->before + 1, entry.ops.size() - 1);
      break;
    case 2:
      chosen->before -= 1;
      break;
    case 3:
      std::swap(*chosen, plan.recomputations[random() % plan.recomputations.size()]);
      break;
    case 4: { // a value that is no longer kept, with nothing to recompute it
      int value = random() % plan.choices.size();
      if (plan.isRecomputed(value))
        plan.keep(value);
      else
        plan.recompute(value, 0);
      break;
    }
    }
    std::optional<std::string> fault = verifyPlan(entry, plan);
    if (fault) {
      ++caught;
    } else {
      ++harmless;
      ASSERT_EQ(compareWithoutPlan(entry, plan), "") << "seed " << seed;
    }
  }
  EXPECT_GT(caught, 1000);
  EXPECT_LT(harmless, caught / 2); // a swap with itself, a value that nobody uses
}
