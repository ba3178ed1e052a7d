//===- Loss.cpp - Cross entropy -----------------------------------------------------------------------------------===//

#include "OpTable.h"

#include <cmath>

using namespace mlir;
using namespace tx;
using namespace tx::emit;

/// e^(x - y); exactly 1 if x = y.
static Number expOfDifference(Number x, Number y) { return exp2((x - y) * (1.0 / M_LN2)); }

/// Whether each lane's column is the target. The target, counted from the block's first column, is compared with
/// constants.
static Number isTarget(const BlockPlace &at, unsigned vector, Number target) {
  Emitter &e = at.emitter;
  Number place = e.broadcast(target) - convert(at.first, e.i32());
  return e.lanes() + static_cast<double>(vector * kSlice) == place;
}

/// The logit of each row's target, as a sum in which only this term is not 0. So only the thread that has a column
/// reads it, and the gradient may be written over the logits. If there is no such column the result is NaN, so that the
/// error is seen.
static RowValue targetLogit(RowProgram &row, RowValue logits, RowValue target) {
  int64_t columns = row.kernel.columns;
  RowValue logit = row.sum(row.mapBlock({logits, target}, [](const BlockPlace &at, ArrayRef<Vectors> v) {
    Vectors result;
    for (unsigned i = 0; i < at.shape.vectors; ++i)
      result.push_back(select(isTarget(at, i, v[1][0]), v[0][i], 0.0));
    return result;
  }));
  return row.map({logit, target}, [columns](Emitter &e, Numbers v) {
    return select(below(v[1], e.integer(columns, e.i32())), v[0], NAN);
  });
}

static void lowerCrossEntropy(CrossEntropyOp op, RowProgram &row) {
  RowValue x = row.columns(op.getLogits()), target = row.perRow(op.getTargets());
  RowValue logit = targetLogit(row, x, target);
  RowValue max = row.max(x);
  RowValue sum = row.sum(row.map({x, max}, [](Emitter &, Numbers v) { return expOfDifference(v[0], v[1]); }));
  RowValue logSum = row.map({sum}, [](Emitter &, Numbers v) { return log(v[0]); });
  int64_t ignored = op.getIgnoreIndex();
  row.result(op.getLosses(), row.map({logSum, max, logit, target}, [ignored](Emitter &e, Numbers v) {
    return select(v[3] == e.integer(ignored, e.i32()), 0.0, v[0] + (v[1] - v[2]));
  }));
  row.result(op.getStatistics(), {max, sum});
}

static void lowerCrossEntropyGrad(CrossEntropyGradOp op, RowProgram &row) {
  RowValue target = row.perRow(op.getTargets());
  RowValue max = row.perRow(op.getStatistics(), 0), sum = row.perRow(op.getStatistics(), 1);
  int64_t ignored = op.getIgnoreIndex();
  RowValue factor = row.map({row.perRow(op.getDlosses()), target, sum}, [ignored](Emitter &e, Numbers v) {
    return select(v[1] == e.integer(ignored, e.i32()), 0.0, v[0] / v[2]);
  });
  row.result(op.getDlogits(),
             row.mapBlock({row.columns(op.getLogits()), max, sum, target, factor},
                          [](const BlockPlace &at, ArrayRef<Vectors> v) {
                            Vectors result;
                            for (unsigned i = 0; i < at.shape.vectors; ++i) {
                              Number p = expOfDifference(v[0][i], v[1][0]);
                              result.push_back(select(isTarget(at, i, v[3][0]), p - v[2][0], p) * v[4][0]);
                            }
                            return result;
                          }));
}

static void lowerReduceLoss(ReduceLossOp op, RowProgram &row) {
  RowValue losses = row.columns(op.getLosses()), targets = row.columns(op.getTargets());
  int64_t ignored = op.getIgnoreIndex();
  auto isIgnored = [ignored](Emitter &e, Number target) { return target == e.integer(ignored, e.i32()); };
  row.result(op.getSum(), row.sum(row.map({losses, targets}, [isIgnored](Emitter &e, Numbers v) {
    return select(isIgnored(e, v[1]), 0.0, v[0]);
  })));
  row.result(op.getCount(), row.sum(row.map({targets}, [isIgnored](Emitter &e, Numbers v) {
    Number one = e.broadcast(e.constant(1.0, e.f32()));
    return select(isIgnored(e, v[0]), 0.0, one);
  })));
}

static void lowerReduceLossGrad(ReduceLossGradOp op, RowProgram &row) {
  int64_t ignored = op.getIgnoreIndex();
  row.result(op.getDlosses(),
             row.map({row.columns(op.getTargets()), row.uniform(op.getDsum())}, [ignored](Emitter &e, Numbers v) {
               return select(v[0] == e.integer(ignored, e.i32()), 0.0, v[1]);
             }));
}

void tx::emit::addLoss(OpTable &table) {
  table.addRow(lowerCrossEntropy);
  table.addRow(lowerCrossEntropyGrad);
  table.addRow(lowerReduceLoss);
  table.addRow(lowerReduceLossGrad);
}
