//===- Embedding.cpp - Tokens, positions and their gradients ------------------------------------------------------===//

#include "OpTable.h"

using namespace mlir;
using namespace tx;
using namespace tx::emit;

/// The row of a table of `rows` rows for an id. An id outside of the table gives the last row, so that no memory
/// outside of the table is touched.
static Number tableIndex(Number id, int64_t rows) {
  Emitter &e = *id.emitter;
  Number last = e.integer(rows - 1, e.i32());
  return convert(select(below(id, last), id, last), e.index());
}

static int64_t rowsOf(Value table) { return getRows(table.getType()); }

static void lowerEmbedding(EmbeddingOp op, RowProgram &row) {
  int64_t vocabulary = rowsOf(op.getTable());
  RowValue token = row.map({row.perRow(op.getTokens())},
                           [vocabulary](Emitter &, Numbers v) { return tableIndex(v[0], vocabulary); });
  row.result(op.getResult(), row.tableRow(op.getTable(), token));
}

// x counts as a table: sample b's row t is row b s + t.
static void lowerSelectRows(SelectRowsOp op, RowProgram &row) {
  int64_t sequence = cast<RankedTensorType>(op.getX().getType()).getDimSize(1);
  RowValue chosen = row.map({row.perRow(op.getRows()), row.rowNumber()}, [sequence](Emitter &, Numbers v) {
    return tableIndex(v[0], sequence) + v[1] * static_cast<double>(sequence);
  });
  row.result(op.getResult(), row.tableRow(op.getX(), chosen));
}

static void lowerAddPositions(AddPositionsOp op, RowProgram &row) {
  int64_t sequence = cast<RankedTensorType>(op.getX().getType()).getDimSize(1);
  RowValue position = row.map({row.rowNumber()}, [sequence](Emitter &, Numbers v) { return v[0] % sequence; });
  row.result(op.getResult(), row.map({row.columns(op.getX()), row.tableRow(op.getTable(), position)},
                                     [](Emitter &, Numbers v) { return v[0] + v[1]; }));
}

// Goes over the tokens in their order, so that the gradients of a row that occurs twice are added in one order.
static void lowerEmbeddingWeightGrad(EmbeddingWeightGradOp op, ColumnUnit &unit) {
  const Buffer *tokens = unit.input(op, op.getTokens()), *dy = unit.input(op, op.getDy());
  const Buffer *acc = unit.input(op, op.getAcc()), *result = unit.output(op, op.getResult());
  if (!tokens || !dy || !acc || !result)
    return;
  Emitter &e = unit.e;
  unit.carry(*acc, *result, unit.isReset(op, op.getReset()), e.index(0), e.index(acc->rows));
  e.loop(e.index(0), e.index(unit.kernel.rows), 1, [&](Number row) {
    Number token = tableIndex(unit.element(*tokens, row), result->rows);
    unit.inRow(token, [&] { unit.accumulate(*result, *result, {}, token, unit.load(*dy, row)); });
  });
}

static void lowerPositionWeightGrad(PositionWeightGradOp op, ColumnUnit &unit) {
  const Buffer *dy = unit.input(op, op.getDy()), *acc = unit.input(op, op.getAcc());
  const Buffer *result = unit.output(op, op.getResult());
  if (!dy || !acc || !result)
    return;
  int64_t sequence = cast<RankedTensorType>(op.getDy().getType()).getDimSize(1);
  Number reset = unit.isReset(op, op.getReset());
  Emitter &e = unit.e;
  unit.eachRow(e.index(0), e.index(sequence), [&](Number position) {
    auto sums = unit.sumRows(1, e.index(0), e.index(unit.kernel.rows / sequence), 1,
                             [&](Number sample, MutableArrayRef<Vectors> sums) {
                               Number row = position + sample * static_cast<double>(sequence);
                               for (auto [sum, x] : llvm::zip(sums[0], unit.load(*dy, row)))
                                 sum = sum + x;
                             });
    unit.accumulate(*acc, *result, reset, position, sums[0]);
  });
  if (acc->rows > sequence)
    unit.carry(*acc, *result, reset, e.index(sequence), e.index(acc->rows));
}

void tx::emit::addEmbedding(OpTable &table) {
  table.addRow(lowerEmbedding);
  table.addRow(lowerSelectRows);
  table.addRow(lowerAddPositions);
  table.addColumn(lowerEmbeddingWeightGrad);
  table.addColumn(lowerPositionWeightGrad);
}
