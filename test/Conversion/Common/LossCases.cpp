// The loss and its gradient have the digits of small logits where logits are large.

#include "OpCases.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace txtest;

void txtest::checkLargeLogits(const std::function<std::unique_ptr<KernelRunner>(const std::string &)> &compile) {
  // Each row has a common part, which f32 holds beside the difference of 10.
  const std::vector<double> levels = {0, 1000, -1000, 32768, -100000};
  const int64_t rows = levels.size();
  Tensor logits{{1, rows, 2}}, targets{{1, rows}, "i32", std::vector<double>(rows, 0)};
  Tensor dlosses{{1, rows}, "f32", std::vector<double>(rows, 1)}, statistics{{1, rows, 2}};
  for (double level : levels)
    logits.values.insert(logits.values.end(), {level, level - 10});

  const std::string l = logits.type(), t = targets.type(), d = dlosses.type();
  OpCase loss{"loss",
              "row",
              rows,
              2,
              "%r0, %r1 = tx.cross_entropy %0, %1 ignore -100 in <\"x\"> : " + l + ", " + t,
              {logits, targets},
              {dlosses, statistics}};
  const std::string gradient = " ignore -100 in <\"x\"> : " + d + ", " + l + ", " + t;
  OpCase grad{"grad",
              "row",
              rows,
              2,
              "%r0 = tx.cross_entropy_grad %0, %1, %2, %3" + gradient,
              {dlosses, logits, targets, statistics},
              {logits}};
  OpCase both{"both",
              "row",
              rows,
              2,
              "%r0, %s = tx.cross_entropy %1, %2 ignore -100 in <\"x\"> : " + l + ", " + t +
                  "\n%r1 = tx.cross_entropy_grad %0, %1, %2, %s" + gradient,
              {dlosses, logits, targets},
              {dlosses, logits}};

  std::unique_ptr<KernelRunner> kernels = compile(loss.text() + grad.text() + both.text());
  std::vector<Tensor> forward = run(*kernels, loss);
  grad.inputs.back() = forward[1];
  std::vector<Tensor> backward = run(*kernels, grad), fused = run(*kernels, both);
  EXPECT_EQ(fused[0].values, forward[0].values);
  EXPECT_EQ(fused[1].values, backward[0].values);
  // The sum, 1 + exp(-10), is rounded to 2^-23: by at most 0.13 % of its second term.
  const double other = std::exp(-10.0) / (1 + std::exp(-10.0));
  for (int64_t row = 0; row < rows; ++row) {
    EXPECT_NEAR(forward[0].values[row], std::log1p(std::exp(-10.0)), 2e-3 * other) << levels[row];
    EXPECT_NEAR(backward[0].values[2 * row], -other, 2e-3 * other) << levels[row];
    EXPECT_NEAR(backward[0].values[2 * row + 1], other, 2e-3 * other) << levels[row];
  }
}
