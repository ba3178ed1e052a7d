//===- Attention.cpp - Softmax, sums of heads -------------------------------------------------------------------===//

#include "OpTable.h"

#include <cmath>

using namespace mlir;
using namespace tx;
using namespace tx::emit;

static void lowerSoftmax(SoftmaxOp op, RowProgram &row) {
  auto type = cast<RankedTensorType>(op.getX().getType());
  auto upToDiagonal = [&](RowValue value, double otherwise) {
    return op.getCausal() ? row.upToDiagonal(value, otherwise, type.getDimSize(type.getRank() - 2)) : value;
  };
  RowValue x = row.columns(op.getX());
  RowValue max = row.max(upToDiagonal(x, -INFINITY));
  RowValue power = row.map({x, max}, [](Emitter &, Numbers v) { return exp2((v[0] - v[1]) * (1.0 / M_LN2)); });
  RowValue sum = row.sum(upToDiagonal(power, 0.0));
  RowValue factor = row.map({sum}, [](Emitter &, Numbers v) { return 1.0 / v[0]; });
  RowValue y = row.map({power, factor}, [](Emitter &, Numbers v) { return v[0] * v[1]; });
  row.result(op.getY(), upToDiagonal(y, 0.0));
}

static void lowerSoftmaxGrad(SoftmaxGradOp op, RowProgram &row) {
  RowValue dy = row.columns(op.getDy()), y = row.columns(op.getY());
  RowValue sum = row.dot(dy, y);
  row.result(op.getDx(), row.map({dy, y, sum}, [](Emitter &, Numbers v) { return v[1] * (v[0] - v[2]); }));
}

/// A row is a group, and its parts are the heads that are added.
static void lowerSumHeadGroups(SumHeadGroupsOp op, RowProgram &row) {
  row.result(op.getResult(), row.map(row.parts(op.getX()), [](Emitter &, Numbers v) {
    Number sum = v[0];
    for (Number next : v.drop_front())
      sum = sum + next;
    return sum;
  }));
}

void tx::emit::addAttention(OpTable &table) {
  table.addRow(lowerSoftmax);
  table.addRow(lowerSoftmaxGrad);
  table.addRow(lowerSumHeadGroups);
}
