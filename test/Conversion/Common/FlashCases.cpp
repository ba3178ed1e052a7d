//===- FlashCases.cpp - Flash attention as kernels ----------------------------------------------------------------===//

#include "FlashCases.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

using namespace txtest;

static constexpr double kScale = 0.3, kDrop = 0.375;
static const std::vector<double> kKey = {12345, 99, 7, 0};

void txtest::PrintTo(const FlashShape &shape, std::ostream *os) { *os << shape.name; }

FlashShape txtest::randomGroups(unsigned seed, int64_t widest, const char *element) {
  std::mt19937 random(seed);
  auto between = [&](int64_t low, int64_t high) { return low + static_cast<int64_t>(random() % (high - low + 1)); };
  FlashShape shape{"RandomGroups", between(1, 2),      between(1, 80), 0,    0,
                   between(1, 3),  between(1, widest), false,          false};
  shape.heads = shape.keyHeads * between(2, 4);
  shape.keys = shape.queries + between(0, 70);
  shape.causal = between(0, 1);
  shape.dropout = between(0, 1);
  shape.element = element;
  return shape;
}

double FlashShape::boundOf(double lse) { return std::expm1(std::abs(lse) * 0x1p-21 + 0x1p-20); }

static std::vector<uint8_t> rounded(Tensor tensor, const std::vector<double> &values) {
  tensor.values = values;
  return tensor.pack(0);
}

FlashCase::FlashCase(const FlashShape &shape) : shape(shape) {
  random.seed(3);
  int64_t hidden = shape.heads * shape.width;
  q = normal({shape.batch, shape.queries, hidden});
  k = normal({shape.batch, shape.keys, shape.keyHeads * shape.width});
  if (shape.common)
    for (Tensor *tensor : {&q, &k})
      for (int64_t i = 0; i < tensor->elements(); ++i)
        tensor->values[i] = i % shape.width ? std::round(tensor->values[i]) : shape.common;
  v = normal(k.shape);
  dy = normal(q.shape);
  y = {q.shape, shape.element};
  lse = {{shape.batch, shape.heads, shape.queries}};
  key = {{4}, "i32", kKey};
  computeExpected();
  // Backward takes what forward gives, as rounded as memory has it.
  y.unpack(rounded(y, expectedY), 0);
  lse.unpack(rounded(lse, expectedLse), 0);
}

Tensor FlashCase::normal(std::vector<int64_t> shape) {
  std::normal_distribution<float> distribution;
  Tensor tensor{shape, this->shape.element};
  for (int64_t i = 0; i < tensor.elements(); ++i)
    tensor.values.push_back(distribution(random));
  tensor.unpack(tensor.pack(0), 0);
  return tensor;
}

bool FlashCase::isDropped(int64_t sample, int64_t row, int64_t column) const {
  auto word = [](double value) { return static_cast<uint32_t>(value); };
  auto words = philox({word(16 * (column / 64) + column % 16), word(row), word(7 + sample), 0xdeadbeef}, {12345, 99});
  return words[column / 16 % 4] < static_cast<uint32_t>(kDrop * 4294967296.0);
}

void FlashCase::computeExpected() {
  const FlashShape &s = shape;
  int64_t hidden = s.heads * s.width, narrow = s.keyHeads * s.width;
  expectedY.assign(q.elements(), 0);
  expectedLse.assign(lse.elements(), 0);
  dq.assign(q.elements(), 0);
  dk.assign(k.elements(), 0);
  dv.assign(k.elements(), 0);
  for (int64_t b = 0; b < s.batch; ++b)
    for (int64_t a = 0; a < s.heads; ++a)
      for (int64_t i = 0; i < s.queries; ++i) {
        int64_t at = (b * s.queries + i) * hidden + a * s.width;
        int64_t visible = s.causal ? i + 1 : s.keys;
        auto keyAt = [&](int64_t j) { return (b * s.keys + j) * narrow + a / (s.heads / s.keyHeads) * s.width; };
        auto dot = [&](const Tensor &left, const Tensor &right, int64_t j) {
          double sum = 0;
          for (int64_t c = 0; c < s.width; ++c)
            sum += left.values[at + c] * right.values[keyAt(j) + c];
          return sum;
        };
        std::vector<double> p(visible), mask(visible, 1);
        for (int64_t j = 0; j < visible; ++j)
          p[j] = kScale * dot(q, k, j);
        double largest = *std::max_element(p.begin(), p.end()), sum = 0;
        for (int64_t j = 0; j < visible; ++j) {
          sum += p[j] = std::exp(p[j] - largest);
          if (s.dropout)
            mask[j] = isDropped(b, a * s.queries + i, j) ? 0 : 1 / (1 - kDrop);
        }
        expectedLse[(b * s.heads + a) * s.queries + i] = largest + std::log(sum);
        double rowSum = 0;
        for (int64_t j = 0; j < visible; ++j) {
          p[j] /= sum;
          rowSum += p[j] * mask[j] * dot(dy, v, j);
          for (int64_t c = 0; c < s.width; ++c)
            expectedY[at + c] += p[j] * mask[j] * v.values[keyAt(j) + c];
        }
        for (int64_t j = 0; j < visible; ++j) {
          double ds = kScale * p[j] * (mask[j] * dot(dy, v, j) - rowSum);
          for (int64_t c = 0; c < s.width; ++c) {
            dq[at + c] += ds * k.values[keyAt(j) + c];
            dk[keyAt(j) + c] += ds * q.values[at + c];
            dv[keyAt(j) + c] += p[j] * mask[j] * dy.values[at + c];
          }
        }
      }
}

/// `op %0, %1, ... heads ... : types`
std::string FlashCase::text(std::string op, size_t inputs, std::string types) const {
  const FlashShape &s = shape;
  for (size_t i = 0; i < inputs; ++i)
    op += (i ? ", %" : " %") + std::to_string(i);
  op += " heads " + std::to_string(s.heads) + " scale 0.3";
  if (s.causal)
    op += " causal";
  if (s.dropout) {
    op += " dropout %" + std::to_string(inputs) + " p 0.375";
    types += ", " + key.type();
  }
  op += " in <\"x\">";
  if (s.dropout)
    op += " {step.immediate = 0 : i64}";
  return op + " : " + types;
}

OpCase FlashCase::finish(OpCase op) const {
  if (shape.dropout) {
    op.inputs.push_back(key);
    op.immediates = {0xdeadbeef};
  }
  return op;
}

static int64_t tiles(int64_t size) { return (size + 63) / 64; }

OpCase FlashCase::forward() const {
  const FlashShape &s = shape;
  OpCase op{"forward", "tile", s.batch * s.heads * tiles(s.queries), 64 * s.keys, "", {}, {}};
  op.op = "%r0, %r1 = " + text("tx.flash_attention", 3, q.type() + ", " + k.type());
  op.inputs = {q, k, v};
  op.outputs = {{q.shape, s.element}, {lse.shape}};
  return finish(op);
}

OpCase FlashCase::backward() const {
  const FlashShape &s = shape;
  OpCase op{"backward",
            "tile",
            s.batch * (s.heads * tiles(s.queries) + s.keyHeads * tiles(s.keys)),
            64 * std::max(s.queries, s.keys),
            "",
            {},
            {}};
  op.op = "%r0, %r1, %r2 = " + text("tx.flash_attention_grad", 6, q.type() + ", " + k.type() + ", " + lse.type());
  op.inputs = {dy, q, k, v, y, lse};
  op.outputs = {{q.shape, s.element}, {k.shape, s.element}, {k.shape, s.element}};
  return finish(op);
}

std::vector<int64_t> FlashCase::stridesOf(const OpCase &op, int64_t gap) const {
  std::vector<int64_t> strides;
  for (const auto *tensors : {&op.inputs, &op.outputs})
    for (const Tensor &tensor : *tensors)
      strides.push_back(tensor.shape == q.shape || tensor.shape == k.shape ? tensor.columns() + gap : 0);
  return strides;
}

static void expectNear(const Tensor &found, const std::vector<double> &expected, double tolerance, const char *what) {
  ASSERT_EQ(found.values.size(), expected.size()) << what;
  double error = 0, norm = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    error += std::pow(found.values[i] - expected[i], 2);
    norm += std::pow(expected[i], 2);
  }
  EXPECT_LE(std::sqrt(error), tolerance * std::sqrt(norm)) << what;
}

void FlashCase::expectForward(const std::vector<Tensor> &found, double tolerance) const {
  expectNear(found[0], expectedY, tolerance, "o");
  expectNear(found[1], expectedLse, tolerance, "lse");
}

void FlashCase::expectBackward(const std::vector<Tensor> &found, double tolerance) const {
  expectNear(found[0], dq, tolerance, "dq");
  expectNear(found[1], dk, tolerance, "dk");
  expectNear(found[2], dv, tolerance, "dv");
}
