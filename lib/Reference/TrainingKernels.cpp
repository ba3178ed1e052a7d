//===- TrainingKernels.cpp - Loss and optimizer -------------------------------------------------------------------===//

#include "Kernels.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace tx;

//===--------------------------------------------------------------------------------------------------------------===//
// Loss
//===--------------------------------------------------------------------------------------------------------------===//

/// The column of the target's logit; -1 if the target is the ignore index.
template <typename OpT> static FailureOr<int64_t> column(OpT op, double target, int64_t columns) {
  if (target == static_cast<double>(static_cast<int64_t>(op.getIgnoreIndex())))
    return -1;
  if (!(target >= 0 && target < columns))
    return op.emitOpError("has target ") << static_cast<int64_t>(target) << ", neither in [0, " << columns
                                         << ") nor the ignore index";
  return static_cast<int64_t>(target);
}

static LogicalResult crossEntropy(CrossEntropyOp op, Operands in, Results out) {
  const Tensor &logits = *in[0], &targets = *in[1];
  int64_t columns = logits.getColumns();
  for (int64_t r = 0; r < logits.getRows(); ++r) {
    FailureOr<int64_t> target = column(op, targets.values[r], columns);
    if (failed(target))
      return failure();
    const double *row = &logits.values[r * columns];
    double largest = *std::max_element(row, row + columns), sum = 0;
    for (int64_t c = 0; c < columns; ++c)
      sum += std::exp(row[c] - largest);
    out[0].values[r] = *target < 0 ? 0 : std::log(sum) + (largest - row[*target]);
    out[1].values[2 * r] = largest;
    out[1].values[2 * r + 1] = sum;
  }
  return success();
}

static LogicalResult crossEntropyGrad(CrossEntropyGradOp op, Operands in, Results out) {
  const Tensor &dlosses = *in[0], &logits = *in[1], &targets = *in[2], &statistics = *in[3];
  int64_t columns = logits.getColumns();
  for (int64_t r = 0; r < logits.getRows(); ++r) {
    FailureOr<int64_t> target = column(op, targets.values[r], columns);
    if (failed(target))
      return failure();
    double largest = statistics.values[2 * r], sum = statistics.values[2 * r + 1];
    for (int64_t c = 0; *target >= 0 && c < columns; ++c) {
      double exponential = std::exp(logits.values[r * columns + c] - largest);
      out[0].values[r * columns + c] = (exponential - (c == *target ? sum : 0)) * (dlosses.values[r] / sum);
    }
  }
  return success();
}

/// Element (k, c) of a head's weight.
template <typename OpT> static size_t weightIndex(OpT op, const Tensor &weight, int64_t k, int64_t c) {
  return op.getTransposed() ? c * weight.shape[1] + k : k * weight.shape[1] + c;
}

/// The logits of row r.
template <typename OpT>
static std::vector<double> rowOfLogits(OpT op, const Tensor &x, const Tensor &weight, int64_t r) {
  std::vector<double> logits(weight.shape[op.getTransposed() ? 0 : 1], 0.0);
  int64_t hidden = x.getColumns();
  for (size_t c = 0; c < logits.size(); ++c)
    for (int64_t k = 0; k < hidden; ++k)
      logits[c] += x.values[r * hidden + k] * weight.values[weightIndex(op, weight, k, c)];
  return logits;
}

/// Adds up the losses of all rows and their number. Calls `finish` for each row with its logits, their exponentials'
/// largest argument and sum, and its target's column.
template <typename OpT, typename Finish>
static LogicalResult sumLosses(OpT op, Operands in, Results out, Finish finish) {
  const Tensor &x = *in[0], &weight = *in[1], &targets = *in[2];
  for (int64_t r = 0; r < x.getRows(); ++r) {
    std::vector<double> logits = rowOfLogits(op, x, weight, r);
    FailureOr<int64_t> target = column(op, targets.values[r], static_cast<int64_t>(logits.size()));
    if (failed(target))
      return failure();
    if (*target < 0)
      continue;
    double largest = *std::max_element(logits.begin(), logits.end()), sum = 0;
    for (double logit : logits)
      sum += std::exp(logit - largest);
    out[0].values[0] += std::log(sum) + (largest - logits[*target]);
    out[1].values[0] += 1;
    finish(r, logits, largest, sum, *target);
  }
  return success();
}

static LogicalResult linearCrossEntropy(LinearCrossEntropyOp op, Operands in, Results out) {
  return sumLosses(op, in, out, [](int64_t, ArrayRef<double>, double, double, int64_t) {});
}

static LogicalResult linearCrossEntropyGrad(LinearCrossEntropyGradOp op, Operands in, Results out) {
  const Tensor &x = *in[0], &weight = *in[1];
  double scale = in[3]->values[0];
  int64_t hidden = x.getColumns();
  Tensor *dx = op.getInput() ? &out[2] : nullptr, *dweight = op.getAcc() ? &out.back() : nullptr;
  if (dweight)
    startAccumulation(in, 4, 5, *dweight);
  return sumLosses(op, in, out, [&](int64_t r, ArrayRef<double> logits, double largest, double sum, int64_t target) {
    Tensor dlogits = Tensor::zeros(static_cast<int64_t>(logits.size()));
    for (int64_t c = 0, e = logits.size(); c < e; ++c)
      dlogits.values[c] = (std::exp(logits[c] - largest) - (c == target ? sum : 0)) * (scale / sum);
    roundTo(op.getX().getType(), dlogits); // products take operands of one type
    for (int64_t c = 0, e = logits.size(); c < e; ++c) {
      double gradient = dlogits.values[c];
      for (int64_t k = 0; k < hidden; ++k) {
        size_t place = weightIndex(op, weight, k, c);
        if (dx)
          dx->values[r * hidden + k] += gradient * weight.values[place];
        if (dweight)
          dweight->values[place] += gradient * x.values[r * hidden + k];
      }
    }
  });
}

static LogicalResult reduceLoss(ReduceLossOp op, Operands in, Results out) {
  auto ignored = static_cast<double>(static_cast<int64_t>(op.getIgnoreIndex()));
  for (auto [loss, target] : llvm::zip_equal(in[0]->values, in[1]->values))
    if (target != ignored) {
      out[0].values[0] += loss;
      out[1].values[0] += 1;
    }
  return success();
}

static LogicalResult reduceLossGrad(ReduceLossGradOp op, Operands in, Results out) {
  auto ignored = static_cast<double>(static_cast<int64_t>(op.getIgnoreIndex()));
  for (auto [gradient, target] : llvm::zip_equal(out[0].values, in[1]->values))
    gradient = target == ignored ? 0 : in[0]->values[0];
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Optimizer
//===--------------------------------------------------------------------------------------------------------------===//

static LogicalResult sumOfSquares(SumOfSquaresOp, Operands in, Results out) {
  for (size_t i = 0; i < in[0]->values.size(); ++i)
    out[0].values[i / SumOfSquaresOp::kChunk] += in[0]->values[i] * in[0]->values[i];
  return success();
}

static LogicalResult clipCoefficient(ClipCoefficientOp op, Operands in, Results out) {
  double sum = 0, limit = op.getMaxNorm().convertToDouble();
  for (double partial : in[0]->values)
    sum += partial;
  double norm = std::sqrt(sum);
  out[0].values[0] = norm;
  double coefficient = limit > 0 ? std::min(1.0, limit / (norm + 1e-6)) : 1.0;
  out[1].values[0] = std::isfinite(norm) ? coefficient : NAN;
  return success();
}

static LogicalResult adamW(AdamWOp op, Operands in, Results out) {
  unsigned scalars = op.getMaster() ? 5 : 4;
  const Tensor &exact = op.getMaster() ? *in[4] : *in[0];
  double clip = in[scalars]->values[0], lr = in[scalars + 1]->values[0], step = in[scalars + 2]->values[0];
  double beta1 = op.getBeta1().convertToDouble(), beta2 = op.getBeta2().convertToDouble();
  double eps = op.getEps().convertToDouble(), decay = op.getWeightDecay().convertToDouble();
  double correction1 = 1 - std::pow(beta1, step), correction2 = 1 - std::pow(beta2, step);
  if (!std::isfinite(clip)) {
    const Tensor *unchanged[] = {&exact, in[2], in[3], &exact};
    for (auto [to, from] : llvm::zip(out, unchanged))
      to.values = from->values;
    return success();
  }
  for (size_t i = 0; i < exact.values.size(); ++i) {
    double g = in[1]->values[i] * clip;
    double m = beta1 * in[2]->values[i] + (1 - beta1) * g;
    double v = beta2 * in[3]->values[i] + (1 - beta2) * g * g;
    double old = exact.values[i];
    double updated = old - lr * (m / correction1 / (std::sqrt(v / correction2) + eps) + decay * old);
    out[0].values[i] = updated;
    out[1].values[i] = m;
    out[2].values[i] = v;
    if (op.getMaster())
      out[3].values[i] = updated;
  }
  return success();
}

void tx::addTrainingKernels(KernelTable &table) {
  table.add<CrossEntropyOp, crossEntropy>();
  table.add<CrossEntropyGradOp, crossEntropyGrad>();
  table.add<LinearCrossEntropyOp, linearCrossEntropy>();
  table.add<LinearCrossEntropyGradOp, linearCrossEntropyGrad>();
  table.add<ReduceLossOp, reduceLoss>();
  table.add<ReduceLossGradOp, reduceLossGrad>();
  table.add<SumOfSquaresOp, sumOfSquares>();
  table.add<ClipCoefficientOp, clipCoefficient>();
  table.add<AdamWOp, adamW>();
}
