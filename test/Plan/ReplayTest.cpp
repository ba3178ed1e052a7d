//===- ReplayTest.cpp - Recomputations as data --------------------------------------------------------------------===//
//
// An entry with clones is an entry: its numbers name what they should. Held on entries by hand, and on random ones.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Entries.h"
#include "RandomEntries.h"

#include "tx/Remat/Plan.h"

#include "gtest/gtest.h"

using namespace tx;
using namespace tx::plan;

namespace {

constexpr Choice K = Choice::Keep, R = Choice::Recompute;

Entry replay(const Entry &entry, const Choices &choices) {
  return applyRecomputations(entry, choices, placeRecomputations(entry, choices));
}

/// The ops in order: `norm gelu | *norm d_gelu`, where a star marks a recomputation, and after the bar is backward.
std::string list(const Entry &entry) {
  std::string text;
  bool inBackward = false;
  for (const Op &op : entry.ops) {
    if (!op.isForward() && !inBackward)
      text += "| ";
    inBackward |= !op.isForward();
    text += (op.segment == Segment::Recompute ? "*" : "") + op.name + " ";
  }
  return text;
}

const Op &findOp(const Entry &entry, const std::string &name, Segment segment) {
  for (const Op &op : entry.ops)
    if (op.name == name && op.segment == segment)
      return op;
  ADD_FAILURE() << name;
  return entry.ops.front();
}

/// What holds for each entry: ops and values name each other, and a value is there before it is used.
void checkNumbers(const Entry &entry) {
  std::vector<bool> known(entry.values.size());
  for (int value = 0, e = entry.values.size(); value < e; ++value) {
    known[value] = entry.values[value].producer < 0;
    int storage = entry.values[value].storage;
    ASSERT_TRUE(storage >= 0 && storage < e);
    ASSERT_EQ(entry.values[storage].storage, storage) << "a view shows a whole";
  }
  for (int number = 0, e = entry.ops.size(); number < e; ++number) {
    const Op &op = entry.ops[number];
    for (const Operand &operand : op.operands)
      ASSERT_TRUE(known[operand.value]) << op.name;
    for (int result : op.results) {
      ASSERT_EQ(entry.values[result].producer, number);
      known[result] = true;
    }
    if (op.replay == ReplayKind::Keyed) {
      ASSERT_TRUE(op.reads(op.replayKey));
    }
    if (op.product) {
      ASSERT_TRUE(op.reads(op.product->a) && op.reads(op.product->b));
      ASSERT_EQ(op.product->c, op.results[0]);
    }
    if (op.view) {
      ASSERT_TRUE(op.reads(op.view->whole));
    }
    if (op.segment != Segment::Recompute)
      continue;
    ASSERT_LT(op.origin, number);
    const Op &original = entry.ops[op.origin];
    ASSERT_TRUE(original.isForward());
    ASSERT_EQ(std::pair(original.name, original.kind), std::pair(op.name, op.kind));
    ASSERT_EQ(original.results.size(), op.results.size());
  }
}

/// x → norm (result, statistics) → qkv → q, k (views) → gelu; backward reads all of them.
struct ByHand : testing::Test {
  ByHand() {
    x = writer.addArgument(), w = writer.addArgument(), dy = writer.addArgument();
    writer.layer = 0;
    norm = writer.addOp("norm", Work::Row, {x}, /*results=*/2);
    qkv = writer.addProduct("qkv", norm, w);
    q = writer.addView("q", qkv), k = writer.addView("k", qkv);
    y = writer.addRow("gelu", {q, k});
    for (Op &op : writer.entry.ops)
      op.replay = ReplayKind::Exact;
    writer.segment = Segment::Backward;
    int dq = writer.addRow("d_gelu", {dy, q, k});
    writer.addResult(writer.addProduct("d_qkv", norm, dq));
    writer.addResult(writer.addRow("d_norm", {dq, x, norm + 1}));
    choices.assign(writer.entry.values.size(), K);
  }

  EntryWriter writer;
  int x, w, dy, norm, qkv, q, k, y;
  Choices choices;
};

} // namespace

TEST_F(ByHand, NothingIsRecomputed) {
  Entry same = replay(writer.entry, choices);
  EXPECT_EQ(list(same), "norm qkv q k gelu | d_gelu d_qkv d_norm ");
  checkNumbers(same);
}

TEST_F(ByHand, ACloneStandsBeforeItsFirstUse) {
  choices[norm] = choices[norm + 1] = R;
  Entry entry = replay(writer.entry, choices);
  EXPECT_EQ(list(entry), "norm qkv q k gelu | d_gelu *norm d_qkv d_norm ");
  checkNumbers(entry);
  const Op &clone = findOp(entry, "norm", Segment::Recompute);
  EXPECT_EQ(findOp(entry, "d_qkv", Segment::Backward).operands[0].value, clone.results[0]);
  EXPECT_EQ(findOp(entry, "d_norm", Segment::Backward).operands[2].value, clone.results[1]);
}

TEST_F(ByHand, AResultThatIsKeptKeepsItsUses) {
  choices[norm] = R; // not its statistics
  Entry entry = replay(writer.entry, choices);
  checkNumbers(entry);
  const Op &clone = findOp(entry, "norm", Segment::Recompute), &original = findOp(entry, "norm", Segment::Forward);
  EXPECT_EQ(findOp(entry, "d_qkv", Segment::Backward).operands[0].value, clone.results[0]);
  EXPECT_EQ(findOp(entry, "d_norm", Segment::Backward).operands[2].value, original.results[1]);
}

TEST_F(ByHand, ViewsShowTheMemoryOfTheClone) {
  choices[norm] = choices[qkv] = choices[q] = choices[k] = R;
  Entry entry = replay(writer.entry, choices);
  EXPECT_EQ(list(entry), "norm qkv q k gelu | *norm *qkv *q *k d_gelu d_qkv d_norm ");
  checkNumbers(entry);
  const Op &clone = findOp(entry, "qkv", Segment::Recompute);
  for (const char *name : {"q", "k"})
    EXPECT_EQ(entry.values[findOp(entry, name, Segment::Recompute).results[0]].storage, clone.results[0]);
  EXPECT_EQ(clone.operands[0].value, findOp(entry, "norm", Segment::Recompute).results[0]);
  EXPECT_EQ(findOp(entry, "gelu", Segment::Forward).operands[0].value, findOp(entry, "q", Segment::Forward).results[0]);
}

TEST_F(ByHand, WhatNobodyUsesInBackwardIsNotCloned) {
  choices[y] = R;
  EXPECT_EQ(placeRecomputations(writer.entry, choices).size(), 0u);
}

TEST(Replay, OfRandomEntriesUnderRandomChoices) {
  constexpr int kEntries = 300, kChoices = 10;
  int64_t clones = 0, mixed = 0;
  for (int seed = 0; seed < kEntries; ++seed) {
    test::Random random(seed);
    RandomStep drawn = drawStep(random);
    const Entry &entry = drawn.step.entries[0];
    for (int i = 0; i < kChoices; ++i) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", choice " + std::to_string(i));
      RematPlan plan(entry);
      plan.addLine("random");
      for (int value : drawn.free)
        if (random.percent(50))
          choose(entry, plan.choices, value, R);
      for (int value = 0, e = entry.values.size(); value < e; ++value)
        plan.reasons[value] = plan.isRecomputed(value) ? 0 : -1;
      plan.recomputations = plan::placeRecomputations(entry, plan.choices);
      ASSERT_EQ(verifyPlan(entry, plan), std::nullopt);
      Entry replayed = applyRecomputations(entry, plan.choices, plan.recomputations);
      checkNumbers(replayed);
      ASSERT_EQ(replayed.ops.size(), entry.ops.size() + plan.recomputations.size());
      // The clones are those of the list, in its order, each right before its op.
      size_t next = 0;
      int original = 0;
      for (const Op &op : replayed.ops) {
        if (op.segment != Segment::Recompute) {
          ASSERT_EQ(op.name, entry.ops[original++].name);
          continue;
        }
        ASSERT_EQ(op.name, entry.ops[plan.recomputations[next].op].name);
        ASSERT_EQ(plan.recomputations[next++].before, original);
        for (size_t result = 1; result < op.results.size(); ++result)
          mixed += plan.isRecomputed(entry.ops[plan.recomputations[next - 1].op].results[0]) !=
                   plan.isRecomputed(entry.ops[plan.recomputations[next - 1].op].results[result]);
      }
      clones += next;
    }
  }
  EXPECT_GT(clones, kEntries);
  EXPECT_GT(mixed, 0) << "no clone had a result that was kept";
}
