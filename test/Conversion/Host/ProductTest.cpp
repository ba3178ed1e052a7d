// Products of bf16 matrices: right at every size that code has a case for, nothing but C written, and C not read where
// beta is 0.

#include "KernelHarness.h"

#include "txrt/abi.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

using namespace txtest;

namespace {

uint16_t narrow(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
float widen(uint16_t bits) {
  uint32_t wide = uint32_t(bits) << 16;
  float value;
  std::memcpy(&value, &wide, 4);
  return value;
}

/// A program with every form of product; functions are made for these.
std::string allForms() {
  std::string text = "step.entry @e () -> () {\n";
  int number = 0;
  for (const char *transposeA : {"", "transpose_a "})
    for (const char *transposeB : {"", "transpose_b "})
      for (const char *element : {"bf16", "f32"})
        text += "step.gemm " + std::to_string(number++) + " in <\"x\"> m 4 n 4 k 4 " + transposeA + transposeB +
                "alpha 1.0 beta 0.0 (a <transient, 0x0, tensor<4x4xbf16>> lda 4, "
                "b <transient, 0x40, tensor<4x4xbf16>> ldb 4) -> (c <transient, 0x80, tensor<4x4x" +
                element + ">> ldc 4)\n";
  return text + "}\n";
}

struct Case {
  int64_t m, n, k;
  bool ta, tb, isWide;
  float alpha, beta;
};

class Products : public AtLevel {
protected:
  /// Rows of `columns` numbers and a gap of NaNs, in bf16.
  static std::vector<uint16_t> matrix(int64_t rows, int64_t columns, unsigned seed) {
    std::vector<uint16_t> values(rows * (columns + kGap), 0xffff);
    std::vector<float> numbers = randomFloats(rows * columns, seed);
    for (int64_t i = 0; i < rows * columns; ++i)
      values[i / columns * (columns + kGap) + i % columns] = narrow(numbers[i]);
    return values;
  }

  void check(Kernels &kernels, const Case &c) {
    SCOPED_TRACE(testing::Message() << c.m << " x " << c.n << " x " << c.k << (c.ta ? " T" : " N") << (c.tb ? "T" : "N")
                                    << (c.isWide ? " f32" : " bf16") << " beta " << c.beta);
    int64_t lda = (c.ta ? c.m : c.k) + kGap, ldb = (c.tb ? c.k : c.n) + kGap, ldc = c.n + kGap;
    std::vector<uint16_t> a = matrix(c.ta ? c.k : c.m, lda - kGap, 1), b = matrix(c.tb ? c.n : c.k, ldb - kGap, 2);
    std::vector<float> oldC = randomFloats(c.m * ldc, 3);
    std::vector<uint16_t> oldNarrow(oldC.size());
    for (size_t i = 0; i < oldC.size(); ++i) {
      if (c.beta == 0)
        oldC[i] = NAN;
      oldNarrow[i] = narrow(oldC[i]);
      if (!c.isWide)
        oldC[i] = widen(oldNarrow[i]);
    }
    std::vector<float> wide = oldC;
    std::vector<uint16_t> rounded = oldNarrow;
    std::string name =
        std::string("gemm_bf16_") + (c.ta ? 't' : 'n') + (c.tb ? 't' : 'n') + (c.isWide ? "_f32" : "_bf16");
    auto product = reinterpret_cast<txrt_host_product>(kernels.function(name));
    ASSERT_TRUE(product) << name;
    void *to = c.isWide ? static_cast<void *>(wide.data()) : rounded.data();
    product(a.data(), b.data(), to, c.m, c.n, c.k, lda, ldb, ldc, c.alpha, c.beta);
    for (int64_t i = 0; i < c.m; ++i)
      for (int64_t j = 0; j < ldc; ++j) {
        int64_t at = i * ldc + j;
        if (j >= c.n) {
          ASSERT_EQ(std::memcmp(&wide[at], &oldC[at], 4), 0) << "written behind row " << i;
          ASSERT_EQ(rounded[at], oldNarrow[at]) << "written behind row " << i;
          continue;
        }
        double sum = 0, magnitude = 0;
        for (int64_t p = 0; p < c.k; ++p) {
          double term = double(widen(a[c.ta ? p * lda + i : i * lda + p])) * widen(b[c.tb ? j * ldb + p : p * ldb + j]);
          sum += term, magnitude += std::abs(term);
        }
        double expected = c.alpha * sum + (c.beta == 0 ? 0 : c.beta * oldC[at]);
        double bound = 1e-6 * (magnitude + 1) + (c.isWide ? 0 : std::abs(expected) / 256);
        ASSERT_NEAR(c.isWide ? wide[at] : widen(rounded[at]), expected, bound) << "at " << i << ", " << j;
      }
  }

  static constexpr int64_t kGap = 3;
};

} // namespace

TEST_P(Products, agreeWithDouble) {
  Kernels kernels = compile(allForms());
  // The parts of depth end at 256, at 768 on a matrix unit.
  const int64_t sizes[][3] = {{1, 1, 1},     {16, 16, 32},  {17, 33, 31},    {2, 47, 770}, {33, 16, 256},
                              {64, 64, 257}, {100, 50, 64}, {256, 192, 100}, {5, 192, 33}};
  for (auto [m, n, k] : sizes)
    for (int form = 0; form < 8; ++form)
      for (float beta : {0.0f, 1.0f})
        check(kernels, {m, n, k, bool(form & 1), bool(form & 2), bool(form & 4), beta == 0 ? 0.5f : 1.0f, beta});
}

// What no test can run here is code all the same.
INSTANTIATE_TEST_SUITE_P(Levels, Products, testing::ValuesIn(tx::hostLevels()), nameOfLevel);

TEST(ProductUnits, becomeCodeForEach) {
  for (auto [cpu, hasTiles] :
       {std::pair("x86-64-v3", false), std::pair("x86-64-v4", false), std::pair("sapphirerapids", true)}) {
    tx::HostTargetOptions options;
    options.cpu = cpu;
    Kernels kernels(allForms(), options);
    EXPECT_TRUE(kernels.function("gemm_bf16_nt_f32")) << cpu;
    const std::vector<std::string> &features = kernels.code().features;
    EXPECT_EQ(std::count(features.begin(), features.end(), "amx-bf16") == 1, hasTiles) << cpu;
  }
}
