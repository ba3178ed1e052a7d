// Every op as a kernel for GPUs, at every row length: what it computes, and that it
// computes it by the rules of the machine (see the emulator).

#include "GpuKernels.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <map>

using namespace txtest;

namespace {

using Parameter = std::tuple<const char *, int64_t>;
std::string nameOf(const testing::TestParamInfo<Parameter> &info) {
  return std::string(std::get<0>(info.param)) + "_" + std::to_string(std::get<1>(info.param));
}

class GpuOps : public testing::TestWithParam<Parameter> {
protected:
  void SetUp() override {
    architecture = std::get<0>(GetParam());
    cases = opCases(std::get<1>(GetParam()));
    // Compiled once for all tests of a parameter.
    static std::map<Parameter, std::shared_ptr<GpuKernels>> compiled;
    std::shared_ptr<GpuKernels> &known = compiled[GetParam()];
    if (!known)
      known = compile({});
    kernels = known;
  }
  std::shared_ptr<GpuKernels> compile(const std::function<std::vector<int64_t>(const OpCase &)> &strides) {
    std::string text;
    for (const OpCase &op : cases)
      text += op.text(strides ? strides(op) : std::vector<int64_t>());
    return std::make_shared<GpuKernels>(text, architecture);
  }
  void expectSame(GpuKernels &others, const std::function<RunOptions(const OpCase &)> &options) {
    for (const OpCase &op : cases) {
      auto expected = run(*kernels, op), found = run(others, op, options(op));
      for (size_t i = 0; i < expected.size(); ++i)
        EXPECT_EQ(found[i].values, expected[i].values) << op.name << ", result " << i;
    }
  }
  std::string architecture;
  std::vector<OpCase> cases;
  std::shared_ptr<GpuKernels> kernels;
};

} // namespace

TEST_P(GpuOps, agreeWithDouble) {
  for (const OpCase &op : cases)
    expectAgrees(op, run(*kernels, op));
}

TEST_P(GpuOps, sameBitsInPlace) {
  for (size_t choice = 0; choice < 2; ++choice)
    expectSame(*kernels, [&](const OpCase &op) { return RunOptions{{}, inPlaceOf(op, choice), {}}; });
}

// A reduction has the same order whatever lanes and threads are chosen.
TEST_P(GpuOps, sameBitsForStridedRows) {
  expectSame(*compile(stridesOf), [](const OpCase &op) { return RunOptions{stridesOf(op)}; });
}

INSTANTIATE_TEST_SUITE_P(sm_80, GpuOps, testing::Combine(testing::Values("sm_80"), testing::ValuesIn(oddColumns)), nameOf);
// Schedules differ in how many multiprocessors want work.
INSTANTIATE_TEST_SUITE_P(sm_90, GpuOps, testing::Combine(testing::Values("sm_90"), testing::Values(64, 777)), nameOf);
INSTANTIATE_TEST_SUITE_P(sm_120, GpuOps, testing::Combine(testing::Values("sm_120"), testing::Values(130)), nameOf);

// More tokens than a block lists at once, several rows of the table for a block,
// words of which a table has many or none, and ids that are none of its rows. Whole
// numbers, so that any order of additions gives the same.
TEST(GpuTable, manyTokens) {
  constexpr int64_t count = 6000, vocabulary = 600, columns = 24;
  Tensor tokens{{2, count / 2}, "i32"}, dy{{2, count / 2, columns}}, table{{vocabulary, columns}};
  for (int64_t i = 0; i < count; ++i)
    tokens.values.push_back(i % 1000 == 7 ? -1 : i % 1000 == 8 ? vocabulary : i * i % vocabulary);
  for (int64_t i = 0; i < count * columns; ++i)
    dy.values.push_back(i * 7 % 31 - 15);
  for (int64_t i = 0; i < vocabulary * columns; ++i)
    table.values.push_back(i % 5);
  for (const char *element : {"f32", "bf16"})
    for (bool reset : {false, true}) {
      dy.element = element;
      OpCase op{"table", "column", count, columns,
                "%r0 = tx.embedding_weight_grad %0, %1 into %2 reset %3 in <backward, \"embedding\"> : " + tokens.type() +
                    ", " + dy.type() + ", " + table.type() + ", tensor<i1>",
                {tokens, dy, table, Tensor{{}, "i1", {reset ? 1.0 : 0.0}}}, {{{vocabulary, columns}}},
                [reset](const std::vector<Tensor> &v) {
                  std::vector<double> out = v[2].values;
                  if (reset)
                    std::fill(out.begin(), out.end(), 0.0);
                  for (int64_t i = 0; i < count * columns; ++i) {
                    double id = v[0].values[i / columns];
                    int64_t row = id < 0 || id >= vocabulary ? vocabulary - 1 : static_cast<int64_t>(id);
                    out[row * columns + i % columns] += v[1].values[i];
                  }
                  return std::vector<std::vector<double>>{out};
                }, {{2, 0}}, 0};
      GpuKernels kernels(op.text());
      EXPECT_EQ(kernels.code().kernels[0].unitsPerBlock, 4u);
      expectAgrees(op, run(kernels, op));
      expectAgrees(op, run(kernels, op, RunOptions{{}, inPlaceOf(op, 0), {}}));
    }
}

// These tests can fail: kernels of rows and of columns without their barriers.
TEST(GpuRules, barriersAreNeeded) {
  unsigned checked = 0;
  for (const OpCase &op : opCases(777)) {
    GpuKernels kernels(op.text(), "sm_90");
    if (kernels.replace("bar.sync", "// bar.sync") == 0)
      continue;
    // Nobody wrote it yet, or another thread writes it at some other time.
    EXPECT_NONFATAL_FAILURE(run(kernels, op), "shared memory");
    ++checked;
  }
  EXPECT_GE(checked, 4u);
}

namespace {
class GpuFusion : public testing::TestWithParam<Parameter> {};
} // namespace

TEST_P(GpuFusion, randomKernels) {
  auto [element, columns] = GetParam();
  checkFusion(element, columns, [](const std::string &text) { return std::make_unique<GpuKernels>(text); });
}

INSTANTIATE_TEST_SUITE_P(Kernels, GpuFusion, testing::Combine(testing::Values("f32", "bf16"), testing::Values(5, 64, 211)), nameOf);
