// Every op at every row length: right, and with the same bits however its rows lie in memory, whoever computes them, on
// whichever CPU.

#include "KernelHarness.h"

#include <array>
#include <gtest/gtest.h>
#include <map>

using namespace txtest;

namespace {
class OpTest : public testing::TestWithParam<std::tuple<std::string, int64_t>> {
protected:
  void SetUp() override {
    auto [level, columns] = GetParam();
    cases = opCases(columns);
    // Compiled once for all tests of a level and a row length.
    static std::map<std::tuple<std::string, int64_t>, std::shared_ptr<Kernels>> compiled;
    std::shared_ptr<Kernels> &known = compiled[GetParam()];
    if (!known)
      known = compile([](const OpCase &op) { return op.text(); }, {level, {}});
    kernels = known;
  }
  std::shared_ptr<Kernels> compile(const std::function<std::string(const OpCase &)> &text,
                                   const tx::HostTargetOptions &options) {
    std::string all;
    for (const OpCase &op : cases)
      all += text(op);
    return std::make_shared<Kernels>(all, options);
  }
  /// All cases once more, in another way: the same bits?
  void expectSame(Kernels &others, const std::function<RunOptions(const OpCase &)> &options) {
    for (const OpCase &op : cases) {
      auto expected = run(*kernels, op), found = run(others, op, options(op));
      for (size_t i = 0; i < expected.size(); ++i)
        EXPECT_EQ(found[i].values, expected[i].values) << op.name << ", result " << i;
    }
  }
  std::vector<OpCase> cases;
  std::shared_ptr<Kernels> kernels;
};
} // namespace

TEST_P(OpTest, agreesWithDouble) {
  for (const OpCase &op : cases)
    expectAgrees(op, run(*kernels, op));
}

TEST_P(OpTest, sameBitsForAnySplitOfUnits) {
  expectSame(*kernels, [](const OpCase &op) {
    RunOptions options;
    for (int64_t unit = 1; unit < op.units(); unit += 1 + unit / 2)
      options.splits.push_back(unit);
    return options;
  });
}

TEST_P(OpTest, sameBitsInPlace) {
  for (size_t choice = 0; choice < 2; ++choice)
    expectSame(*kernels, [&](const OpCase &op) { return RunOptions{{}, inPlaceOf(op, choice), {}}; });
}

// Between the rows lies what is not a number: masked lanes read nothing.
TEST_P(OpTest, sameBitsForStridedRowsOnAvx2) {
  tx::HostTargetOptions options;
  options.cpu = "x86-64-v3";
  auto strided = compile([](const OpCase &op) { return op.text(stridesOf(op)); }, options);
  expectSame(*strided, [](const OpCase &op) { return RunOptions{stridesOf(op)}; });
}

INSTANTIATE_TEST_SUITE_P(Columns, OpTest,
                         testing::Combine(testing::ValuesIn(tx::hostLevels()), testing::ValuesIn(oddColumns)),
                         [](const auto &info) {
                           std::string columns = std::to_string(std::get<1>(info.param));
                           return nameOfLevel({std::get<0>(info.param), 0}) + "_" + columns;
                         });

TEST(Philox, knownAnswers) {
  // Random123's kat_vectors.
  using Words = std::array<uint32_t, 4>;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  uint32_t f = 0xffffffff;
  EXPECT_EQ(philox({f, f, f, f}, {f, f}), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, kernelsGiveTheKnownAnswer) {
  // Counter 0 and key 0: an element is dropped exactly when p 2^32 is above its word.
  const double words[] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
  for (int vector = 0; vector < 4; ++vector)
    for (int more : {0, 1}) {
      char text[512];
      std::snprintf(text, sizeof text,
                    "step.kernel @k row [1, 64] immediates 1 (%%x: tensor<1x64xf32>, %%k: tensor<4xi32>) {\n"
                    "  %%y = tx.dropout %%x, %%k p %.17g in <\"x\"> {step.immediate = 0 : i64} : tensor<1x64xf32>, "
                    "tensor<4xi32>\n"
                    "  step.yield %%y : tensor<1x64xf32>\n}",
                    (words[vector] + more) / 4294967296.0);
      Kernels kernels(text);
      std::vector<float> x(64, 1.0f), y(64);
      std::vector<int32_t> key(4, 0);
      kernels.run("k", {x.data(), key.data(), y.data()}, 1, {0});
      EXPECT_EQ(y[16 * vector] == 0, more == 1) << "word " << vector;
    }
}
