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
template <typename OpT> static FailureOr<int64_t> column(OpT op, double target, const Tensor &logits) {
  if (target == static_cast<double>(static_cast<int64_t>(op.getIgnoreIndex())))
    return -1;
  if (!(target >= 0 && target < logits.getColumns()))
    return op.emitOpError("has target ") << static_cast<int64_t>(target) << ", neither in [0, " << logits.getColumns()
                                         << ") nor the ignore index";
  return static_cast<int64_t>(target);
}

static LogicalResult crossEntropy(CrossEntropyOp op, Operands in, Results out) {
  const Tensor &logits = *in[0], &targets = *in[1];
  int64_t columns = logits.getColumns();
  for (int64_t r = 0; r < logits.getRows(); ++r) {
    FailureOr<int64_t> target = column(op, targets.values[r], logits);
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
    FailureOr<int64_t> target = column(op, targets.values[r], logits);
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
  table.add<ReduceLossOp, reduceLoss>();
  table.add<ReduceLossGradOp, reduceLossGrad>();
  table.add<SumOfSquaresOp, sumOfSquares>();
  table.add<ClipCoefficientOp, clipCoefficient>();
  table.add<AdamWOp, adamW>();
}
