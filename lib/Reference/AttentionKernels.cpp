//===- AttentionKernels.cpp - Core attention, in parts and in one op ----------------------------------------------===//

#include "DropoutMask.h"
#include "Kernels.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace tx;

static LogicalResult attentionScores(AttentionScoresOp op, Operands in, Results out) {
  const Tensor &q = *in[0], &k = *in[1];
  int64_t b = q.shape[0], s = q.shape[1], t = k.shape[1];
  int64_t heads = op.getHeads(), d = op.getHeadWidth();
  int64_t shareQ = heads * d / q.shape[2], shareK = heads * d / k.shape[2]; // heads in a row that have one
  double scale = op.getScale().convertToDouble();
  for (int64_t sample = 0; sample < b; ++sample)
    for (int64_t head = 0; head < heads; ++head)
      for (int64_t i = 0; i < s; ++i)
        for (int64_t j = 0; j < t; ++j) {
          const double *qRow = &q.values[(sample * s + i) * q.shape[2] + head / shareQ * d];
          const double *kRow = &k.values[(sample * t + j) * k.shape[2] + head / shareK * d];
          double sum = 0;
          for (int64_t c = 0; c < d; ++c)
            sum += qRow[c] * kRow[c];
          out[0].values[((sample * heads + head) * s + i) * t + j] = scale * sum;
        }
  return success();
}

static LogicalResult softmax(SoftmaxOp op, Operands in, Results out) {
  const Tensor &x = *in[0];
  int64_t columns = x.getColumns();
  for (int64_t r = 0; r < x.getRows(); ++r) {
    int64_t visible = op.getCausal() ? r % x.shape[x.shape.size() - 2] + 1 : columns;
    const double *row = &x.values[r * columns];
    double *to = &out[0].values[r * columns];
    double largest = *std::max_element(row, row + visible), sum = 0;
    for (int64_t c = 0; c < visible; ++c)
      sum += to[c] = std::exp(row[c] - largest);
    for (int64_t c = 0; c < visible; ++c)
      to[c] /= sum;
  }
  return success();
}

static LogicalResult softmaxGrad(SoftmaxGradOp, Operands in, Results out) {
  const Tensor &dy = *in[0], &y = *in[1];
  int64_t columns = y.getColumns();
  for (int64_t r = 0; r < y.getRows(); ++r) {
    double sum = 0;
    for (int64_t i = r * columns; i < (r + 1) * columns; ++i)
      sum += dy.values[i] * y.values[i];
    for (int64_t i = r * columns; i < (r + 1) * columns; ++i)
      out[0].values[i] = y.values[i] * (dy.values[i] - sum);
  }
  return success();
}

static LogicalResult attentionContext(AttentionContextOp op, Operands in, Results out) {
  const Tensor &p = *in[0], &v = *in[1];
  int64_t b = p.shape[0], heads = p.shape[1], s = p.shape[2], t = p.shape[3];
  int64_t h = out[0].shape[2], d = h / heads, share = h / v.shape[2]; // heads in a row that have one of v
  int64_t rows = op.getTransposed() ? t : s, sums = op.getTransposed() ? s : t;
  double scale = op.getScale().convertToDouble();
  for (int64_t sample = 0; sample < b; ++sample)
    for (int64_t head = 0; head < heads; ++head)
      for (int64_t i = 0; i < rows; ++i)
        for (int64_t j = 0; j < sums; ++j) {
          int64_t row = op.getTransposed() ? j : i, column = op.getTransposed() ? i : j;
          double weight = scale * p.values[((sample * heads + head) * s + row) * t + column];
          for (int64_t c = 0; c < d; ++c)
            out[0].values[(sample * rows + i) * h + head * d + c] +=
                weight * v.values[(sample * sums + j) * v.shape[2] + head / share * d + c];
        }
  return success();
}

static LogicalResult sumHeadGroups(SumHeadGroupsOp op, Operands in, Results out) {
  const Tensor &x = *in[0];
  int64_t columns = out[0].getColumns(), d = columns / static_cast<int64_t>(op.getGroups());
  int64_t share = x.getColumns() / columns;
  for (int64_t row = 0; row < x.getRows(); ++row)
    for (int64_t c = 0; c < x.getColumns(); ++c)
      out[0].values[row * columns + c / d / share * d + c % d] += x.values[row * x.getColumns() + c];
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// In one op
//===--------------------------------------------------------------------------------------------------------------===//

namespace {

/// Flash attention, one row of scores after the other, as the formulas have it. A row is one query of one head.
template <typename OpT> class FlashRows {
public:
  FlashRows(OpT op, const Tensor &q, const Tensor &k, const Tensor *key)
      : q(q), k(k), heads(op.getHeads()), d(q.shape[2] / heads), group(heads / (k.shape[2] / d)), queries(q.shape[1]),
        keys(k.shape[1]), causal(op.getCausal()), scale(op.getScale().convertToDouble()),
        keep(1 - op.getProbability().convertToDouble()) {
    if (key)
      mask.emplace(*key, op.getScope().getSiteHash(), 1 - keep);
  }

  int64_t countRows() const { return q.shape[0] * heads * queries; }
  int64_t countVisible(int64_t row) const { return causal ? row % queries + 1 : keys; }
  /// Index of the first element of a row's query, and of its j-th key or value.
  int64_t queryAt(int64_t row) const {
    return (sampleOf(row) * queries + row % queries) * q.shape[2] + headOf(row) * d;
  }
  int64_t keyAt(int64_t row, int64_t j) const {
    return (sampleOf(row) * keys + j) * k.shape[2] + headOf(row) / group * d;
  }
  std::vector<double> scoresOf(int64_t row) const {
    std::vector<double> scores(countVisible(row));
    for (int64_t j = 0; j < countVisible(row); ++j)
      scores[j] = scale * dot(&q.values[queryAt(row)], &k.values[keyAt(row, j)]);
    return scores;
  }
  double dot(const double *a, const double *b) const {
    double sum = 0;
    for (int64_t c = 0; c < d; ++c)
      sum += a[c] * b[c];
    return sum;
  }
  /// The factor by which dropout multiplies the row's j-th probability: 0 or 1 / keep; 1 without dropout.
  double factor(int64_t row, int64_t j) const {
    if (!mask)
      return 1;
    int64_t perSample = heads * queries;
    return mask->drops(row / perSample, row % perSample, j) ? 0 : 1 / keep;
  }

  const Tensor &q, &k;
  int64_t heads, d, group, queries, keys;
  bool causal;
  double scale, keep;

private:
  int64_t sampleOf(int64_t row) const { return row / (heads * queries); }
  int64_t headOf(int64_t row) const { return row / queries % heads; }
  std::optional<DropoutMask> mask;
};

} // namespace

static LogicalResult flashAttention(FlashAttentionOp op, Operands in, Results out) {
  FlashRows<FlashAttentionOp> rows(op, *in[0], *in[1], op.getKey() ? in[3] : nullptr);
  const Tensor &v = *in[2];
  for (int64_t row = 0; row < rows.countRows(); ++row) {
    std::vector<double> scores = rows.scoresOf(row);
    double largest = *std::max_element(scores.begin(), scores.end()), sum = 0;
    for (double score : scores)
      sum += std::exp(score - largest);
    out[1].values[row] = largest + std::log(sum);
    for (size_t j = 0; j < scores.size(); ++j) {
      double p = std::exp(scores[j] - largest) / sum * rows.factor(row, j);
      for (int64_t c = 0; c < rows.d; ++c)
        out[0].values[rows.queryAt(row) + c] += p * v.values[rows.keyAt(row, j) + c];
    }
  }
  return success();
}

static LogicalResult flashAttentionGrad(FlashAttentionGradOp op, Operands in, Results out) {
  const Tensor &dy = *in[0], &v = *in[3], &y = *in[4], &lse = *in[5];
  FlashRows<FlashAttentionGradOp> rows(op, *in[1], *in[2], op.getKey() ? in[6] : nullptr);
  for (int64_t row = 0; row < rows.countRows(); ++row) {
    std::vector<double> scores = rows.scoresOf(row);
    int64_t at = rows.queryAt(row);
    double rowSum = rows.dot(&dy.values[at], &y.values[at]);
    for (size_t j = 0; j < scores.size(); ++j) {
      int64_t to = rows.keyAt(row, j);
      double p = std::exp(scores[j] - lse.values[row]);
      double factor = rows.factor(row, j);
      double dp = factor * rows.dot(&dy.values[at], &v.values[to]);
      double ds = rows.scale * p * (dp - rowSum);
      for (int64_t c = 0; c < rows.d; ++c) {
        out[0].values[at + c] += ds * rows.k.values[to + c];
        out[1].values[to + c] += ds * rows.q.values[at + c];
        out[2].values[to + c] += p * factor * dy.values[at + c];
      }
    }
  }
  return success();
}

void tx::addAttentionKernels(KernelTable &table) {
  table.add<AttentionScoresOp, attentionScores>();
  table.add<SoftmaxOp, softmax>();
  table.add<SoftmaxGradOp, softmaxGrad>();
  table.add<AttentionContextOp, attentionContext>();
  table.add<SumHeadGroupsOp, sumHeadGroups>();
  table.add<FlashAttentionOp, flashAttention>();
  table.add<FlashAttentionGradOp, flashAttentionGrad>();
}
