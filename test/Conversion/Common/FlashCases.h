//===- FlashCases.h - Flash attention as kernels --------------------------------------------------------*- C++ -*-===//

#ifndef TX_TEST_CONVERSION_COMMON_FLASHCASES_H
#define TX_TEST_CONVERSION_COMMON_FLASHCASES_H

#include "OpCases.h"

#include <random>

namespace txtest {

struct FlashShape {
  const char *name;
  int64_t batch, queries, keys, heads, keyHeads, width;
  bool causal, dropout;
  const char *element = "f32";
  /// Not 0: the first column of each head of Q and K, and the others are whole numbers, so that products are exact.
  /// Scores are then large, and near each other.
  double common = 0;

  /// By what the probabilities of backward may be off: tx.flash_attention_grad says so.
  static double boundOf(double lse);
};
void PrintTo(const FlashShape &shape, std::ostream *os);
/// A shape of heads that share keys and values, of any width up to `widest`.
FlashShape randomGroups(unsigned seed, int64_t widest, const char *element);

/// Attention of a shape on random tensors, and what it should give, from the formulas in double.
class FlashCase {
public:
  explicit FlashCase(const FlashShape &shape);

  /// Kernels named "forward" (O and log-sum-exps), "backward" (dQ, dK, dV).
  OpCase forward() const;
  OpCase backward() const;
  /// With rows of Q, K, V and the like `gap` elements further apart than they are long.
  std::vector<int64_t> stridesOf(const OpCase &op, int64_t gap) const;

  /// Record test failures where the error's norm is more than `tolerance` of the expected one's.
  void expectForward(const std::vector<Tensor> &found, double tolerance) const;
  void expectBackward(const std::vector<Tensor> &found, double tolerance) const;

private:
  Tensor normal(std::vector<int64_t> shape);
  bool isDropped(int64_t sample, int64_t row, int64_t column) const;
  void computeExpected();
  std::string text(std::string op, size_t inputs, std::string types) const;
  OpCase finish(OpCase op) const;

  FlashShape shape;
  std::mt19937 random;
  Tensor q, k, v, dy, y, lse, key;
  std::vector<double> expectedY, expectedLse, dq, dk, dv;
};

} // namespace txtest

#endif // TX_TEST_CONVERSION_COMMON_FLASHCASES_H
