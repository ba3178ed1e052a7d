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

static float fromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

static uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}

using Bf16 = AtLevel;
using CrossEntropy = AtLevel;
using Gelu = AtLevel;
using Softmax = AtLevel;

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

TEST_P(Gelu, showsWhatIsNotANumber) {
  Kernels kernels = compile(unary("gelu", 16));
  std::vector<float> x(16, 1.0f), y(16);
  x[3] = NAN;
  x[5] = 1e30f;
  kernels.run("k", {x.data(), y.data()}, 1);
  EXPECT_TRUE(std::isnan(y[3]));
  EXPECT_EQ(y[5], 1e30f);
  EXPECT_FALSE(std::isnan(y[4]));
}

TEST_P(Softmax, showsWhatIsNotANumber) {
  Kernels kernels = compile(unary("softmax", 80));
  std::vector<float> x(80, 1.0f), y(80);
  x[70] = NAN;
  kernels.run("k", {x.data(), y.data()}, 1);
  for (float value : y)
    EXPECT_TRUE(std::isnan(value));
}

TEST_P(Softmax, ofLargeNumbers) {
  Kernels kernels = compile(unary("softmax", 80));
  std::vector<float> x(80, -3e38f), y(80);
  x[17] = x[66] = 3e38f;
  kernels.run("k", {x.data(), y.data()}, 1);
  for (size_t i = 0; i < y.size(); ++i)
    EXPECT_EQ(y[i], i == 17 || i == 66 ? 0.5f : 0.0f);
}

TEST_P(Bf16, roundsToNearestEven) {
  std::string t = tensor({1, 48}, "bf16");
  Kernels kernels = compile("step.kernel @k row [1, 48] (%a: " + t + ", %b: " + t +
                            ") { %y = tx.add %a, %b in <\"x\"> : " + t + " step.yield %y : " + t + " }");
  std::vector<uint16_t> a(48), b(48), y(48);
  std::mt19937 random(1);
  for (size_t i = 0; i < 48; ++i) {
    a[i] = bitsOf(static_cast<float>(random() % 1000) - 500) >> 16;
    b[i] = bitsOf(std::ldexp(static_cast<float>(random() % 256), -4)) >> 16;
  }
  a[0] = 0x3f80, b[0] = 0x3b80; // 1 + 2^-8: a tie, to the even 1
  a[1] = 0x3f81, b[1] = 0x3b80; // (1 + 2^-7) + 2^-8: a tie, to the even 1 + 2^-6
  a[2] = 0x7fc0;                // not a number
  a[3] = 0x7f7f, b[3] = 0x7f7f; // beyond the largest
  a[4] = 0x0001, b[4] = 0x0001; // denormal
  kernels.run("k", {a.data(), b.data(), y.data()}, 1);
  EXPECT_EQ(y[0], 0x3f80);
  EXPECT_EQ(y[1], 0x3f82);
  EXPECT_TRUE(std::isnan(fromBits(uint32_t(y[2]) << 16)));
  EXPECT_EQ(y[3], 0x7f80);
  EXPECT_EQ(y[4], 0x0002);
  for (size_t i = 5; i < 48; ++i) {
    float sum = fromBits(uint32_t(a[i]) << 16) + fromBits(uint32_t(b[i]) << 16);
    uint32_t bits = bitsOf(sum);
    uint32_t below = bits & 0xffff0000, above = below + 0x10000;
    float found = fromBits(uint32_t(y[i]) << 16);
    EXPECT_LE(std::abs(found - sum), std::abs(fromBits(below) - sum)) << i;
    EXPECT_LE(std::abs(found - sum), std::abs(fromBits(above) - sum)) << i;
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

INSTANTIATE_TEST_SUITE_P(Levels, Bf16, testing::ValuesIn(tx::hostLevels()), nameOfLevel);
INSTANTIATE_TEST_SUITE_P(Levels, CrossEntropy, testing::ValuesIn(tx::hostLevels()), nameOfLevel);
INSTANTIATE_TEST_SUITE_P(Levels, Gelu, testing::ValuesIn(tx::hostLevels()), nameOfLevel);
INSTANTIATE_TEST_SUITE_P(Levels, Softmax, testing::ValuesIn(tx::hostLevels()), nameOfLevel);

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
