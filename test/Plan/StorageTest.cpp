//===- StorageTest.cpp - Who shares bytes, for how long, and how much that is -------------------------------------===//
//
// Entries are written by hand; a tensor has 192 bytes, see EntryWriter.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Entries.h"

#include "tx/Plan/Peak.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

using namespace tx;
using namespace tx::plan;

namespace {

/// A step of one entry; each op is a launch, but for the kernels that a schedule joins.
class Analysis {
public:
  explicit Analysis(const EntryWriter &writer, std::vector<State> states = {}) {
    step.entries = {writer.entry};
    step.states = std::move(states);
    step.types.assign(4, {{2, 6}, ElementType::F32});
    schedule = makeSchedule(writer.entry);
    layout = StateLayout::compute(step);
    if (!layout.fault)
      storages = computeStorages(step, step.entries[0], schedule, layout);
  }

  const Place &placeOf(int value) const { return storages.places[value]; }
  const Storage &storageOf(int value) const { return storages.storages[placeOf(value).storage]; }
  bool share(int a, int b) const { return placeOf(a) == placeOf(b); }
  /// `[0, 2)`
  std::string lifeOf(int value) const {
    return "[" + std::to_string(storageOf(value).lower) + ", " + std::to_string(storageOf(value).upper) + ")";
  }

  Step step;
  Schedule schedule;
  StateLayout layout;
  Storages storages;
};

/// A kernel of its own that may write its result where its first operand lies.
int addElementwise(EntryWriter &writer, std::vector<int> operands, Work work = Work::Flat) {
  int result = writer.addOp("gelu", work, std::move(operands));
  writer.lastOp().operands[0].mayBeReplaced = true;
  return result;
}

/// A concat of columns; the whole is as wide as all parts.
int addConcat(EntryWriter &writer, const std::vector<int> &parts) {
  int64_t columns = std::exchange(writer.columns, writer.columns * static_cast<int64_t>(parts.size()));
  int whole = writer.addOp("concat", Work::View, parts);
  writer.columns = columns;
  View view{whole, {}};
  for (int part : parts)
    view.parts.push_back({part, columns * static_cast<int64_t>(view.parts.size())});
  writer.lastOp().view = view;
  return whole;
}

std::string faultOf(const Analysis &analysis) { return analysis.storages.fault ? analysis.storages.fault->text : ""; }

} // namespace

//===--------------------------------------------------------------------------------------------------------------===//
// Lifetimes
//===--------------------------------------------------------------------------------------------------------------===//

TEST(Storage, LivesFromItsLaunchToItsLastReader) {
  EntryWriter writer;
  int x = writer.addArgument();
  int a = writer.addProduct("a", x, x);
  int b = writer.addProduct("b", a, x);
  int c = writer.addProduct("c", a, b);
  int d = writer.addProduct("d", c, x);
  writer.addResult(c);
  Analysis analysis(writer);
  EXPECT_EQ(analysis.lifeOf(a), "[0, 3)");
  EXPECT_EQ(analysis.lifeOf(b), "[1, 3)");
  EXPECT_EQ(analysis.lifeOf(c), "[2, 5)"); // returned: to the end
  EXPECT_EQ(analysis.lifeOf(d), "[3, 4)"); // written, though nobody reads it
  EXPECT_EQ(analysis.storageOf(a).bytes, 192);
  EXPECT_EQ(analysis.storageOf(x).segment, MemorySegment::Argument);
}

// What a kernel computes for itself alone is nowhere.
TEST(Storage, HasNoPlaceForWhatStaysInAKernel) {
  EntryWriter writer;
  int x = writer.addArgument();
  int inside = writer.addRow("dropout", {x});
  int sum = writer.addRow("add", {inside, x});
  writer.addResult(sum);
  Analysis analysis(writer);
  EXPECT_EQ(analysis.placeOf(inside).storage, -1);
  EXPECT_EQ(analysis.lifeOf(sum), "[0, 2)");
}

TEST(Storage, LendsScratchToOneLaunch) {
  EntryWriter writer;
  int x = writer.addArgument();
  int a = writer.addProduct("a", x, x);
  writer.lastOp().scratchBytes = 300;
  writer.addResult(writer.addProduct("b", a, x));
  Analysis analysis(writer);
  ASSERT_EQ(analysis.storages.scratch[1], -1);
  const Storage &scratch = analysis.storages.storages[analysis.storages.scratch[0]];
  EXPECT_EQ(scratch.bytes, 512);
  EXPECT_EQ(scratch.alignment, TXRT_SCRATCH_ALIGNMENT);
  EXPECT_EQ(scratch.lower, 0);
  EXPECT_EQ(scratch.upper, 1);
}

//===--------------------------------------------------------------------------------------------------------------===//
// In place
//===--------------------------------------------------------------------------------------------------------------===//

TEST(Storage, TakesThePlaceOfWhatDies) {
  EntryWriter writer;
  int x = writer.addArgument();
  int a = writer.addProduct("a", x, x);
  int b = addElementwise(writer, {a});
  int c = addElementwise(writer, {b});
  writer.addResult(c);
  Analysis analysis(writer);
  EXPECT_TRUE(analysis.share(a, b));
  EXPECT_TRUE(analysis.share(a, c));
  EXPECT_EQ(analysis.lifeOf(c), "[0, 4)");
}

TEST(Storage, LeavesAloneWhatIsReadLater) {
  EntryWriter writer;
  int x = writer.addArgument();
  int a = writer.addProduct("a", x, x);
  int b = addElementwise(writer, {a});
  writer.addResult(writer.addProduct("c", a, b));
  EXPECT_FALSE(Analysis(writer).share(a, b));
}

TEST(Storage, LeavesArgumentsAlone) {
  EntryWriter writer;
  int x = writer.addArgument();
  int a = addElementwise(writer, {x});
  writer.addResult(a);
  EXPECT_EQ(Analysis(writer).storageOf(a).segment, MemorySegment::Transient);
}

TEST(Storage, LeavesAloneWhatIsOfAnotherType) {
  EntryWriter writer;
  int x = writer.addArgument();
  int a = writer.addProduct("a", x, x);
  int b = addElementwise(writer, {a});
  writer.entry.values[b].type = 2; // as many bytes all the same
  writer.addResult(b);
  EXPECT_FALSE(Analysis(writer).share(a, b));
}

// The norm reads its row to the end before it writes; the sum is written in the first pass, when the norm's operand is
// still read.
TEST(Storage, AsksInWhichPassAKernelReads) {
  EntryWriter writer;
  int x = writer.addArgument();
  int a = writer.addProduct("a", x, x), b = writer.addProduct("b", x, x);
  int sum = writer.addRow("add", {a, b});
  writer.lastOp().operands[0].mayBeReplaced = writer.lastOp().operands[1].mayBeReplaced = true;
  int normed = writer.addRow("norm", {sum, b});
  writer.lastOp().operands[0].mayBeReplaced = writer.lastOp().operands[1].mayBeReplaced = true;
  writer.lastOp().reductionPasses = 2;
  writer.addResult(sum);
  writer.addResult(normed);
  Analysis analysis(writer);
  ASSERT_EQ(print(writer.entry, analysis.schedule), "a; b; add+norm");
  // Each operand is read by the norm, the first through the sum: only the norm's result may go there, and only once.
  EXPECT_FALSE(analysis.share(sum, a));
  EXPECT_FALSE(analysis.share(sum, b));
  EXPECT_TRUE(analysis.share(normed, a));
}

// Two results never take one place.
TEST(Storage, GivesAPlaceOnce) {
  EntryWriter writer;
  int x = writer.addArgument();
  int a = writer.addProduct("a", x, x);
  int b = writer.addOp("two", Work::Flat, {a}, /*results=*/2);
  writer.lastOp().operands[0].mayBeReplaced = true;
  writer.addResult(b);
  writer.addResult(b + 1);
  Analysis analysis(writer);
  EXPECT_TRUE(analysis.share(a, b));
  EXPECT_FALSE(analysis.share(a, b + 1));
}

//===--------------------------------------------------------------------------------------------------------------===//
// State
//===--------------------------------------------------------------------------------------------------------------===//

TEST(Storage, ContinuesStateInPlace) {
  EntryWriter writer;
  int gradient = writer.addLoad(1), x = writer.addArgument();
  int sum = writer.addColumn("bias_grad", {x, gradient});
  writer.lastOp().ties = {{1, 0}};
  writer.addStore(sum, 1);
  Analysis analysis(writer, {{"w.grad", /*role=*/1, 192}, {"w", /*role=*/0, 100}});
  EXPECT_EQ(faultOf(analysis), "");
  EXPECT_EQ(analysis.layout.offsets, (std::vector<int64_t>{128, 0})); // by role
  EXPECT_EQ(analysis.layout.bytes, 320);
}

// A store takes what was computed in its place, and nothing else.
TEST(Storage, RefusesToStoreWhatLiesElsewhere) {
  EntryWriter writer;
  writer.addStore(writer.addProduct("a", writer.addArgument(), writer.addLoad(0)), 0);
  Analysis analysis(writer, {{"w", 0, 192}});
  EXPECT_EQ(faultOf(analysis), "stores a value that was not computed in place of @w; an accumulator or an optimizer "
                               "must continue the loaded one");
  EXPECT_EQ(analysis.storages.fault->store, 0);
}

TEST(Storage, LaysPackedStateSideBySide) {
  EntryWriter writer;
  int a = writer.addLoad(0), c = writer.addLoad(2);
  int whole = writer.addOp("pack", Work::View, {c, a});
  writer.lastOp().view = View{whole, {{c, 0}, {a, 64}}, /*hasRuns=*/true, /*packsState=*/true};
  writer.entry.values[whole].bytes = 512;
  writer.addResult(writer.addRow("sum_of_squares", {whole}));
  Analysis analysis(writer, {{"a", 0, 192}, {"b", 0, 24}, {"c", 0, 192}});
  EXPECT_EQ(analysis.layout.offsets, (std::vector<int64_t>{256, 512, 0}));
  EXPECT_TRUE(analysis.share(whole, c));
}

TEST(Storage, RefusesToPackWhatIsNoState) {
  EntryWriter writer;
  int x = writer.addArgument();
  int whole = writer.addOp("pack", Work::View, {x});
  writer.lastOp().view = View{whole, {{x, 0}}, true, true};
  Analysis analysis(writer);
  ASSERT_TRUE(analysis.layout.fault);
  EXPECT_EQ(analysis.layout.fault->text, "packs 'tensor<2x6xf32>', which is not state; a part is loaded, or continues "
                                         "what was loaded in place");
  EXPECT_EQ(analysis.layout.fault->op, 0);
}

TEST(Storage, RefusesTwoOrdersOfState) {
  EntryWriter writer;
  int a = writer.addLoad(0), b = writer.addLoad(1);
  for (auto [first, second] : {std::pair(a, b), std::pair(b, a)}) {
    int whole = writer.addOp("pack", Work::View, {first, second});
    writer.lastOp().view = View{whole, {{first, 0}, {second, 64}}, true, true};
  }
  Analysis analysis(writer, {{"a", 0, 192}, {"b", 0, 192}});
  ASSERT_TRUE(analysis.layout.fault);
  EXPECT_EQ(analysis.layout.fault->text, "packs @b in another order than before; state lies in one");
  EXPECT_EQ(analysis.layout.fault->op, 1);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Views
//===--------------------------------------------------------------------------------------------------------------===//

// A use of a slice is a use of its whole.
TEST(Storage, KeepsTheWholeWhileAPartIsRead) {
  EntryWriter writer;
  int x = writer.addArgument();
  int whole = writer.addProduct("qkv", x, x);
  int part = writer.addView("slice", whole);
  writer.lastOp().view->parts[0].second = 2;
  int a = writer.addProduct("a", x, x);
  writer.addResult(writer.addProduct("b", a, part));
  Analysis analysis(writer);
  EXPECT_EQ(analysis.lifeOf(whole), "[0, 4)");
  EXPECT_TRUE(analysis.placeOf(part) == (Place{analysis.placeOf(whole).storage, /*byteOffset=*/8, /*rowStride=*/6}));
}

TEST(Storage, ComputesPartsWhereTheirWholeLies) {
  EntryWriter writer;
  int x = writer.addArgument();
  int a = writer.addProduct("a", x, x), b = writer.addProduct("b", x, x);
  int whole = addConcat(writer, {a, b});
  writer.addResult(whole);
  Analysis analysis(writer);
  ASSERT_EQ(faultOf(analysis), "");
  int storage = analysis.placeOf(whole).storage;
  EXPECT_TRUE(analysis.placeOf(a) == (Place{storage, 0, /*rowStride=*/12}));
  EXPECT_TRUE(analysis.placeOf(b) == (Place{storage, /*byteOffset=*/24, /*rowStride=*/12}));
  EXPECT_EQ(analysis.lifeOf(whole), "[0, 4)"); // from its first part on
}

TEST(Storage, RefusesAPartThatLiesElsewhere) {
  EntryWriter argument;
  argument.addResult(addConcat(argument, {argument.addArgument()}));
  EntryWriter twice;
  int part = twice.addProduct("a", twice.addArgument(), twice.addArgument());
  twice.addResult(addConcat(twice, {part, part}));
  for (const EntryWriter &writer : {argument, twice}) {
    Analysis analysis(writer);
    EXPECT_EQ(faultOf(analysis), "cannot put 'tensor<2x6xf32>' beside the others: it already has a place elsewhere (an "
                                 "argument, state, a view, or a part of another tensor); compute it by an op of its "
                                 "own");
    EXPECT_EQ(analysis.storages.fault->op, writer.entry.values[writer.entry.results[0]].producer);
  }
}

TEST(Storage, RefusesWhatNoLaunchCanDo) {
  EntryWriter writer;
  writer.addResult(writer.addOp("call", Work::Other, {writer.addArgument()}));
  Analysis analysis(writer);
  EXPECT_EQ(faultOf(analysis), "has no place in a step: it is no tx op");
  EXPECT_EQ(analysis.storages.fault->op, 0);

  EntryWriter constant;
  int value = constant.addArgument();
  constant.entry.arguments.clear(); // now nobody gives it
  constant.addResult(value);
  Analysis second(constant);
  EXPECT_EQ(faultOf(second), "has no place in a step: it is no tx op");
  EXPECT_EQ(second.storages.fault->value, value);
}

//===--------------------------------------------------------------------------------------------------------------===//
// The peak
//===--------------------------------------------------------------------------------------------------------------===//

namespace {

/// Two products one after another: three tensors of 192 bytes, one of which is an argument.
EntryWriter makeChain(int products) {
  EntryWriter writer;
  int x = writer.addArgument();
  for (int i = 0; i < products; ++i)
    x = writer.addProduct("p" + std::to_string(i), x, x);
  writer.addResult(x);
  return writer;
}

} // namespace

TEST(Peak, IsTheLargestOfAllEntries) {
  Step step;
  step.states = {{"w", 0, 100}};
  step.entries = {makeChain(1).entry, makeChain(3).entry, makeChain(2).entry};
  step.entries[2].arguments.push_back(step.entries[2].arguments[0]);
  std::vector<Schedule> schedules;
  for (const Entry &entry : step.entries)
    schedules.push_back(makeSchedule(entry));
  Peak peak = computePeak(step, schedules);
  ASSERT_FALSE(peak.fault);
  EXPECT_EQ(peak.persistentBytes, 128);
  EXPECT_EQ(peak.argumentBytes, 384);  // of the third
  EXPECT_EQ(peak.transientBytes, 384); // of the second and the third
  EXPECT_EQ(peak.largest, 1);
  EXPECT_EQ(peak.getBytes(), 128 + 384 + 384);
  EXPECT_EQ(peak.entries[0].transientBytes, 192);
  EXPECT_EQ(computeLeastPeak(step, schedules).getBytes(), peak.getBytes());
}

// Scratch is aligned in the whole arena, so the segments before it are.
TEST(Peak, AlignsSegmentsToScratch) {
  Step step;
  step.states = {{"w", 0, 100}};
  step.entries = {makeChain(1).entry};
  step.entries[0].ops[0].scratchBytes = 1;
  Peak peak = computePeak(step, {makeSchedule(step.entries[0])});
  EXPECT_EQ(peak.persistentBytes, 256);
  EXPECT_EQ(peak.argumentBytes, 256);
  EXPECT_EQ(peak.transientBytes, 256 + 192);
}

TEST(Peak, NamesTheEntryOfAFault) {
  Step step;
  step.types.assign(4, {{2, 6}, ElementType::F32});
  EntryWriter writer;
  writer.addResult(addConcat(writer, {writer.addArgument()}));
  step.entries = {makeChain(1).entry, writer.entry};
  Peak peak = computePeak(step, {makeSchedule(step.entries[0]), makeSchedule(step.entries[1])});
  ASSERT_TRUE(peak.fault);
  EXPECT_EQ(peak.fault->entry, 1);
}

TEST(Peak, SaysWhatHoldsItUp) {
  EntryWriter writer;
  int x = writer.addArgument();
  int a = writer.addProduct("a", x, x);
  int b = addElementwise(writer, {a}); // lies where a lay
  writer.rows = 16;
  int wide = writer.addProduct("wide", b, x);
  writer.lastOp().scratchBytes = 256;
  writer.addResult(writer.addProduct("end", wide, b));
  Analysis analysis(writer);
  LivePoint point = findPeakPoint(writer.entry, analysis.schedule, analysis.storages);
  EXPECT_EQ(point.launch, 3);
  EXPECT_EQ(point.bytes, getLiveBytes(analysis.storages));
  ASSERT_EQ(point.storages.size(), 3u);
  EXPECT_EQ(point.storages[0].value, wide);
  EXPECT_EQ(point.storages[0].bytes, 384);
  EXPECT_EQ(point.storages[2].value, b);
}
