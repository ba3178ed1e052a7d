// Flash attention, forward and backward: right in every shape that code has a case for, with the same bits however its
// units are split and its rows lie.

#include "FlashCases.h"
#include "KernelHarness.h"

#include <gtest/gtest.h>
#include <map>

using namespace txtest;

namespace {

const FlashShape kShapes[] = {
    {"OneQuery", 1, 1, 1, 1, 1, 1, true, false},
    {"OneTile", 2, 64, 64, 2, 2, 16, true, false},
    {"WholeTiles", 1, 192, 192, 2, 2, 64, true, true},
    {"Tails", 2, 70, 70, 3, 3, 24, true, true},
    {"NotCausal", 1, 67, 131, 2, 2, 20, false, true},
    {"MoreKeysThanQueries", 1, 5, 200, 2, 2, 7, true, false},
    {"FewKeys", 2, 130, 9, 1, 1, 33, false, false},
    {"Groups", 2, 100, 100, 6, 2, 12, true, true},
    {"Wide", 1, 80, 80, 1, 1, 130, true, false},
    {"Narrow16", 1, 90, 90, 2, 1, 48, true, true, "bf16"},
    {"Narrow16OneLaneLeft", 2, 91, 91, 4, 4, 17, true, false, "bf16"},
};

class Flash : public testing::TestWithParam<std::tuple<std::string, FlashShape>> {
protected:
  /// Compiled once for all tests.
  Kernels &compile(const std::string &text) {
    static std::map<std::string, std::unique_ptr<Kernels>> known;
    std::unique_ptr<Kernels> &kernels = known[level + text];
    if (!kernels)
      kernels = std::make_unique<Kernels>(text, tx::HostTargetOptions{level, {}});
    return *kernels;
  }

  /// The same bits when run in another way?
  void expectSame(const OpCase &op, const RunOptions &options) {
    auto expected = run(compile(op.text()), op);
    auto found = run(compile(op.text(options.strides)), op, options);
    for (size_t i = 0; i < expected.size(); ++i)
      EXPECT_EQ(found[i].values, expected[i].values) << op.name << " " << i;
  }

  double tolerance() const { return std::string(shape.element) == "bf16" ? 1e-2 : 2e-6; }
  const std::string level = std::get<0>(GetParam());
  const FlashShape shape = std::get<1>(GetParam());
  const FlashCase flash{shape};
};

} // namespace

TEST_P(Flash, ForwardAgreesWithDouble) {
  OpCase op = flash.forward();
  flash.expectForward(run(compile(op.text()), op), tolerance());
}

TEST_P(Flash, BackwardAgreesWithDouble) {
  OpCase op = flash.backward();
  flash.expectBackward(run(compile(op.text()), op), tolerance());
}

TEST_P(Flash, SameBitsForAnySplitOfUnits) {
  for (const OpCase &op : {flash.forward(), flash.backward()}) {
    RunOptions options;
    for (int64_t unit = 1; unit < op.units(); unit += 1 + unit / 2)
      options.splits.push_back(unit);
    expectSame(op, options);
  }
}

// Heads that share keys and values, of any width, odd ones too.
TEST(FlashGroups, OfRandomShapesAgreeWithDouble) {
  for (unsigned seed = 0; seed < 6; ++seed)
    for (const char *element : {"f32", "bf16"}) {
      FlashShape shape = randomGroups(seed, 40, element);
      SCOPED_TRACE(std::to_string(seed) + " " + element + ": " + std::to_string(shape.heads) + "/" +
                   std::to_string(shape.keyHeads) + " heads of " + std::to_string(shape.width));
      FlashCase flash(shape);
      OpCase forward = flash.forward(), backward = flash.backward();
      Kernels kernels(forward.text() + backward.text());
      const double tolerance = shape.element == std::string("bf16") ? 1e-2 : 2e-6;
      flash.expectForward(run(kernels, forward), tolerance);
      flash.expectBackward(run(kernels, backward), tolerance);
    }
}

// Scores near 1000: what the one log-sum-exp of a row loses of them is within the bound that the op states. Forward has
// maximum and sum, but rounds the scores themselves.
TEST(FlashLargeScores, AreWithinTheStatedBound) {
  FlashCase flash({"LargeScores", 1, 70, 70, 2, 2, 16, true, false, "f32", 58});
  Kernels kernels(flash.forward().text() + flash.backward().text());
  flash.expectForward(run(kernels, flash.forward()), FlashShape::boundOf(1014));
  flash.expectBackward(run(kernels, flash.backward()), FlashShape::boundOf(1014));
}

// As in the model, where Q, K and V are columns of one tensor.
TEST_P(Flash, SameBitsForRowsFurtherApart) {
  for (const OpCase &op : {flash.forward(), flash.backward()})
    expectSame(op, RunOptions{flash.stridesOf(op, 5)});
}

INSTANTIATE_TEST_SUITE_P(Shapes, Flash,
                         testing::Combine(testing::ValuesIn(tx::hostLevels()), testing::ValuesIn(kShapes)),
                         [](const auto &info) {
                           return nameOfLevel({std::get<0>(info.param), 0}) + "_" + std::get<1>(info.param).name;
                         });
