//===- SearchTest.cpp - The search and its bound against all choices ----------------------------------------------===//
//
// Steps at random that are so small that every choice can be looked at. For each budget there is an optimum; the bound
// is never above it, and what the search finds is never below it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Entries.h"
#include "RandomEntries.h"

#include "tx/Plan/Search.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

using namespace tx;
using namespace tx::plan;

namespace {

constexpr double kRounding = 1e-9;

/// A machine whose products are cheap or dear beside its memory, and whose launches are.
Device makeDevice(double flopsPerByte, double launchSeconds) {
  Device device;
  device.matrix.set(ElementType::F32, {1e9 * flopsPerByte, {}});
  device.vector.set(ElementType::F32, {1e12, {}});
  device.memory.push_back({"memory", 1 << 30, {1e9, {}}});
  device.launchSeconds = launchSeconds;
  return device;
}

std::vector<Device> makeDevices() {
  std::vector<Device> devices = {makeDevice(10, 0), makeDevice(1000, 1e-6), makeDevice(0.1, 1e-8)};
  for (const char *name : {"h100", "cpu"})
    devices.push_back(llvm::cantFail(findDevice(name)));
  return devices;
}

/// All choices of a step, by what they cost.
struct Enumeration {
  Enumeration(const RandomStep &drawn, Scorer &scorer) {
    const Entry &entry = drawn.step.entries[0];
    for (unsigned mask = 0; mask < 1u << drawn.free.size(); ++mask) {
      Choices choices(entry.values.size(), Choice::Keep);
      for (size_t i = 0; i < drawn.free.size(); ++i)
        if (mask >> i & 1)
          choose(entry, choices, drawn.free[i], Choice::Recompute);
      scores.push_back(scorer.score(choices));
      scores.back().bytes = std::max(scores.back().bytes, scorer.place(choices).getBytes());
    }
  }

  /// The seconds of the quickest choice within the budget; infinite if there is none.
  double getOptimum(int64_t budget) const {
    double best = std::numeric_limits<double>::infinity();
    for (const Score &score : scores)
      if (score.bytes <= budget)
        best = std::min(best, score.seconds);
    return best;
  }

  /// At most so many budgets: byte counts of choices, from the least on, and one less than the least.
  std::vector<int64_t> listBudgets(size_t most) const {
    std::vector<int64_t> bytes, budgets;
    for (const Score &score : scores)
      bytes.push_back(score.bytes);
    std::sort(bytes.begin(), bytes.end());
    bytes.erase(std::unique(bytes.begin(), bytes.end()), bytes.end());
    for (size_t i = 0; i < most; ++i)
      budgets.push_back(bytes[i * (bytes.size() - 1) / (most - 1)]);
    budgets.push_back(bytes.front() - 1);
    return budgets;
  }

  std::vector<Score> scores; // bytes as placed
};

struct Tally {
  int searches = 0, optimal = 0, tight = 0, missed = 0;
  double gapToOptimum = 0, gapToBound = 0, worst = 0;

  void print(const char *what) const {
    int found = searches - missed;
    std::printf("%s: %d budgets; optimum found %d times, mean %.2f %% above it, worst %.2f %%; bound is the optimum %d "
                "times, mean gap %.2f %%; no plan found where there is one: %d\n",
                what, searches, optimal, 100 * gapToOptimum / found, 100 * worst, tight, 100 * gapToBound / found,
                missed);
  }
};

/// Searches under many budgets and counts what comes out.
void checkAgainstAll(const RandomStep &drawn, const Device &device, Tally &tally) {
  LaunchTimer timer(drawn.step, device);
  Search search(drawn.step, 0, timer);
  Enumeration all(drawn, search.getScorer());
  for (int64_t budget : all.listBudgets(/*most=*/8)) {
    SCOPED_TRACE("budget " + std::to_string(budget));
    double optimum = all.getOptimum(budget);
    SearchResult found = search.run(budget);
    ASSERT_LE(found.boundSeconds, optimum * (1 + kRounding));
    ASSERT_EQ(found.score.bytes, search.getScorer().place(found.choices).getBytes());
    ASSERT_EQ(found.fits, found.score.bytes <= budget);
    ASSERT_DOUBLE_EQ(found.score.seconds, search.getScorer().score(found.choices).seconds);
    if (!std::isfinite(optimum)) {
      ASSERT_FALSE(found.fits);
      continue;
    }
    ++tally.searches;
    tally.tight += found.boundSeconds >= optimum * (1 - 1e-6);
    if (!found.fits) {
      ++tally.missed;
      continue;
    }
    ASSERT_GE(found.score.seconds, optimum * (1 - kRounding));
    double gap = found.score.seconds / optimum - 1;
    tally.optimal += gap <= kRounding;
    tally.gapToOptimum += gap;
    tally.gapToBound += found.getGap();
    tally.worst = std::max(tally.worst, gap);
  }
}

} // namespace

static void checkRandomSteps(int steps, size_t mostFree, Results results) {
  std::vector<Device> devices = makeDevices();
  for (const Device &device : devices) {
    Tally tally;
    std::string name = device.name.empty() ? "device " + std::to_string(&device - devices.data()) : device.name;
    for (int seed = 0; seed < steps && !testing::Test::HasFailure(); ++seed) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", " + name);
      test::Random random(seed);
      checkAgainstAll(drawStep(random, mostFree, results), device, tally);
    }
    tally.print(name.c_str());
    EXPECT_GT(tally.optimal, tally.searches / 4);
    EXPECT_GT(tally.tight, 0);
  }
}

// Each op has one result, so a decision about an op is one about a value.
TEST(Search, AgainstAllChoicesOfOps) { checkRandomSteps(/*steps=*/40, /*mostFree=*/10, Results::One); }

// Norms have statistics, which may be kept or computed again by themselves.
TEST(Search, AgainstAllChoicesOfValues) { checkRandomSteps(/*steps=*/40, /*mostFree=*/10, Results::Several); }

namespace {

/// Blocks of two products, one layer each: from narrow to wide and back. Backward reads what each block begins with.
/// Only wide values may be recomputed, and all take the same time to. Where backward begins with the last block the
/// wide values of the others wait, and are the peak.
RandomStep makeBlocks(int blocks) {
  constexpr int64_t kWide = 512, kNarrow = 16;
  EntryWriter writer;
  writer.rows = 64;
  auto multiply = [&](const std::string &name, int a, int b, int64_t columns) {
    writer.columns = columns;
    int c = writer.addProduct(name, a, b);
    writer.lastOp().product->k = writer.entry.values[a].columns;
    return c;
  };
  RandomStep made;
  writer.columns = kNarrow;
  int x = writer.addArgument(), weight = writer.addArgument();
  std::vector<int> inputs, wide;
  for (writer.layer = 0; writer.layer < blocks; ++writer.layer) {
    inputs.push_back(x);
    wide.push_back(multiply("up" + std::to_string(writer.layer), x, weight, kWide));
    writer.lastOp().replay = ReplayKind::Exact;
    made.free.push_back(wide.back());
    x = multiply("down" + std::to_string(writer.layer), wide.back(), weight, kNarrow);
  }
  writer.layer = -1;
  int dy = multiply("head", x, weight, kNarrow);
  writer.segment = Segment::Backward;
  for (writer.layer = blocks - 1; writer.layer >= 0; --writer.layer) {
    std::string number = std::to_string(writer.layer);
    writer.addResult(multiply("d_weight" + number, wide[writer.layer], dy, kNarrow));
    int dwide = multiply("d_down" + number, dy, weight, kWide);
    dy = writer.addRow("d_norm" + number, {multiply("d_up" + number, dwide, weight, kNarrow), inputs[writer.layer]});
  }
  writer.addResult(dy);
  made.step.types = {{}, {{1}, ElementType::F32}, {}, {{1, 1, 1}, ElementType::F32}};
  for (Value &value : writer.entry.values)
    if (value.columns == kWide)
      value.type = 1;
  made.step.entries.push_back(std::move(writer.entry));
  return made;
}

struct Blocks : testing::Test {
  RandomStep blocks = makeBlocks(4);
  Device device = makeDevice(10, 0);
  LaunchTimer timer{blocks.step, device};
  Search search{blocks.step, 0, timer};
  const Entry &entry = blocks.step.entries[0];
  Choices none = Choices(entry.values.size(), Choice::Keep);
  Score full = search.getScorer().score(none);
  int64_t wide = entry.values[blocks.free[0]].bytes;

  double getReplay() {
    Choices one = none;
    one[blocks.free[0]] = Choice::Recompute;
    return search.getScorer().score(one).seconds - full.seconds;
  }
};

} // namespace

TEST_F(Blocks, TheBoundIsTightWhereWholeValuesGo) {
  for (int count = 0; count < 3; ++count) {
    SearchResult found = search.run(full.bytes - count * wide);
    ASSERT_TRUE(found.fits) << count;
    EXPECT_NEAR(found.score.seconds, full.seconds + count * getReplay(), full.seconds * kRounding);
    EXPECT_NEAR(found.boundSeconds, found.score.seconds, full.seconds * 1e-6) << count;
  }
}

TEST_F(Blocks, TheBoundIsStrictWhereHalfAValueWouldDo) {
  for (int count = 0; count < 3; ++count) {
    int64_t budget = full.bytes - count * wide - wide / 2;
    double optimum = Enumeration(blocks, search.getScorer()).getOptimum(budget);
    SearchResult found = search.run(budget);
    ASSERT_TRUE(found.fits) << count;
    EXPECT_NEAR(found.score.seconds, optimum, full.seconds * kRounding);
    EXPECT_NEAR(optimum, full.seconds + (count + 1) * getReplay(), full.seconds * kRounding);
    EXPECT_NEAR(found.boundSeconds, full.seconds + (count + 0.5) * getReplay(), full.seconds * 1e-6) << count;
  }
}

TEST_F(Blocks, BelowTheLeastNothingFitsAndThereIsNoBound) {
  SearchResult found = search.run(full.bytes - 4 * wide);
  EXPECT_FALSE(found.fits);
  EXPECT_EQ(found.score.bytes, Enumeration(blocks, search.getScorer()).listBudgets(2).front());
  EXPECT_TRUE(search.run(found.score.bytes).fits) << "the bytes that are given back work";
}
