//===- Optimizer.cpp - Gradient norm and AdamW --------------------------------------------------------------------===//

#include "OpTable.h"

#include <cmath>

using namespace mlir;
using namespace tx;
using namespace tx::emit;

/// Whether a number is finite; the number must not be negative.
static Number isFinite(Number value) { return value < INFINITY; }

static void lowerSumOfSquares(SumOfSquaresOp op, RowProgram &row) {
  RowValue x = row.columns(op.getX());
  row.result(op.getPartials(), row.dot(x, x));
}

static void lowerClipCoefficient(ClipCoefficientOp op, RowProgram &row) {
  RowValue norm = row.map({row.sum(row.columns(op.getPartials()))}, [](Emitter &, Numbers v) { return sqrt(v[0]); });
  double most = op.getMaxNorm().convertToDouble();
  row.result(op.getNorm(), norm);
  row.result(op.getCoefficient(), row.map({norm}, [most](Emitter &e, Numbers v) {
    Number one = e.constant(1.0, e.f32());
    Number coefficient = one;
    if (most != 0) {
      Number fitting = most / (v[0] + 1e-6);
      coefficient = select(fitting > one, one, fitting);
    }
    return select(isFinite(v[0]), coefficient, NAN);
  }));
}

/// base^step in f64, by repeated squaring. The step is positive.
static Number power(double base, Number step) {
  Emitter &e = *step.emitter;
  auto result = e.loop(e.index(0), e.index(31), 1, {e.constant(1.0, e.f64()), e.constant(base, e.f64()), step},
                       [&](Number, Numbers v) -> SmallVector<Number> {
                         Number isOdd = (v[2] & e.integer(1, e.i32())) != 0.0;
                         return {select(isOdd, v[0] * v[1], v[0]), v[1] * v[1], v[2] >> 1};
                       });
  return result[0];
}

// The operations are in the order of torch.optim.AdamW: the decay first, then
static void lowerAdamW(AdamWOp op, RowProgram &row) {
  double beta1 = op.getBeta1().convertToDouble(), beta2 = op.getBeta2().convertToDouble();
  double eps = op.getEps().convertToDouble(), weightDecay = op.getWeightDecay().convertToDouble();
  RowValue step = row.uniform(op.getStep()), lr = row.uniform(op.getLr());
  RowValue decay = row.map({lr}, [weightDecay](Emitter &e, Numbers v) {
    return convert(1.0 - convert(v[0], e.f64()) * weightDecay, e.f32());
  });
  RowValue stepSize = row.map({lr, step}, [beta1](Emitter &e, Numbers v) {
    return convert(convert(v[0], e.f64()) / (1.0 - power(beta1, v[1])), e.f32());
  });
  RowValue correction = row.map(
      {step}, [beta2](Emitter &e, Numbers v) { return convert(1.0 / sqrt(1.0 - power(beta2, v[0])), e.f32()); });
  RowValue coefficient = row.uniform(op.getCoefficient());
  RowValue g = row.map({row.columns(op.getGrad()), coefficient}, [](Emitter &, Numbers v) { return v[0] * v[1]; });
  RowValue m = row.map({row.columns(op.getM()), g, coefficient}, [beta1](Emitter &e, Numbers v) {
    return select(isFinite(v[2]), fma(v[0], e.like(v[0], beta1), v[1] * (1 - beta1)), v[0]);
  });
  RowValue v = row.map({row.columns(op.getV()), g, coefficient}, [beta2](Emitter &e, Numbers v) {
    return select(isFinite(v[2]), fma(v[0], e.like(v[0], beta2), v[1] * v[1] * (1 - beta2)), v[0]);
  });
  RowValue old = row.columns(op.getMaster() ? op.getMaster() : op.getParam());
  RowValue param = row.map({old, m, v, decay, stepSize, correction, coefficient}, [eps](Emitter &e, Numbers v) {
    Number denominator = fma(root(v[2]), v[5], e.like(v[2], eps));
    return select(isFinite(v[6]), fma(v[4] * -1.0, quotient(v[1], denominator), v[0] * v[3]), v[0]);
  });
  row.result(op.getNewParam(), param);
  row.result(op.getNewM(), m);
  row.result(op.getNewV(), v);
  if (op.getNewMaster())
    row.result(op.getNewMaster(), param);
}

void tx::emit::addOptimizer(OpTable &table) {
  table.addRow(lowerSumOfSquares);
  table.addRow(lowerClipCoefficient);
  table.addRow(lowerAdamW);
}
