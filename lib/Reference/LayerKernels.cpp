//===- LayerKernels.cpp - Embedding, norms, RoPE, linear ----------------------------------------------------------===//

#include "Kernels.h"

#include <cmath>

using namespace mlir;
using namespace tx;

//===--------------------------------------------------------------------------------------------------------------===//
// Embedding
//===--------------------------------------------------------------------------------------------------------------===//

static FailureOr<int64_t> row(Operation *op, double token, const Tensor &table) {
  if (!(token >= 0 && token < table.shape[0]))
    return op->emitOpError("has token ") << static_cast<int64_t>(token) << ", not in [0, " << table.shape[0] << ")";
  return static_cast<int64_t>(token);
}

static LogicalResult embedding(EmbeddingOp op, Operands in, Results out) {
  const Tensor &tokens = *in[0], &table = *in[1];
  int64_t columns = table.getColumns();
  for (size_t i = 0; i < tokens.values.size(); ++i) {
    FailureOr<int64_t> from = row(op, tokens.values[i], table);
    if (failed(from))
      return failure();
    for (int64_t c = 0; c < columns; ++c)
      out[0].values[i * columns + c] = table.values[*from * columns + c];
  }
  return success();
}

static LogicalResult embeddingWeightGrad(EmbeddingWeightGradOp op, Operands in, Results out) {
  const Tensor &tokens = *in[0], &dy = *in[1];
  startAccumulation(in, 2, 3, out[0]);
  int64_t columns = dy.getColumns();
  for (size_t i = 0; i < tokens.values.size(); ++i) {
    FailureOr<int64_t> to = row(op, tokens.values[i], out[0]);
    if (failed(to))
      return failure();
    for (int64_t c = 0; c < columns; ++c)
      out[0].values[*to * columns + c] += dy.values[i * columns + c];
  }
  return success();
}

static LogicalResult addPositions(AddPositionsOp, Operands in, Results out) {
  const Tensor &x = *in[0], &table = *in[1];
  int64_t sample = x.shape[1] * x.shape[2];
  for (size_t i = 0; i < x.values.size(); ++i)
    out[0].values[i] = x.values[i] + table.values[i % sample];
  return success();
}

static LogicalResult positionWeightGrad(PositionWeightGradOp, Operands in, Results out) {
  const Tensor &dy = *in[0];
  startAccumulation(in, 1, 2, out[0]);
  int64_t sample = dy.shape[1] * dy.shape[2];
  for (size_t i = 0; i < dy.values.size(); ++i)
    out[0].values[i % sample] += dy.values[i];
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Layer norm
//===--------------------------------------------------------------------------------------------------------------===//

static LogicalResult layerNorm(LayerNormOp op, Operands in, Results out) {
  const Tensor &x = *in[0], &weight = *in[1], &bias = *in[2];
  int64_t n = x.getColumns();
  for (int64_t r = 0; r < x.getRows(); ++r) {
    const double *row = &x.values[r * n];
    double mean = 0, variance = 0;
    for (int64_t c = 0; c < n; ++c)
      mean += row[c] / n;
    for (int64_t c = 0; c < n; ++c)
      variance += (row[c] - mean) * (row[c] - mean) / n;
    double rstd = 1 / std::sqrt(variance + op.getEps().convertToDouble());
    for (int64_t c = 0; c < n; ++c)
      out[0].values[r * n + c] = (row[c] - mean) * rstd * weight.values[c] + bias.values[c];
    out[1].values[r] = mean;
    out[2].values[r] = rstd;
  }
  return success();
}

static LogicalResult layerNormInputGrad(LayerNormInputGradOp, Operands in, Results out) {
  const Tensor &dy = *in[0], &x = *in[1], &weight = *in[2], &mean = *in[3], &rstd = *in[4];
  int64_t n = x.getColumns();
  for (int64_t r = 0; r < x.getRows(); ++r) {
    auto normal = [&](int64_t c) { return (x.values[r * n + c] - mean.values[r]) * rstd.values[r]; };
    auto gradient = [&](int64_t c) { return dy.values[r * n + c] * weight.values[c]; };
    double average = 0, product = 0;
    for (int64_t c = 0; c < n; ++c) {
      average += gradient(c) / n;
      product += gradient(c) * normal(c) / n;
    }
    for (int64_t c = 0; c < n; ++c)
      out[0].values[r * n + c] = rstd.values[r] * (gradient(c) - average - normal(c) * product);
  }
  return success();
}

static LogicalResult layerNormWeightGrad(LayerNormWeightGradOp, Operands in, Results out) {
  const Tensor &dy = *in[0], &x = *in[1], &mean = *in[2], &rstd = *in[3];
  unsigned accumulators = out.size();
  for (unsigned i = 0; i < accumulators; ++i)
    startAccumulation(in, 4 + i, 4 + accumulators, out[i]);
  int64_t n = x.getColumns();
  for (int64_t r = 0; r < x.getRows(); ++r)
    for (int64_t c = 0; c < n; ++c) {
      out[0].values[c] += dy.values[r * n + c] * (x.values[r * n + c] - mean.values[r]) * rstd.values[r];
      if (accumulators > 1)
        out[1].values[c] += dy.values[r * n + c];
    }
  return success();
}

static LogicalResult layerNormPartialGrad(LayerNormPartialGradOp op, Operands in, Results out) {
  const Tensor &dy = *in[0], &x = *in[1], &mean = *in[2], &rstd = *in[3];
  int64_t n = x.getColumns();
  for (int64_t r = 0; r < x.getRows(); ++r)
    for (int64_t c = 0; c < n; ++c) {
      int64_t part = r / op.getRowsOfPart() * n + c;
      out[0].values[part] += dy.values[r * n + c] * (x.values[r * n + c] - mean.values[r]) * rstd.values[r];
      out[1].values[part] += dy.values[r * n + c];
    }
  return success();
}

static LogicalResult addParts(AddPartsOp, Operands in, Results out) {
  for (size_t i = 0; i < out.size(); ++i) {
    startAccumulation(in, out.size() + i, 2 * out.size(), out[i]);
    const Tensor &parts = *in[i];
    for (size_t j = 0; j < parts.values.size(); ++j)
      out[i].values[j % parts.getColumns()] += parts.values[j];
  }
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// RMS norm
//===--------------------------------------------------------------------------------------------------------------===//

// The rows of a tensor with heads follow each other, so each head is a row of the weight's width.

static LogicalResult rmsNorm(RmsNormOp op, Operands in, Results out) {
  const Tensor &x = *in[0], &weight = *in[1];
  size_t n = weight.values.size();
  for (size_t r = 0; r < x.values.size() / n; ++r) {
    const double *row = &x.values[r * n];
    double square = 0;
    for (size_t c = 0; c < n; ++c)
      square += row[c] * row[c] / n;
    double rstd = 1 / std::sqrt(square + op.getEps().convertToDouble());
    for (size_t c = 0; c < n; ++c)
      out[0].values[r * n + c] = row[c] * rstd * (weight.values[c] + op.getOffset());
    out[1].values[r] = rstd;
  }
  return success();
}

static LogicalResult rmsNormInputGrad(RmsNormInputGradOp op, Operands in, Results out) {
  const Tensor &dy = *in[0], &x = *in[1], &weight = *in[2], &rstd = *in[3];
  size_t n = weight.values.size();
  for (size_t r = 0; r < x.values.size() / n; ++r) {
    auto normal = [&](size_t c) { return x.values[r * n + c] * rstd.values[r]; };
    auto gradient = [&](size_t c) { return dy.values[r * n + c] * (weight.values[c] + op.getOffset()); };
    double product = 0;
    for (size_t c = 0; c < n; ++c)
      product += gradient(c) * normal(c) / n;
    for (size_t c = 0; c < n; ++c)
      out[0].values[r * n + c] = rstd.values[r] * (gradient(c) - normal(c) * product);
  }
  return success();
}

static LogicalResult rmsNormWeightGrad(RmsNormWeightGradOp, Operands in, Results out) {
  const Tensor &dy = *in[0], &x = *in[1], &rstd = *in[2];
  startAccumulation(in, 3, 4, out[0]);
  size_t n = out[0].values.size();
  for (size_t i = 0; i < x.values.size(); ++i)
    out[0].values[i % n] += dy.values[i] * x.values[i] * rstd.values[i / n];
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Rotary position embedding
//===--------------------------------------------------------------------------------------------------------------===//

static LogicalResult positions(PositionsOp, Operands, Results out) {
  for (size_t i = 0; i < out[0].values.size(); ++i)
    out[0].values[i] = i;
  return success();
}

static LogicalResult ropeTable(RopeTableOp op, Operands in, Results out) {
  size_t columns = op.getFrequencies().size();
  double scale = op.getScale().convertToDouble();
  for (size_t i = 0; i < out[0].values.size(); ++i) {
    float angle = static_cast<float>(in[0]->values[i / columns]) * static_cast<float>(op.getFrequencies()[i % columns]);
    out[0].values[i] = std::cos(static_cast<double>(angle)) * scale;
    out[1].values[i] = std::sin(static_cast<double>(angle)) * scale;
  }
  return success();
}

static LogicalResult rope(RopeOp op, Operands in, Results out) {
  const Tensor &x = *in[0], &cos = *in[1], &sin = *in[2];
  int64_t width = op.getHeadSize(), half = op.getRotated() / 2, heads = op.getHeads();
  double sign = op.getInverse() ? -1 : 1;
  out[0].values = x.values;
  for (int64_t head = 0; head < static_cast<int64_t>(x.values.size()) / width; ++head)
    for (int64_t i = 0; i < half; ++i) {
      int64_t angle = head / heads % cos.getRows() * half + i;
      double c = cos.values[angle], s = sign * sin.values[angle];
      int64_t first = head * width + (op.getInterleaved() ? 2 * i : i),
              second = first + (op.getInterleaved() ? 1 : half);
      out[0].values[first] = x.values[first] * c - x.values[second] * s;
      out[0].values[second] = x.values[second] * c + x.values[first] * s;
    }
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Linear
//===--------------------------------------------------------------------------------------------------------------===//

namespace {
/// Reads a weight as [k, n], whether it is stored as [k, n] or transposed.
struct Weight {
  int64_t k, n;
  bool transposed;

  Weight(const Tensor &tensor, bool transposed)
      : k(tensor.shape[transposed ? 1 : 0]), n(tensor.shape[transposed ? 0 : 1]), transposed(transposed) {}
  int64_t at(int64_t i, int64_t j) const { return transposed ? j * k + i : i * n + j; }
};
} // namespace

static LogicalResult linear(LinearOp op, Operands in, Results out) {
  const Tensor &x = *in[0], &weight = *in[1];
  Weight w(weight, op.getTransposed());
  for (int64_t r = 0; r < x.getRows(); ++r)
    for (int64_t j = 0; j < w.n; ++j) {
      double sum = op.getBias() ? in[2]->values[j] : 0;
      for (int64_t i = 0; i < w.k; ++i)
        sum += x.values[r * w.k + i] * weight.values[w.at(i, j)];
      out[0].values[r * w.n + j] = sum;
    }
  return success();
}

static LogicalResult linearInputGrad(LinearInputGradOp op, Operands in, Results out) {
  const Tensor &dy = *in[0], &weight = *in[1];
  Weight w(weight, op.getTransposed());
  for (int64_t r = 0; r < dy.getRows(); ++r)
    for (int64_t i = 0; i < w.k; ++i)
      for (int64_t j = 0; j < w.n; ++j)
        out[0].values[r * w.k + i] += dy.values[r * w.n + j] * weight.values[w.at(i, j)];
  return success();
}

static LogicalResult linearWeightGrad(LinearWeightGradOp op, Operands in, Results out) {
  const Tensor &x = *in[0], &dy = *in[1];
  startAccumulation(in, 2, 3, out[0]);
  Weight w(out[0], op.getTransposed());
  for (int64_t r = 0; r < x.getRows(); ++r)
    for (int64_t i = 0; i < w.k; ++i)
      for (int64_t j = 0; j < w.n; ++j)
        out[0].values[w.at(i, j)] += x.values[r * w.k + i] * dy.values[r * w.n + j];
  for (size_t i = 0; op.getSums() && i < dy.values.size(); ++i)
    out[1].values[i % dy.getColumns()] += dy.values[i];
  return success();
}

static LogicalResult biasGrad(BiasGradOp, Operands in, Results out) {
  const Tensor &dy = *in[0];
  startAccumulation(in, 1, 2, out[0]);
  for (size_t i = 0; i < dy.values.size(); ++i)
    out[0].values[i % dy.getColumns()] += dy.values[i];
  return success();
}

static LogicalResult broadcastRows(BroadcastRowsOp, Operands in, Results out) {
  for (size_t i = 0; i < out[0].values.size(); ++i)
    out[0].values[i] = in[0]->values[i % out[0].getColumns()];
  return success();
}

void tx::addLayerKernels(KernelTable &table) {
  table.add<EmbeddingOp, embedding>();
  table.add<EmbeddingWeightGradOp, embeddingWeightGrad>();
  table.add<AddPositionsOp, addPositions>();
  table.add<PositionWeightGradOp, positionWeightGrad>();
  table.add<LayerNormOp, layerNorm>();
  table.add<LayerNormInputGradOp, layerNormInputGrad>();
  table.add<LayerNormWeightGradOp, layerNormWeightGrad>();
  table.add<LayerNormPartialGradOp, layerNormPartialGrad>();
  table.add<AddPartsOp, addParts>();
  table.add<RmsNormOp, rmsNorm>();
  table.add<RmsNormInputGradOp, rmsNormInputGrad>();
  table.add<RmsNormWeightGradOp, rmsNormWeightGrad>();
  table.add<PositionsOp, positions>();
  table.add<RopeTableOp, ropeTable>();
  table.add<RopeOp, rope>();
  table.add<LinearOp, linear>();
  table.add<LinearInputGradOp, linearInputGrad>();
  table.add<LinearWeightGradOp, linearWeightGrad>();
  table.add<BiasGradOp, biasGrad>();
  table.add<BroadcastRowsOp, broadcastRows>();
}
