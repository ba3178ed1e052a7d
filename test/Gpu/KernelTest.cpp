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

// These tests can fail: kernels of rows and of columns without their barriers.
TEST(GpuRules, barriersAreNeeded) {
  unsigned checked = 0;
  for (const OpCase &op : opCases(777)) {
    GpuKernels kernels(op.text(), "sm_90");
    if (kernels.replace("bar.sync", "// bar.sync") == 0)
      continue;
    EXPECT_NONFATAL_FAILURE(run(kernels, op), "shared memory that nobody wrote");
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
