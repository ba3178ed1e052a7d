//===- ElementwiseKernels.cpp - Add, activations, dropout, views --------------------------------------------------===//

#include "DropoutMask.h"
#include "Kernels.h"

#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace tx;

static LogicalResult add(AddOp, Operands in, Results out) {
  for (size_t i = 0; i < out[0].values.size(); ++i)
    out[0].values[i] = in[0]->values[i] + in[1]->values[i];
  return success();
}

/// Copies the values; the interpreter rounds results to their type.
static LogicalResult cast(CastOp, Operands in, Results out) {
  out[0].values = in[0]->values;
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// GELU: y = x/2 (1 + t), t = tanh(u), u = sqrt(2/pi) (x + 0.044715 x^3)
//===--------------------------------------------------------------------------------------------------------------===//

static const double kRoot = std::sqrt(2 / std::acos(-1.0));
static constexpr double kCubic = 0.044715;

static double geluTanh(double x) { return std::tanh(kRoot * (x + kCubic * x * x * x)); }

double tx::gelu(double x) { return x / 2 * (1 + geluTanh(x)); }

double tx::geluDerivative(double x) {
  double t = geluTanh(x), du = kRoot * (1 + 3 * kCubic * x * x);
  return (1 + t) / 2 + x / 2 * (1 - t * t) * du;
}

static LogicalResult geluOp(GeluOp, Operands in, Results out) {
  llvm::transform(in[0]->values, out[0].values.begin(), gelu);
  return success();
}

static LogicalResult geluGrad(GeluGradOp, Operands in, Results out) {
  for (size_t i = 0; i < out[0].values.size(); ++i)
    out[0].values[i] = in[0]->values[i] * geluDerivative(in[1]->values[i]);
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// SwiGLU
//===--------------------------------------------------------------------------------------------------------------===//

static LogicalResult swiglu(SwigluOp, Operands in, Results out) {
  for (size_t i = 0; i < out[0].values.size(); ++i) {
    double gate = in[0]->values[i];
    out[0].values[i] = gate / (1 + std::exp(-gate)) * in[1]->values[i];
  }
  return success();
}

static LogicalResult swigluGrad(SwigluGradOp, Operands in, Results out) {
  for (size_t i = 0; i < out[0].values.size(); ++i) {
    double dy = in[0]->values[i], gate = in[1]->values[i], up = in[2]->values[i];
    double sigmoid = 1 / (1 + std::exp(-gate));
    out[0].values[i] = dy * up * sigmoid * (1 + gate * (1 - sigmoid));
    out[1].values[i] = dy * gate * sigmoid;
  }
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Dropout
//===--------------------------------------------------------------------------------------------------------------===//

static LogicalResult dropout(DropoutOp op, Operands in, Results out) {
  const Tensor &x = *in[0];
  double p = op.getProbability().convertToDouble();
  DropoutMask mask(*in[1], op.getScope().getSiteHash(), p);
  int64_t columns = x.getColumns(), rowsPerSample = x.getRows() / x.shape[0];
  for (int64_t r = 0; r < x.getRows(); ++r)
    for (int64_t c = 0; c < columns; ++c) {
      int64_t i = r * columns + c;
      bool dropped = mask.drops(r / rowsPerSample, r % rowsPerSample, c);
      out[0].values[i] = dropped ? 0 : x.values[i] / (1 - p);
    }
  return success();
}

//===--------------------------------------------------------------------------------------------------------------===//
// Views
//===--------------------------------------------------------------------------------------------------------------===//

static LogicalResult zeros(ZerosOp, Operands, Results) { return success(); }

static LogicalResult slice(SliceOp op, Operands in, Results out) {
  int64_t size = op.getSize(), columns = in[0]->getColumns();
  for (int64_t r = 0; r < in[0]->getRows(); ++r)
    for (int64_t c = 0; c < size; ++c)
      out[0].values[r * size + c] = in[0]->values[r * columns + op.getOffset() + c];
  return success();
}

static LogicalResult concat(ConcatOp, Operands in, Results out) {
  int64_t columns = out[0].getColumns(), offset = 0;
  for (const Tensor *part : in) {
    int64_t size = part->getColumns();
    for (int64_t r = 0; r < part->getRows(); ++r)
      for (int64_t c = 0; c < size; ++c)
        out[0].values[r * columns + offset + c] = part->values[r * size + c];
    offset += size;
  }
  return success();
}

static LogicalResult selectRows(SelectRowsOp op, Operands in, Results out) {
  const Tensor &x = *in[0], &rows = *in[1];
  int64_t sequence = x.shape[1], columns = x.getColumns();
  for (size_t sample = 0; sample < rows.values.size(); ++sample) {
    double row = rows.values[sample];
    if (!(row >= 0 && row < sequence))
      return op.emitOpError("has row ") << static_cast<int64_t>(row) << ", not in [0, " << sequence << ")";
    std::copy_n(x.values.begin() + (sample * sequence + static_cast<int64_t>(row)) * columns, columns,
                out[0].values.begin() + sample * columns);
  }
  return success();
}

/// Packs, and rows one behind another.
template <typename OpT> static LogicalResult joinRuns(OpT op, Operands in, Results out) {
  for (auto [part, run] : llvm::zip_equal(in, op.getViewedParts()))
    std::copy(part->values.begin(), part->values.end(), out[0].values.begin() + run.second);
  return success();
}

/// The parts of a pack, and rows.
template <typename OpT> static LogicalResult takeRuns(OpT op, Operands in, Results out) {
  for (auto [part, run] : llvm::zip_equal(out, op.getViewedParts()))
    std::copy_n(in[0]->values.begin() + run.second, part.values.size(), part.values.begin());
  return success();
}

void tx::addElementwiseKernels(KernelTable &table) {
  table.add<AddOp, add>();
  table.add<CastOp, cast>();
  table.add<GeluOp, geluOp>();
  table.add<GeluGradOp, geluGrad>();
  table.add<SwigluOp, swiglu>();
  table.add<SwigluGradOp, swigluGrad>();
  table.add<DropoutOp, dropout>();
  table.add<ZerosOp, zeros>();
  table.add<SliceOp, slice>();
  table.add<ConcatOp, concat>();
  table.add<SliceRowsOp, takeRuns<SliceRowsOp>>();
  table.add<ConcatRowsOp, joinRuns<ConcatRowsOp>>();
  table.add<SelectRowsOp, selectRows>();
  table.add<PackOp, joinRuns<PackOp>>();
  table.add<UnpackOp, takeRuns<UnpackOp>>();
}
