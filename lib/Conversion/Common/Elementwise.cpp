//===- Elementwise.cpp - Sums, activations, biases ----------------------------------------------------------------===//

#include "OpTable.h"

#include <cmath>

using namespace mlir;
using namespace tx;
using namespace tx::emit;

static void lowerAdd(AddOp op, RowProgram &row) {
  RowValue sum =
      row.map({row.columns(op.getLhs()), row.columns(op.getRhs())}, [](Emitter &, Numbers v) { return v[0] + v[1]; });
  row.result(op.getResult(), sum);
}

static void lowerCast(CastOp op, RowProgram &row) { row.result(op.getY(), row.columns(op.getX())); }

// GELU is x/2 (1 + tanh u) = x / (1 + exp(-2u)); the second form avoids the cancellation in 1 + tanh u. Here 2u = x (a
// + b x^2).
static constexpr double kGeluA = 1.5957691216057308; // 2 sqrt(2/pi)
static constexpr double kGeluB = kGeluA * 0.044715;

/// exp(-2u), at most 2^126, so that it and its reciprocal are finite.
static Number geluExp(Number x, Number x2) {
  Emitter &e = *x.emitter;
  Number exponent = x * fma(x2, e.like(x, -kGeluB / M_LN2), e.like(x, -kGeluA / M_LN2));
  return exp2(select(exponent > 126.0, 126.0, exponent));
}

static void lowerGelu(GeluOp op, RowProgram &row) {
  row.result(op.getY(), row.map({row.columns(op.getX())}, [](Emitter &, Numbers v) {
    Number x = v[0];
    return quotient(x, 1.0 + geluExp(x, x * x));
  }));
}

// The derivative of y = x s with e = exp(-2u), s = 1 / (1 + e): y' = s + x s (1 - s) (2u)', where s (1 - s) = e s s.
static void lowerGeluGrad(GeluGradOp op, RowProgram &row) {
  row.result(op.getDx(), row.map({row.columns(op.getDy()), row.columns(op.getX())}, [](Emitter &e, Numbers v) {
    Number x = v[1], x2 = x * x;
    Number power = geluExp(x, x2);
    Number s = quotient(e.like(x, 1.0), 1.0 + power);
    Number inner = fma(x2, e.like(x, 3 * kGeluB), e.like(x, kGeluA));
    return v[0] * fma(power * s * s * x, inner, s);
  }));
}

/// exp(-x), at most 2^126, so that 1 + exp(-x) and its reciprocal are finite.
static Number expOfMinus(Number x) {
  Number exponent = x * (-1.0 / M_LN2);
  return exp2(select(exponent > 126.0, 126.0, exponent));
}

static void lowerSwiglu(SwigluOp op, RowProgram &row) {
  row.result(op.getY(), row.map({row.columns(op.getGate()), row.columns(op.getUp())},
                                [](Emitter &, Numbers v) { return quotient(v[0], 1.0 + expOfMinus(v[0])) * v[1]; }));
}

// With s = 1 / (1 + e), e = exp(-gate), the derivative of silu is s + gate s (1 - s), where 1 - s = e s.
static void lowerSwigluGrad(SwigluGradOp op, RowProgram &row) {
  RowValue dy = row.columns(op.getDy()), gate = row.columns(op.getGate()), up = row.columns(op.getUp());
  row.result(op.getDgate(), row.map({dy, gate, up}, [](Emitter &e, Numbers v) {
    Number power = expOfMinus(v[1]);
    Number s = quotient(e.like(v[1], 1.0), 1.0 + power);
    return v[0] * v[2] * fma(power * s, v[1] * s, s);
  }));
  row.result(op.getDup(),
             row.map({dy, gate}, [](Emitter &, Numbers v) { return v[0] * quotient(v[1], 1.0 + expOfMinus(v[1])); }));
}

static void lowerBroadcastRows(BroadcastRowsOp op, RowProgram &row) {
  row.result(op.getResult(), row.sameRow(op.getRow()));
}

static void lowerZeros(ZerosOp op, RowProgram &row) {
  row.result(op.getResult(),
             row.mapColumns({}, [](Emitter &e, Numbers) { return e.broadcast(e.constant(0.0, e.f32())); }));
}

static void lowerBiasGrad(BiasGradOp op, ColumnUnit &unit) {
  const Buffer *dy = unit.input(op, op.getDy()), *acc = unit.input(op, op.getAcc());
  const Buffer *result = unit.output(op, op.getResult());
  if (!dy || !acc || !result)
    return;
  Number reset = unit.isReset(op, op.getReset());
  Emitter &e = unit.e;
  auto sums = unit.sumRows(1, e.index(0), e.index(unit.kernel.rows), 1, [&](Number row, MutableArrayRef<Vectors> sums) {
    for (auto [sum, x] : llvm::zip(sums[0], unit.load(*dy, row)))
      sum = sum + x;
  });
  unit.accumulate(*acc, *result, reset, e.index(0), sums[0]);
}

void tx::emit::addElementwise(OpTable &table) {
  table.addRow(lowerAdd);
  table.addRow(lowerCast);
  table.addRow(lowerGelu);
  table.addRow(lowerGeluGrad);
  table.addRow(lowerSwiglu);
  table.addRow(lowerSwigluGrad);
  table.addRow(lowerBroadcastRows);
  table.addRow(lowerZeros);
  table.addColumn(lowerBiasGrad);
}
