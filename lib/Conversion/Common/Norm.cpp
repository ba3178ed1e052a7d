//===- Norm.cpp - Layer norm, RMS norm and their gradients --------------------------------------------------------===//

#include "OpTable.h"

using namespace mlir;
using namespace tx;
using namespace tx::emit;

static RowValue average(RowProgram &row, RowValue sum) {
  double columns = row.kernel.columns;
  return row.map({sum}, [columns](Emitter &, Numbers v) { return v[0] / columns; });
}

static void lowerLayerNorm(LayerNormOp op, RowProgram &row) {
  RowValue x = row.columns(op.getX());
  RowValue weight = row.sameRow(op.getWeight()), bias = row.sameRow(op.getBias());
  RowValue mean = average(row, row.sum(x));
  RowValue centered = row.map({x, mean}, [](Emitter &, Numbers v) { return v[0] - v[1]; });
  RowValue variance = average(row, row.dot(centered, centered));
  double eps = op.getEps().convertToDouble();
  RowValue rstd = row.map({variance}, [eps](Emitter &, Numbers v) { return 1.0 / sqrt(v[0] + eps); });
  RowValue y =
      row.map({centered, rstd, weight, bias}, [](Emitter &, Numbers v) { return fma(v[0] * v[1], v[2], v[3]); });
  row.result(op.getY(), y);
  row.result(op.getMean(), mean);
  row.result(op.getRstd(), rstd);
}

static void lowerLayerNormInputGrad(LayerNormInputGradOp op, RowProgram &row) {
  RowValue mean = row.perRow(op.getMean()), rstd = row.perRow(op.getRstd());
  RowValue g =
      row.map({row.columns(op.getDy()), row.sameRow(op.getWeight())}, [](Emitter &, Numbers v) { return v[0] * v[1]; });
  RowValue n = row.map({row.columns(op.getX()), mean, rstd}, [](Emitter &, Numbers v) { return (v[0] - v[1]) * v[2]; });
  RowValue averageG = average(row, row.sum(g)), averageGN = average(row, row.dot(g, n));
  row.result(op.getDx(), row.map({g, n, averageG, averageGN, rstd},
                                 [](Emitter &e, Numbers v) { return v[4] * fma(v[1] * -1.0, v[3], v[0] - v[2]); }));
}

static void lowerLayerNormWeightGrad(LayerNormWeightGradOp op, ColumnUnit &unit) {
  const Buffer *dy = unit.input(op, op.getDy()), *x = unit.input(op, op.getX());
  const Buffer *mean = unit.input(op, op.getMean()), *rstd = unit.input(op, op.getRstd());
  const Buffer *weightAcc = unit.input(op, op.getWeightAcc()), *weight = unit.output(op, op.getWeightGrad());
  const Buffer *biasAcc = nullptr, *bias = nullptr;
  if (op.getBiasAcc()) {
    biasAcc = unit.input(op, op.getBiasAcc());
    bias = unit.output(op, op.getBiasGrad());
  }
  if (!dy || !x || !mean || !rstd || !weightAcc || !weight || (op.getBiasAcc() && (!biasAcc || !bias)))
    return;
  Number reset = unit.isReset(op, op.getReset());
  Emitter &e = unit.e;
  auto sums = unit.sumRows(biasAcc ? 2 : 1, e.index(0), e.index(unit.kernel.rows), 1,
                           [&](Number row, MutableArrayRef<Vectors> sums) {
                             Number rowMean = e.broadcast(unit.element(*mean, row));
                             Number rowRstd = e.broadcast(unit.element(*rstd, row));
                             Vectors dyRow = unit.load(*dy, row), xRow = unit.load(*x, row);
                             for (unsigned i = 0; i < unit.shape.vectors; ++i) {
                               sums[0][i] = fma(dyRow[i], (xRow[i] - rowMean) * rowRstd, sums[0][i]);
                               if (biasAcc)
                                 sums[1][i] = sums[1][i] + dyRow[i];
                             }
                           });
  unit.accumulate(*weightAcc, *weight, reset, e.index(0), sums[0]);
  if (biasAcc)
    unit.accumulate(*biasAcc, *bias, reset, e.index(0), sums[1]);
}

static void lowerLayerNormPartialGrad(LayerNormPartialGradOp op, RowProgram &row) {
  RowValue dy = row.columns(op.getDy()), mean = row.perRow(op.getMean()), rstd = row.perRow(op.getRstd());
  RowValue n = row.map({row.columns(op.getX()), mean, rstd}, [](Emitter &, Numbers v) { return (v[0] - v[1]) * v[2]; });
  row.sumRows(op.getWeightParts(), Reduction::Dot, {dy, n}, op.getRowsOfPart());
  row.sumRows(op.getBiasParts(), Reduction::Sum, {dy}, op.getRowsOfPart());
}

static void lowerAddParts(AddPartsOp op, ColumnUnit &unit) {
  SmallVector<const Buffer *> parts, accs, results;
  for (auto [part, acc, result] : llvm::zip(op.getParts(), op.getAccs(), op.getResults())) {
    parts.push_back(unit.input(op, part));
    accs.push_back(unit.input(op, acc));
    results.push_back(unit.output(op, result));
    if (!parts.back() || !accs.back() || !results.back())
      return;
  }
  Number reset = unit.isReset(op, op.getReset());
  Emitter &e = unit.e;
  auto sums = unit.sumRows(parts.size(), e.index(0), e.index(unit.kernel.rows), 1,
                           [&](Number row, MutableArrayRef<Vectors> sums) {
                             for (auto [block, part] : llvm::zip(sums, parts))
                               for (auto [sum, x] : llvm::zip(block, unit.load(*part, row)))
                                 sum = sum + x;
                           });
  for (auto [acc, result, sum] : llvm::zip(accs, results, sums))
    unit.accumulate(*acc, *result, reset, e.index(0), sum);
}

//===--------------------------------------------------------------------------------------------------------------===//
// RMS norm
//===--------------------------------------------------------------------------------------------------------------===//

/// The mean of x * y over the row, whose columns come in parts.
static RowValue meanOfProducts(RowProgram &row, ArrayRef<RowValue> x, ArrayRef<RowValue> y) {
  SmallVector<RowValue> sums;
  for (auto [xPart, yPart] : llvm::zip_equal(x, y))
    sums.push_back(row.dot(xPart, yPart));
  double columns = row.kernel.columns * x.size();
  return row.map(sums, [columns](Emitter &, Numbers v) {
    Number sum = v[0];
    for (Number next : v.drop_front())
      sum = sum + next;
    return sum / columns;
  });
}

/// weight + offset, in the parts of a row.
static SmallVector<RowValue> scaleOf(RowProgram &row, Value weight, int64_t offset, unsigned parts) {
  SmallVector<RowValue> scale;
  for (unsigned part = 0; part < parts; ++part) {
    RowValue value = row.sameRow(weight, part);
    if (offset)
      value = row.map({value}, [](Emitter &, Numbers v) { return v[0] + 1.0; });
    scale.push_back(value);
  }
  return scale;
}

static void lowerRmsNorm(RmsNormOp op, RowProgram &row) {
  SmallVector<RowValue, 2> x = row.parts(op.getX());
  SmallVector<RowValue> scale = scaleOf(row, op.getWeight(), op.getOffset(), x.size());
  double eps = op.getEps().convertToDouble();
  RowValue rstd = row.map({meanOfProducts(row, x, x)}, [eps](Emitter &, Numbers v) { return 1.0 / sqrt(v[0] + eps); });
  SmallVector<RowValue> y;
  for (auto [part, weight] : llvm::zip_equal(x, scale))
    y.push_back(row.map({part, rstd, weight}, [](Emitter &, Numbers v) { return v[0] * v[1] * v[2]; }));
  row.result(op.getY(), y);
  row.result(op.getRstd(), rstd);
}

static void lowerRmsNormInputGrad(RmsNormInputGradOp op, RowProgram &row) {
  SmallVector<RowValue, 2> dy = row.parts(op.getDy()), x = row.parts(op.getX());
  SmallVector<RowValue> scale = scaleOf(row, op.getWeight(), op.getOffset(), x.size()), u, n, dx;
  RowValue rstd = row.perRow(op.getRstd());
  auto product = [](Emitter &, Numbers v) { return v[0] * v[1]; };
  for (size_t part = 0; part < x.size(); ++part) {
    u.push_back(row.map({dy[part], scale[part]}, product));
    n.push_back(row.map({x[part], rstd}, product));
  }
  RowValue mean = meanOfProducts(row, u, n);
  for (size_t part = 0; part < x.size(); ++part)
    dx.push_back(row.map({u[part], n[part], mean, rstd},
                         [](Emitter &, Numbers v) { return v[3] * fma(v[1] * -1.0, v[2], v[0]); }));
  row.result(op.getDx(), dx);
}

static void lowerRmsNormWeightGrad(RmsNormWeightGradOp op, ColumnUnit &unit) {
  const Buffer *dy = unit.input(op, op.getDy()), *x = unit.input(op, op.getX());
  const Buffer *rstd = unit.input(op, op.getRstd()), *acc = unit.input(op, op.getAcc());
  const Buffer *result = unit.output(op, op.getResult());
  if (!dy || !x || !rstd || !acc || !result)
    return;
  Number reset = unit.isReset(op, op.getReset());
  Emitter &e = unit.e;
  auto sums = unit.sumRows(1, e.index(0), e.index(unit.kernel.rows), 1, [&](Number row, MutableArrayRef<Vectors> sums) {
    Number rowRstd = e.broadcast(unit.element(*rstd, row));
    Vectors dyRow = unit.load(*dy, row), xRow = unit.load(*x, row);
    for (unsigned i = 0; i < unit.shape.vectors; ++i)
      sums[0][i] = fma(dyRow[i], xRow[i] * rowRstd, sums[0][i]);
  });
  unit.accumulate(*acc, *result, reset, e.index(0), sums[0]);
}

void tx::emit::addNorm(OpTable &table) {
  table.addRow(lowerLayerNorm);
  table.addRow(lowerLayerNormInputGrad);
  table.addRow(lowerLayerNormPartialGrad);
  table.addColumn(lowerLayerNormWeightGrad);
  table.addColumn(lowerAddParts);
  table.addRow(lowerRmsNorm);
  table.addRow(lowerRmsNormInputGrad);
  table.addColumn(lowerRmsNormWeightGrad);
}
