// Row kernels against plain loops in double.

#include "KernelHarness.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace txtest;

namespace {
std::string rowKernel(const std::string &name, int64_t rows, int64_t columns, const std::string &rest) {
  return "step.kernel @" + name + " row [" + std::to_string(rows) + ", " + std::to_string(columns) + "] " + rest;
}
} // namespace

TEST(RowKernel, addAtAllSizes) {
  for (int64_t columns : oddColumns) {
    int64_t rows = 6;
    std::string t = tensor({2, 3, columns});
    Kernels kernels(rowKernel("k", rows, columns, "(%a: " + t + ", %b: " + t + ") { %y = tx.add %a, %b in <\"x\"> : " +
                                                      t + " step.yield %y : " + t + " }"));
    auto a = randomFloats(rows * columns, 1), b = randomFloats(rows * columns, 2);
    std::vector<float> y(rows * columns + 1, 42.0f);
    kernels.run("k", {a.data(), b.data(), y.data()}, rows);
    for (int64_t i = 0; i < rows * columns; ++i)
      ASSERT_EQ(y[i], a[i] + b[i]) << columns << " columns, element " << i;
    EXPECT_EQ(y.back(), 42.0f) << "written behind the end";
  }
}

TEST(RowKernel, layerNorm) {
  for (int64_t columns : oddColumns) {
    int64_t rows = 3;
    std::string t = tensor({1, rows, columns}), w = tensor({columns}), s = tensor({1, rows});
    Kernels kernels(rowKernel("k", rows, columns,
                              "(%x: " + t + ", %w: " + w + ", %b: " + w +
                                  ") { %y, %mean, %rstd = tx.layer_norm %x, %w, %b eps 1.0e-5 in <\"x\"> : " + t +
                                  ", " + w + " step.yield %y, %mean, %rstd : " + t + ", " + s + ", " + s + " }"));
    auto x = randomFloats(rows * columns, 1, 3.0f), weight = randomFloats(columns, 2), bias = randomFloats(columns, 3);
    std::vector<float> y(rows * columns), mean(rows), rstd(rows);
    kernels.run("k", {x.data(), weight.data(), bias.data(), y.data(), mean.data(), rstd.data()}, rows);
    std::vector<double> expected;
    for (int64_t r = 0; r < rows; ++r) {
      double m = 0, v = 0;
      for (int64_t c = 0; c < columns; ++c)
        m += x[r * columns + c] / double(columns);
      for (int64_t c = 0; c < columns; ++c)
        v += (x[r * columns + c] - m) * (x[r * columns + c] - m) / double(columns);
      double rs = 1 / std::sqrt(v + 1e-5);
      EXPECT_NEAR(mean[r], m, 1e-6);
      EXPECT_NEAR(rstd[r] / rs, 1, columns == 1 ? 1e-2 : 1e-5) << columns;
      for (int64_t c = 0; c < columns; ++c)
        expected.push_back((x[r * columns + c] - m) * rs * weight[c] + bias[c]);
    }
    EXPECT_LT(worstError(y, expected), 5e-6) << columns << " columns";
  }
}

TEST(RowKernel, gelu) {
  int64_t columns = 777, rows = 40;
  std::string t = tensor({rows, columns});
  Kernels kernels(
      rowKernel("f", rows, columns, "(%x: " + t + ") { %y = tx.gelu %x in <\"x\"> : " + t + " step.yield %y : " + t + " }") +
      rowKernel("g", rows, columns,
                "(%dy: " + t + ", %x: " + t + ") { %y = tx.gelu_grad %dy, %x in <\"x\"> : " + t + " step.yield %y : " + t + " }"));
  auto x = randomFloats(rows * columns, 1, 4.0f), dy = randomFloats(rows * columns, 2);
  std::vector<float> y(rows * columns), dx(rows * columns);
  kernels.run("f", {x.data(), y.data()}, rows);
  kernels.run("g", {dy.data(), x.data(), dx.data()}, rows);
  std::vector<double> expected, gradient;
  for (size_t i = 0; i < x.size(); ++i) {
    double v = x[i], k = std::sqrt(2 / M_PI), t = std::tanh(k * (v + 0.044715 * v * v * v));
    expected.push_back(0.5 * v * (1 + t));
    gradient.push_back(dy[i] * (0.5 * (1 + t) + 0.5 * v * (1 - t * t) * k * (1 + 3 * 0.044715 * v * v)));
  }
  EXPECT_LT(worstError(y, expected), 4e-7);
  EXPECT_LT(worstError(dx, gradient), 6e-7);
}
