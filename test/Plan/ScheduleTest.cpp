//===- ScheduleTest.cpp - What becomes one kernel, and where it stands --------------------------------------------===//

#include "Entries.h"

#include "txrt/abi.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

using namespace tx;
using namespace tx::plan;

using Numbers = std::vector<int>;

static std::string schedule(const EntryWriter &writer, unsigned maxBuffers = kMaxKernelBuffers) {
  return print(writer.entry, makeSchedule(writer.entry, maxBuffers));
}

// What feeds each other is one kernel; what only it needs never reaches memory.
TEST(Schedule, JoinsAChain) {
  EntryWriter writer;
  int x = writer.addArgument(), r = writer.addArgument();
  int dropped = writer.addRow("dropout", {x});
  int sum = writer.addRow("add", {dropped, r});
  int normed = writer.addOp("norm", Work::Row, {sum}, /*results=*/3);
  writer.addResult(sum);
  writer.addResult(normed);
  Schedule made = makeSchedule(writer.entry);
  ASSERT_EQ(print(writer.entry, made), "dropout+add+norm");
  EXPECT_EQ(made.launches[0].inputs, (Numbers{x, r}));
  EXPECT_EQ(made.launches[0].outputs, (Numbers{sum, normed}));
  EXPECT_EQ(made.launches[0].work, Work::Row);
  EXPECT_EQ(made.launches[0].lane, Lane::Compute);
}

// A library writes each result, whoever reads it.
TEST(Schedule, GivesAllResultsOfALibrary) {
  EntryWriter writer;
  int output = writer.addOp("attention", Work::Tile, {writer.addArgument()}, /*results=*/2);
  writer.lastOp().givesAllResults = true;
  writer.addResult(output);
  EXPECT_EQ(makeSchedule(writer.entry).launches[0].outputs, (Numbers{output, output + 1}));
}

TEST(Schedule, GivesWhatIsStored) {
  EntryWriter writer;
  int x = writer.addArgument();
  int y = writer.addRow("cast", {x});
  writer.addResult(writer.addRow("add", {y, x}));
  writer.addStore(y, 0);
  EXPECT_EQ(makeSchedule(writer.entry).launches[0].outputs, (Numbers{1, 2}));
}

TEST(Schedule, NamesAKernelByItsMostWork) {
  EntryWriter writer;
  int x = writer.addArgument();
  for (int flops : {1, 5, 5, 2}) {
    x = writer.addRow("op", {x});
    writer.lastOp().vectorFlops = flops;
  }
  EXPECT_EQ(makeSchedule(writer.entry).launches[0].main, 1);
}

// A group stands where its first op stood: what is computed later cannot be read there.
TEST(Schedule, KeepsOutWhatNeedsALaterValue) {
  EntryWriter writer;
  int x = writer.addArgument(), w = writer.addArgument();
  int y = writer.addRow("gelu", {x});
  int z = writer.addProduct("linear", y, w);
  writer.addResult(writer.addRow("add", {y, z}));
  EXPECT_EQ(schedule(writer), "gelu; linear; add");
}

TEST(Schedule, KeepsSpacesApart) {
  EntryWriter writer;
  int x = writer.addRow("gelu", {writer.addArgument()});
  writer.columns = 7;
  writer.addResult(writer.addRow("embed", {x}));
  EXPECT_EQ(schedule(writer), "gelu; embed");
}

// A row of one column and a number for each row look alike.
TEST(Schedule, KeepsRowsOfOneColumnAlone) {
  EntryWriter writer;
  writer.columns = 1;
  int x = writer.addRow("loss", {writer.addArgument()});
  writer.addResult(writer.addRow("sum", {x}));
  EXPECT_EQ(schedule(writer), "loss; sum");
}

TEST(Schedule, KeepsPartsOfTheStepApart) {
  EntryWriter writer;
  int x = writer.addArgument();
  writer.addResult(writer.addRow("forward", {x}));
  writer.segment = Segment::Recompute;
  int replay = writer.addRow("replay", {x});
  writer.segment = Segment::Backward;
  int gradient = writer.addRow("gradient", {replay});
  writer.segment = Segment::Optimizer;
  writer.addResult(writer.addRow("update", {gradient}));
  EXPECT_EQ(schedule(writer), "forward; replay+gradient; update");
}

TEST(Schedule, ReadsOtherRowsFromMemory) {
  EntryWriter writer;
  int x = writer.addRow("gelu", {writer.addArgument()});
  writer.addResult(writer.addRow("select", {x}));
  writer.lastOp().operands[0].isOtherRows = true;
  EXPECT_EQ(schedule(writer), "gelu; select");
}

TEST(Schedule, LeavesLoopsOfTheirOwnAlone) {
  for (Work work : {Work::Flat, Work::Tile, Work::Product, Work::Collective, Work::View}) {
    EntryWriter writer;
    int x = writer.addRow("gelu", {writer.addArgument()});
    int y = writer.addOp("alone", work, {x});
    writer.addResult(writer.addRow("add", {y, x}));
    Schedule made = makeSchedule(writer.entry);
    EXPECT_EQ(print(writer.entry, made), "gelu; alone; add");
    EXPECT_EQ(made.launches[1].lane, work == Work::Collective ? Lane::Collectives : Lane::Compute);
    EXPECT_EQ(made.launches[1].outputs, Numbers{y});
  }
}

// Readers of an operand that asks for it are one kernel although they do not feed each other.
TEST(Schedule, JoinsReadersOfASharedOperand) {
  EntryWriter writer;
  int x = writer.addArgument(), table = writer.addArgument();
  for (const char *name : {"gradient", "sums"}) {
    writer.addResult(writer.addRow(name, {x, table}));
    writer.lastOp().sharedOperand = x;
  }
  EXPECT_EQ(schedule(writer), "gradient+sums");
  for (Op &op : writer.entry.ops)
    op.sharedOperand = -1;
  EXPECT_EQ(schedule(writer), "gradient; sums");
}

//===--------------------------------------------------------------------------------------------------------------===//
// Column reductions
//===--------------------------------------------------------------------------------------------------------------===//

TEST(Schedule, JoinsColumnReductionsOfOneGradient) {
  EntryWriter writer;
  int dy = writer.addArgument(), a = writer.addVector(), b = writer.addVector();
  int first = writer.addColumn("bias_grad", {dy, a});
  writer.addResult(writer.addColumn("norm_grad", {dy, b}));
  writer.addResult(writer.addColumn("next", {dy, first})); // continues the first accumulator
  EXPECT_EQ(schedule(writer), "bias_grad+norm_grad; next");
}

TEST(Schedule, KeepsReductionsOfDifferentGradientsApart) {
  EntryWriter writer;
  int a = writer.addVector();
  writer.addResult(writer.addColumn("one", {writer.addArgument(), a}));
  writer.addResult(writer.addColumn("other", {writer.addArgument(), a}));
  EXPECT_EQ(schedule(writer), "one; other");
}

TEST(Schedule, JoinsScattersWithTheSameRowsOnly) {
  EntryWriter writer;
  int dy = writer.addArgument(), ids = writer.addVector(), a = writer.addVector();
  auto add = [&](const char *name, int rowNumbers, int64_t rows) {
    writer.addResult(writer.addColumn(name, {dy, ids, a}));
    writer.lastOp().scatter = Scatter{rowNumbers, rows};
  };
  add("tokens", ids, 10);
  add("positions", -1, 10);
  add("tokens_too", ids, 10);
  add("more_tokens", ids, 11);
  EXPECT_EQ(schedule(writer), "tokens+tokens_too; positions; more_tokens");
}

//===--------------------------------------------------------------------------------------------------------------===//
// Limits
//===--------------------------------------------------------------------------------------------------------------===//

TEST(Schedule, KeepsToTheNumberOfBuffers) {
  EntryWriter writer;
  int x = writer.addArgument(), y = writer.addArgument(), z = writer.addArgument();
  int sum = writer.addRow("first", {x, y});
  writer.addResult(writer.addRow("second", {sum, z}));
  EXPECT_EQ(schedule(writer, 5), "first+second");
  EXPECT_EQ(schedule(writer, 4), "first; second");
}

TEST(Schedule, KeepsToTheNumberOfImmediates) {
  EntryWriter writer;
  int key = writer.addVector(), x = writer.addArgument();
  for (int i = 0; i <= TXRT_MAX_IMMEDIATES; ++i)
    x = writer.addDropout("drop", x, key);
  writer.addResult(x);
  Schedule made = makeSchedule(writer.entry);
  ASSERT_EQ(made.launches.size(), 2u);
  EXPECT_EQ(made.launches[0].ops.size(), size_t(TXRT_MAX_IMMEDIATES));
}

//===--------------------------------------------------------------------------------------------------------------===//
// The border: the loss's kernel computes its gradient too
//===--------------------------------------------------------------------------------------------------------------===//

static EntryWriter makeLoss(bool isScaleEarly) {
  EntryWriter writer;
  int logits = writer.addArgument(), scale = writer.addVector();
  int loss = writer.addRow("loss", {logits});
  writer.addResult(loss);
  writer.segment = Segment::Backward;
  std::swap(writer.rows, writer.columns);
  int scales = writer.addRow("scale", {isScaleEarly ? scale : loss});
  writer.lastOp().atBorder = true;
  std::swap(writer.rows, writer.columns);
  writer.addResult(writer.addRow("loss_grad", {scales, logits, loss}));
  writer.lastOp().atBorder = true;
  return writer;
}

// The scale's row, which needs arguments only, comes before the loss for it.
TEST(Schedule, JoinsLossAndItsGradient) { EXPECT_EQ(schedule(makeLoss(true)), "scale; loss+loss_grad"); }

TEST(Schedule, LeavesAGradientThatWaitsInBackward) { EXPECT_EQ(schedule(makeLoss(false)), "loss; scale; loss_grad"); }

//===--------------------------------------------------------------------------------------------------------------===//
// Replays
//===--------------------------------------------------------------------------------------------------------------===//

namespace {

/// Backward of an MLP's second half, whose activation is recomputed: `replay`, then `weight_grad`, which reads it.
struct MlpBackward {
  MlpBackward() {
    writer.segment = Segment::Recompute;
    replay = writer.addRow("replay", {x});
    writer.segment = Segment::Backward;
    weightGrad = writer.addProduct("weight_grad", dy, replay);
    writer.addResult(weightGrad);
  }
  void addGradient(std::vector<int> more = {}) {
    Numbers operands = {writer.addProduct("input_grad", dy, dy), x};
    operands.insert(operands.end(), more.begin(), more.end());
    writer.addResult(writer.addRow("gradient", operands));
  }

  EntryWriter writer;
  int x = writer.addArgument(), dy = writer.addArgument(), replay, weightGrad;
};

} // namespace

TEST(Schedule, MovesAReplayToItsGradient) {
  MlpBackward backward;
  backward.addGradient();
  EXPECT_EQ(schedule(backward.writer), "input_grad; replay+gradient; weight_grad");
}

TEST(Schedule, MovesSumsOfWhatMoves) {
  MlpBackward backward;
  EntryWriter &writer = backward.writer;
  writer.addResult(writer.addColumn("bias_grad", {backward.weightGrad, writer.addVector()}));
  writer.lastOp().isRowSum = true;
  backward.addGradient();
  EXPECT_EQ(schedule(writer), "input_grad; replay+gradient; weight_grad; bias_grad");
}

TEST(Schedule, LeavesAReplayWhoseResultIsNeeded) {
  MlpBackward backward;
  backward.addGradient({backward.weightGrad});
  EXPECT_EQ(schedule(backward.writer), "replay; weight_grad; input_grad; gradient");

  MlpBackward other;
  other.writer.addResult(other.writer.addProduct("uses_it", other.weightGrad, other.dy));
  other.addGradient();
  EXPECT_EQ(schedule(other.writer), "replay; weight_grad; uses_it; input_grad; gradient");
}

TEST(Schedule, LeavesAReplayThatSums) {
  MlpBackward backward;
  backward.writer.entry.ops[0].reductionPasses = 2;
  backward.addGradient();
  EXPECT_EQ(schedule(backward.writer), "replay; weight_grad; input_grad; gradient");
}

TEST(Schedule, LeavesReplaysThatShareARandomKeyOnly) {
  EntryWriter writer;
  int key = writer.addVector(), x = writer.addArgument(), dy = writer.addArgument();
  writer.segment = Segment::Recompute;
  writer.addResult(writer.addDropout("replay", x, key));
  writer.segment = Segment::Backward;
  writer.addResult(writer.addDropout("gradient", dy, key));
  EXPECT_EQ(schedule(writer), "replay; gradient");
}

// All layers read rope's tables, and the rotations of all layers could be one kernel at the end of forward.
TEST(Schedule, LeavesReplaysOfOtherLayersAlone) {
  EntryWriter writer;
  int table = writer.addArgument(), x = writer.addArgument(), y = writer.addArgument();
  writer.segment = Segment::Recompute;
  for (auto [layer, input] : {std::pair(1, x), std::pair(1, y), std::pair(0, x)}) {
    writer.layer = layer;
    writer.addResult(writer.addRow("rope" + std::to_string(layer), {input, table}));
  }
  EXPECT_EQ(schedule(writer), "rope1+rope1; rope0");
}

//===--------------------------------------------------------------------------------------------------------------===//
// Whole entries
//===--------------------------------------------------------------------------------------------------------------===//

TEST(Schedule, ReadsWhatWasDecided) {
  MlpBackward backward;
  backward.addGradient();
  std::vector<Op> &ops = backward.writer.entry.ops; // replay, weight_grad, input_grad, gradient
  ops[2].group = ops[3].group = 0;
  Schedule read = readSchedule(backward.writer.entry);
  EXPECT_EQ(print(backward.writer.entry, read), "replay; weight_grad; input_grad+gradient");
  EXPECT_EQ(read.launches[2].inputs, (Numbers{backward.dy, backward.x}));
}

/// Layers with an activation that is recomputed; all of them read one table, one key and one scale.
static Entry makeLayers(int layers) {
  EntryWriter writer;
  int table = writer.addArgument(), key = writer.addVector(), scale = writer.addVector(), x = writer.addArgument();
  std::vector<int> inputs;
  for (writer.layer = 0; writer.layer < layers; ++writer.layer) {
    inputs.push_back(x);
    int turned = writer.addRow("rope", {writer.addProduct("qkv", x, x), table});
    x = writer.addRow("add", {writer.addDropout("dropout", writer.addProduct("proj", turned, turned), key), x});
  }
  writer.segment = Segment::Backward;
  int dx = writer.addRow("loss_grad", {x, scale});
  while (--writer.layer >= 0) {
    writer.segment = Segment::Recompute;
    int turned = writer.addRow("rope", {inputs[writer.layer], table});
    writer.segment = Segment::Backward;
    int dropped = writer.addDropout("dropout", dx, key);
    writer.addStore(writer.addColumn("bias_grad", {dropped, writer.addVector()}), 0);
    writer.addStore(writer.addProduct("weight_grad", dropped, turned), 0);
    int turnedBack = writer.addRow("rope_grad", {writer.addProduct("input_grad", dropped, turned), table});
    dx = writer.addRow("add", {writer.addProduct("qkv_grad", turnedBack, x), dx, scale});
  }
  writer.addResult(dx);
  return writer.entry;
}

// Twice the layers, twice the work, whatever all layers read.
TEST(Schedule, IsLinearInLayers) {
  int64_t looks = makeSchedule(makeLayers(50)).looks;
  EXPECT_GT(looks, 0);
  EXPECT_LE(makeSchedule(makeLayers(100)).looks, 2 * looks + 50);
  EXPECT_LE(makeSchedule(makeLayers(200)).looks, 4 * looks + 150);
}
