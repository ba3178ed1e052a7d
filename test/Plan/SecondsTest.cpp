//===- SecondsTest.cpp - How long launches take -------------------------------------------------------------------===//

#include "Entries.h"

#include "tx/Plan/Seconds.h"

#include "gtest/gtest.h"

using namespace tx;
using namespace tx::plan;

namespace {

/// A machine with round rates: a product's FLOP takes 1e-6 s, a byte 1e-3 s, a launch 1 s.
Device makeDevice() {
  Device device;
  device.matrix.set(ElementType::F32, {1e6, {}});
  device.vector.set(ElementType::F32, {1e4, {}});
  device.tilesForward.set(ElementType::F32, {1e5, {}});
  device.tilesBackward.set(ElementType::F32, {5e4, {}});
  device.memory.push_back({"memory", 1 << 30, {1e3, {}}});
  device.launchSeconds = 1;
  device.links.push_back({"link", 8, 10, {100, {}}, {{"all_gather", 2}}});
  return device;
}

class SecondsTest : public testing::Test {
protected:
  SecondsTest() { step.types.resize(4); }

  /// Seconds of the entry's first launch.
  double first() {
    LaunchTimer timer(step, device);
    return timer.secondsOf(writer.entry, makeSchedule(writer.entry).launches.front());
  }
  Seconds all() {
    LaunchTimer timer(step, device);
    return computeSeconds(writer.entry, makeSchedule(writer.entry), timer);
  }
  /// A collective of `bytes` on `value`.
  int addCollective(const std::string &kind, int value, int64_t bytes, int64_t ranks = 4) {
    int result = writer.addOp(kind, Work::Collective, {value});
    writer.lastOp().collective = kind;
    writer.lastOp().ranks = ranks;
    writer.lastOp().sentBytes = bytes;
    return result;
  }

  EntryWriter writer;
  Step step;
  Device device = makeDevice();
};

} // namespace

TEST_F(SecondsTest, AKernelMovesWhatReachesMemory) {
  int x = writer.addArgument();
  writer.addResult(writer.addRow("gelu", {x}));
  const double bytes = 2 * 8 * 6 * 4;
  EXPECT_DOUBLE_EQ(first(), bytes / 1e3 + 1);
}

TEST_F(SecondsTest, AnOperandThatIsNotReadCostsNothing) {
  int x = writer.addArgument(), place = writer.addArgument();
  writer.addResult(writer.addRow("gelu", {x, place}));
  writer.lastOp().operands[1].isRead = false;
  EXPECT_DOUBLE_EQ(first(), 2 * 8 * 6 * 4 / 1e3 + 1);
}

TEST_F(SecondsTest, AValueInsideAKernelCostsNothing) {
  int x = writer.addArgument();
  int inner = writer.addRow("gelu", {x});
  writer.addResult(writer.addRow("add", {inner, x}));
  EXPECT_DOUBLE_EQ(first(), 2 * 8 * 6 * 4 / 1e3 + 1);
}

TEST_F(SecondsTest, ArithmeticCountsWhereItIsSlower) {
  int x = writer.addArgument();
  writer.addResult(writer.addRow("gelu", {x}));
  writer.lastOp().vectorFlops = 1000000;
  EXPECT_DOUBLE_EQ(first(), 100 + 1);
}

TEST_F(SecondsTest, OfATableARowKernelReadsItsOwnRows) {
  writer.rows = 1000;
  int table = writer.addArgument();
  writer.rows = 8;
  writer.addResult(writer.addRow("embedding", {table}));
  EXPECT_DOUBLE_EQ(first(), 2 * 8 * 6 * 4 / 1e3 + 1);
}

TEST_F(SecondsTest, TilesHaveTheirOwnRates) {
  int x = writer.addArgument();
  writer.addResult(writer.addOp("attention", Work::Tile, {x}));
  writer.lastOp().vectorFlops = 0;
  writer.lastOp().matrixFlops = 1000000;
  EXPECT_DOUBLE_EQ(first(), 10 + 1);
  writer.lastOp().segment = Segment::Backward;
  EXPECT_DOUBLE_EQ(first(), 20 + 1);
}

TEST_F(SecondsTest, AViewTakesNoTime) {
  writer.addResult(writer.addView("part", writer.addArgument()));
  EXPECT_EQ(first(), 0);
}

TEST_F(SecondsTest, MoreBytesAndMoreFlopsAreNeverFaster) {
  for (llvm::StringRef name : getDeviceNames()) {
    device = llvm::cantFail(findDevice(name));
    double kernelBefore = 0, productBefore = 0;
    for (int64_t rows = 1; rows < (int64_t(1) << 26); rows = rows * 5 / 4 + 1) {
      writer = {};
      writer.rows = rows;
      writer.addResult(writer.addRow("gelu", {writer.addArgument()}));
      writer.lastOp().vectorFlops = 100 * rows;
      double kernel = first();
      writer = {};
      writer.rows = rows, writer.columns = 64;
      writer.addResult(writer.addProduct("fc", writer.addArgument(), writer.addArgument()));
      double product = first();
      EXPECT_GE(kernel, kernelBefore) << name.str() << " " << rows;
      EXPECT_GE(product, productBefore) << name.str() << " " << rows;
      kernelBefore = kernel, productBefore = product;
    }
  }
}

TEST_F(SecondsTest, AMeasuredProductHasItsTime) {
  writer.addResult(writer.addProduct("fc", writer.addArgument(), writer.addArgument()));
  EXPECT_DOUBLE_EQ(first(), 3 * 8 * 6 * 4 / 1e3 + 1);
  device.products[{ElementType::F32, false, false, false}].add({8, 6, 6, 1}, 2 * 8 * 6 * 6, 0.25);
  EXPECT_EQ(first(), 0.25);
  device.products[{ElementType::F32, false, false, false}].add({16, 6, 6, 1}, 2 * 16 * 6 * 6, 0.375);
  EXPECT_EQ(first(), 0.25);
  writer = {};
  writer.rows = 12;
  writer.addResult(writer.addProduct("fc", writer.addArgument(), writer.addArgument()));
  EXPECT_GT(first(), 0.25);
  EXPECT_LT(first(), 0.375);
}

TEST_F(SecondsTest, ShapesOfProductsAreCountedOnce) {
  int x = writer.addArgument();
  int y = writer.addProduct("a", x, x);
  writer.addResult(writer.addProduct("b", y, x));
  device.products[{ElementType::F32, true, false, false}].add({8, 6, 6, 1}, 1, 1);
  LaunchTimer timer(step, device);
  computeSeconds(writer.entry, makeSchedule(writer.entry), timer);
  EXPECT_EQ(timer.countProducts(TimeSource::Rates), 1);
  EXPECT_EQ(timer.countProducts(TimeSource::Between), 0);
  EXPECT_EQ(timer.countProducts(TimeSource::Measured), 0);
}

TEST_F(SecondsTest, AMeasuredKernelHasItsTime) {
  int x = writer.addArgument();
  writer.addResult(writer.addRow("gelu", {x}));
  writer.lastOp().vectorFlops = 100;
  device.kernels["row gelu"].add({100, 2, 1, 1}, 100, 7);
  EXPECT_EQ(first(), 7);
  writer.lastOp().vectorFlops = 200;
  EXPECT_DOUBLE_EQ(first(), 14);
}

TEST_F(SecondsTest, ACollectiveTakesLatencyAndItsBytes) {
  addCollective("all_reduce", writer.addArgument(), 200);
  EXPECT_DOUBLE_EQ(first(), 10 + 2 + 1);
  writer = {};
  addCollective("all_gather", writer.addArgument(), 200);
  EXPECT_DOUBLE_EQ(first(), 10 + 4 + 1);
  writer = {};
  addCollective("all_reduce", writer.addArgument(), 200, /*ranks=*/1);
  EXPECT_DOUBLE_EQ(first(), 1);
}

TEST_F(SecondsTest, ACollectiveCostsWhatIsNotHidden) {
  int x = writer.addArgument();
  int sum = addCollective("all_reduce", x, 200); // 13 s
  writer.addResult(writer.addColumn("other", {x}));
  EXPECT_DOUBLE_EQ(all().getTotal(), 13);
  writer.addResult(writer.addRow("gelu", {sum}));
  EXPECT_DOUBLE_EQ(all().getTotal(), 13 + 2 * 8 * 6 * 4 / 1e3 + 1);
}

TEST_F(SecondsTest, PartsOfTheStepAddUp) {
  int x = writer.addArgument();
  writer.addResult(writer.addProduct("a", x, x));
  writer.segment = Segment::Recompute;
  writer.addResult(writer.addProduct("a", x, x));
  writer.segment = Segment::Backward;
  writer.addResult(writer.addProduct("b", x, x));
  writer.segment = Segment::Optimizer;
  writer.addResult(writer.addColumn("adam", {x}));
  Seconds seconds = all();
  EXPECT_GT(seconds.forward, 0);
  EXPECT_EQ(seconds.recompute, seconds.forward);
  EXPECT_EQ(seconds.backward, seconds.forward);
  EXPECT_GT(seconds.optimizer, 0);
}

TEST_F(SecondsTest, WorkForGradientsIsOfBackward) {
  int x = writer.addArgument();
  writer.addResult(writer.addProduct("head", x, x));
  writer.lastOp().gradientFlops = writer.lastOp().matrixFlops / 4;
  Seconds seconds = all();
  EXPECT_DOUBLE_EQ(seconds.backward, seconds.forward / 3);
}
