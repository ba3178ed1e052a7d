//===- AttentionKernels.cpp - Scores, softmax, P V ------------------------===//

#include "Kernels.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace tx;

static LogicalResult attentionScores(AttentionScoresOp op, Operands in, Results out) {
  const Tensor &q = *in[0], &k = *in[1];
  int64_t b = q.shape[0], s = q.shape[1], h = q.shape[2], t = k.shape[1];
  int64_t heads = op.getHeads(), d = h / heads;
  double scale = op.getScale().convertToDouble();
  for (int64_t sample = 0; sample < b; ++sample)
    for (int64_t head = 0; head < heads; ++head)
      for (int64_t i = 0; i < s; ++i)
        for (int64_t j = 0; j < t; ++j) {
          const double *qRow = &q.values[(sample * s + i) * h + head * d];
          const double *kRow = &k.values[(sample * t + j) * h + head * d];
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
  int64_t h = v.shape[2], d = h / heads;
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
                weight * v.values[(sample * sums + j) * h + head * d + c];
        }
  return success();
}

void tx::addAttentionKernels(KernelTable &table) {
  table.add<AttentionScoresOp, attentionScores>();
  table.add<SoftmaxOp, softmax>();
  table.add<SoftmaxGradOp, softmaxGrad>();
  table.add<AttentionContextOp, attentionContext>();
}
