// Values at the edges, narrow types, and what the compiler says about a target.

#include "KernelHarness.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

using namespace txtest;

static std::string unary(const std::string &op, int64_t columns, const char *element = "f32") {
  std::string t = tensor({1, columns}, element), n = std::to_string(columns);
  return "step.kernel @k row [1, " + n + "] (%x: " + t + ") { %y = tx." + op + " %x in <\"x\"> : " + t +
         " step.yield %y : " + t + " }";
}

using CrossEntropy = AtLevel;
using Gelu = AtLevel;

TEST_P(Gelu, isPreciseForAllSizesOfNumbers) {
  Kernels kernels = compile(unary("gelu", 4096));
  for (float scale : {1e-6f, 1e-2f, 1.0f, 6.0f, 1e3f}) {
    auto x = randomFloats(4096, 1, scale);
    std::vector<float> y(4096);
    kernels.run("k", {x.data(), y.data()}, 1);
    for (size_t i = 0; i < x.size(); ++i) {
      double v = x[i], expected = v / (1 + std::exp(-2 * std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
      // An absolute error in the exponent is a relative one of the result, far out; an exponential is never larger than
      // exp(88), so far out is 1e-35, not 0.
      double bound = 2e-7 * std::abs(expected) * (1 + std::abs(v) + std::pow(std::abs(v), 3) * 0.1) + 1e-34;
      ASSERT_LE(std::abs(y[i] - expected), bound) << v;
    }
  }
}

TEST_P(CrossEntropy, keepsItsDigitsAtLargeLogits) {
  checkLargeLogits(
      [](const std::string &text) { return std::make_unique<Kernels>(text, tx::HostTargetOptions{GetParam(), {}}); });
}

TEST_P(CrossEntropy, ofATargetOutsideIsNotANumber) {
  Kernels kernels = compile(R"(step.kernel @k row [4, 20] (%x: tensor<1x4x20xf32>, %t: tensor<1x4xi32>) {
    %l, %z = tx.cross_entropy %x, %t ignore -100 in <"loss"> : tensor<1x4x20xf32>, tensor<1x4xi32>
    step.yield %l, %z : tensor<1x4xf32>, tensor<1x4x2xf32>
  })");
  auto x = randomFloats(80, 1);
  std::vector<int32_t> targets = {3, 20, -1, -100};
  std::vector<float> losses(4), statistics(8);
  kernels.run("k", {x.data(), targets.data(), losses.data(), statistics.data()}, 4);
  EXPECT_GT(losses[0], 0.0f);
  EXPECT_TRUE(std::isnan(losses[1]));
  EXPECT_TRUE(std::isnan(losses[2]));
  EXPECT_EQ(losses[3], 0.0f);
}

INSTANTIATE_TEST_SUITE_P(Levels, CrossEntropy, testing::ValuesIn(tx::hostLevels()), nameOfLevel);
INSTANTIATE_TEST_SUITE_P(Levels, Gelu, testing::ValuesIn(tx::hostLevels()), nameOfLevel);

TEST(Target, namesTheFeaturesThatTheCodeNeeds) {
  tx::HostTargetOptions options;
  options.cpu = "x86-64-v3";
  Kernels kernels(unary("gelu", 16), options);
  const auto &features = kernels.code().features;
  EXPECT_NE(std::find(features.begin(), features.end(), "avx2"), features.end());
  EXPECT_EQ(std::find(features.begin(), features.end(), "avx512f"), features.end());
}

TEST(Target, refusesCpusWithoutVectors) {
  tx::HostTargetOptions options;
  options.cpu = "x86-64";
  EXPECT_NE(diagnosticOf(unary("gelu", 16), options).find("host kernels need a CPU with AVX2 and FMA (x86-64-v3)"),
            std::string::npos);
}

TEST(Target, refusesUnknownCpus) {
  tx::HostTargetOptions options;
  options.cpu = "abacus";
  EXPECT_NE(diagnosticOf(unary("gelu", 16), options).find("unknown CPU 'abacus'; known: host, x86-64-v3"),
            std::string::npos);
}
