//===- Rotary.cpp - Rotary position embedding ---------------------------------------------------------------------===//

#include "OpTable.h"

using namespace mlir;
using namespace tx;
using namespace tx::emit;

static void lowerPositions(PositionsOp op, RowProgram &row) {
  row.result(op.getResult(), row.mapBlock({}, [](const BlockPlace &at, ArrayRef<Vectors>) {
    Vectors result;
    for (unsigned i = 0; i < at.shape.vectors; ++i)
      result.push_back(at.columns(i));
    return result;
  }));
}

static void lowerRopeTable(RopeTableOp op, RowProgram &row) {
  RowValue position =
      row.map({row.perRow(op.getPositions())}, [](Emitter &e, Numbers v) { return convert(v[0], e.f32()); });
  SmallVector<double> frequencies(op.getFrequencies());
  RowValue angle = row.mapBlock({position}, [frequencies](const BlockPlace &at, ArrayRef<Vectors> v) {
    Vectors result;
    for (unsigned i = 0; i < at.shape.vectors; ++i)
      result.push_back(at.fromList(i, frequencies) * v[0][0]);
    return result;
  });
  double scale = op.getScale().convertToDouble();
  row.result(op.getCos(), row.map({angle}, [scale](Emitter &, Numbers v) { return cosAndSin(v[0]).first * scale; }));
  row.result(op.getSin(), row.map({angle}, [scale](Emitter &, Numbers v) { return cosAndSin(v[0]).second * scale; }));
}

/// Turns (x1, x2) by the angle of (cos, sin), or back.
static std::pair<RowValue, RowValue> turn(RowProgram &row, RowValue x1, RowValue x2, RowValue cos, RowValue sin,
                                          bool inverse) {
  double sign = inverse ? -1.0 : 1.0;
  RowValue y1 =
      row.map({x1, x2, cos, sin}, [sign](Emitter &, Numbers v) { return fma(v[0], v[2], v[1] * (v[3] * -sign)); });
  RowValue y2 =
      row.map({x1, x2, cos, sin}, [sign](Emitter &, Numbers v) { return fma(v[1], v[2], v[0] * (v[3] * sign)); });
  return {y1, y2};
}

/// A row is a pair of columns. Pairs behind those that are turned keep their values: their cosine is 1, their sine 0.
static void lowerInterleavedRope(RopeOp op, RowProgram &row, int64_t positions) {
  int64_t pairs = op.getHeadSize() / 2, turned = op.getRotated() / 2, heads = op.getHeads();
  RowValue pair = row.map({row.rowNumber()}, [pairs](Emitter &, Numbers v) { return v[0] % pairs; });
  RowValue element = row.map({row.rowNumber(), pair}, [=](Emitter &e, Numbers v) {
    Number position = v[0] / static_cast<double>(pairs * heads) % positions;
    return position * static_cast<double>(turned) + e.smallerIndex(v[1], e.index(turned - 1));
  });
  auto factor = [&](Value table, double otherwise) {
    return row.map({row.elementAt(table, element), pair},
                   [=](Emitter &e, Numbers v) { return select(below(v[1], e.index(turned)), v[0], otherwise); });
  };
  SmallVector<RowValue, 2> x = row.parts(op.getX());
  if (x.size() != 2)
    return row.kernel.refuse(op, "takes pairs of columns");
  auto [y1, y2] = turn(row, x[0], x[1], factor(op.getCos(), 1.0), factor(op.getSin(), 0.0), op.getInverse());
  row.result(op.getY(), {y1, y2});
}

/// A row is a head; its parts are as wide as the kernel's rows. Part i of the first r/2 columns is turned with part i
/// of the next r/2 columns.
static void lowerRope(RopeOp op, RowProgram &row) {
  int64_t positions = getRows(op.getCos().getType()), heads = op.getHeads();
  if (op.getInterleaved())
    return lowerInterleavedRope(op, row, positions);
  RowValue position =
      row.map({row.rowNumber()}, [=](Emitter &, Numbers v) { return v[0] / static_cast<double>(heads) % positions; });
  auto factor = [&](Value table, unsigned part) { return row.tableRow(table, position, part); };
  SmallVector<RowValue, 2> x = row.parts(op.getX());
  SmallVector<RowValue> y(x.begin(), x.end());
  unsigned half = op.getRotated() / 2 / row.kernel.columns;
  for (unsigned i = 0; i < half; ++i)
    std::tie(y[i], y[half + i]) =
        turn(row, x[i], x[half + i], factor(op.getCos(), i), factor(op.getSin(), i), op.getInverse());
  row.result(op.getY(), y);
}

void tx::emit::addRotary(OpTable &table) {
  table.addRow(lowerPositions);
  table.addRow(lowerRopeTable);
  table.addRow(lowerRope);
}
