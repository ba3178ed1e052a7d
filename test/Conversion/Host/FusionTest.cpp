// Random kernels, in f32 and bf16.

#include "KernelHarness.h"

#include <gtest/gtest.h>

using namespace txtest;

namespace {
class Fusion : public testing::TestWithParam<std::tuple<const char *, int64_t>> {};
} // namespace

TEST_P(Fusion, randomKernels) {
  auto [element, columns] = GetParam();
  checkFusion(element, columns, [](const std::string &text) { return std::make_unique<Kernels>(text); });
}

INSTANTIATE_TEST_SUITE_P(Kernels, Fusion, testing::Combine(testing::Values("f32", "bf16"), testing::Values(5, 64, 211)));
