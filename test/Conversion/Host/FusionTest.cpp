// Random kernels, in f32 and bf16, at each level of this machine.

#include "KernelHarness.h"

#include <gtest/gtest.h>

using namespace txtest;

namespace {
class Fusion : public testing::TestWithParam<std::tuple<std::string, const char *, int64_t>> {};
} // namespace

TEST_P(Fusion, randomKernels) {
  auto [level, element, columns] = GetParam();
  tx::HostTargetOptions options{level, {}};
  checkFusion(element, columns, [&](const std::string &text) { return std::make_unique<Kernels>(text, options); });
}

INSTANTIATE_TEST_SUITE_P(Kernels, Fusion,
                         testing::Combine(testing::ValuesIn(tx::hostLevels()), testing::Values("f32", "bf16"),
                                          testing::Values(5, 64, 211)));
