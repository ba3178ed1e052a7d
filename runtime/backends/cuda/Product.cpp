#include "backends/cuda/Product.h"
#include "core/Manifest.h"
#include "core/Program.h"

#include <algorithm>
#include <cstring>

using namespace txrt;
using namespace txrt::cuda;

using ull = unsigned long long;

namespace {

/// One dimension of a batch: how many matrices it has, and the strides of A, B and C along it.
struct BatchAxis {
  uint64_t count;
  uint64_t strides[3];
};

/// How the launch's batch becomes the single batch dimension of a library's call, and at most two loops around the
/// call.
struct Batch {
  BatchAxis outer = {1, {}}, inner = {1, {}}, library = {1, {}};

  explicit Batch(const txrt_gemm_launch &g) {
    // Heads that share a matrix are a dimension of their own, along which that matrix has stride 0.
    const txrt_gemm_matrix *const matrices[] = {&g.a, &g.b, &g.c};
    const uint64_t repeat = std::max(g.a.repeat, g.b.repeat);
    BatchAxis axes[] = {{g.batch0, {}}, {g.batch1 / repeat, {}}, {repeat, {}}};
    for (int i = 0; i < 3; ++i) {
      const txrt_gemm_matrix &m = *matrices[i];
      axes[0].strides[i] = m.stride0;
      axes[1].strides[i] = m.repeat == repeat ? m.stride1 : repeat * m.stride1;
      axes[2].strides[i] = m.repeat == repeat && repeat > 1 ? 0 : m.stride1;
    }
    std::vector<BatchAxis> distinct; // from the outermost to the innermost
    for (const BatchAxis &axis : axes) {
      if (axis.count == 1)
        continue;
      if (!distinct.empty() && follows(distinct.back(), axis))
        distinct.back() = {distinct.back().count * axis.count, {axis.strides[0], axis.strides[1], axis.strides[2]}};
      else
        distinct.push_back(axis);
    }
    // The library gets the longest, of equal ones the innermost.
    auto longest = distinct.begin();
    for (auto axis = distinct.begin(); axis != distinct.end(); ++axis)
      if (axis->count >= longest->count)
        longest = axis;
    if (longest == distinct.end())
      return;
    library = *longest;
    distinct.erase(longest);
    if (!distinct.empty())
      inner = distinct.back();
    if (distinct.size() > 1)
      outer = distinct.front();
  }

  uint64_t calls() const { return outer.count * inner.count; }
  /// Where the matrices of a call begin, in elements from those of the first call.
  uint64_t begin(uint64_t call, int matrix) const {
    return call / inner.count * outer.strides[matrix] + call % inner.count * inner.strides[matrix];
  }

private:
  /// Whether both dimensions together are one with the inner one's strides.
  static bool follows(const BatchAxis &outer, const BatchAxis &inner) {
    for (int i = 0; i < 3; ++i)
      if (outer.strides[i] != inner.count * inner.strides[i])
        return false;
    return true;
  }
};

lt::DataType typeOf(uint32_t dtype) { return dtype == TXRT_DTYPE_BF16 ? lt::BF16 : lt::F32; }

} // namespace

static_assert(sizeof(ProductKey) == sizeof(txrt_gemm_launch) + 32, "keys are compared as bytes: there is no padding");

ProductKey::ProductKey(const txrt_program &program, const txrt_launch &launch) {
  memcpy(&gemm, &launch.u.gemm, sizeof gemm);
  gemm.alpha = gemm.beta = 0;
  const txrt_buffer *ofLibrary = gemmBuffer(program, launch, TXRT_GEMM_SCRATCH);
  scratch = ofLibrary ? ofLibrary->bytes : 0;
  const Batch batch(gemm);
  for (int i = TXRT_GEMM_A; i <= TXRT_GEMM_C; ++i) {
    const txrt_buffer &buffer = *gemmBuffer(program, launch, i);
    dtypes[i] = buffer.dtype;
    const uint64_t bytes = dtypeBytes(buffer.dtype);
    const uint64_t outerBytes = batch.outer.strides[i] * bytes, innerBytes = batch.inner.strides[i] * bytes;
    uint32_t alignment = TXRT_BUFFER_ALIGNMENT;
    while (buffer.offset % alignment || outerBytes % alignment || innerBytes % alignment)
      alignment /= 2;
    alignments[i] = alignment;
  }
  // Which buffer has which role is no part of the product; that there is one is.
  for (uint32_t &buffer : gemm.buffers)
    buffer = buffer != 0;
}

bool ProductKey::operator<(const ProductKey &other) const { return memcmp(this, &other, sizeof *this) < 0; }

std::string ProductKey::text() const {
  const txrt_gemm_launch &g = gemm;
  std::string text = format("%c%c %llux%llux%llu ld %llu,%llu,%llu %s,%s,%s align %u,%u,%u", g.transpose_a ? 't' : 'n',
                            g.transpose_b ? 't' : 'n', static_cast<ull>(g.m), static_cast<ull>(g.n),
                            static_cast<ull>(g.k), static_cast<ull>(g.a.leading), static_cast<ull>(g.b.leading),
                            static_cast<ull>(g.c.leading), dtypeName(dtypes[0]), dtypeName(dtypes[1]),
                            dtypeName(dtypes[2]), alignments[0], alignments[1], alignments[2]);
  if (g.batch0 * g.batch1 != 1)
    text += format(" batch %llux%llu stride %llu,%llu %llu,%llu %llu,%llu", static_cast<ull>(g.batch0),
                   static_cast<ull>(g.batch1), static_cast<ull>(g.a.stride0), static_cast<ull>(g.a.stride1),
                   static_cast<ull>(g.b.stride0), static_cast<ull>(g.b.stride1), static_cast<ull>(g.c.stride0),
                   static_cast<ull>(g.c.stride1));
  if (g.a.repeat != 1 || g.b.repeat != 1)
    text += format(" repeat %llu,%llu", static_cast<ull>(g.a.repeat), static_cast<ull>(g.b.repeat));
  if (const txrt_gemm_operand vector = gemmVector(g); vector != TXRT_GEMM_OPERANDS)
    text += std::string(" ") + txrt_gemm_operand_name(vector);
  if (g.buffers[TXRT_GEMM_RESET])
    text += " adds";
  return text + format(" scratch %llu", static_cast<ull>(scratch));
}

Product::Product(const lt::Library &library, lt::Handle handle, const ProductKey &key)
    : key(key), library(library), handle(handle) {
  const txrt_gemm_launch &g = key.gemm;
  const Batch batch(g);
  library.check(library.matmulDescCreate(&desc, lt::Compute32F, lt::F32), "descriptor");
  const lt::Operation ours[] = {g.transpose_b ? lt::Transposed : lt::Plain, g.transpose_a ? lt::Transposed : lt::Plain};
  library.check(library.matmulDescSet(desc, lt::TransA, &ours[0], sizeof ours[0]), "transpose");
  library.check(library.matmulDescSet(desc, lt::TransB, &ours[1], sizeof ours[1]), "transpose");
  const GemmOperand ofA = gemmOperand(g, 0), ofB = gemmOperand(g, 1);
  a = layout(key.dtypes[1], ofB.rows, ofB.columns, g.b.leading, batch.library.count, batch.library.strides[1]);
  b = layout(key.dtypes[0], ofA.rows, ofA.columns, g.a.leading, batch.library.count, batch.library.strides[0]);
  c = layout(key.dtypes[2], g.m, g.n, g.c.leading, batch.library.count, batch.library.strides[2]);
  describeEpilogue();
}

Product::~Product() {
  library.matmulDescDestroy(desc);
  for (lt::MatrixLayout layout : {a, b, c})
    library.layoutDestroy(layout);
}

lt::MatrixLayout Product::layout(uint32_t dtype, uint64_t rows, uint64_t columns, uint64_t leading, uint64_t count,
                                 uint64_t stride) {
  lt::MatrixLayout result = nullptr;
  // In column-major terms the row-major matrix is its transpose.
  library.check(library.layoutCreate(&result, typeOf(dtype), columns, rows, static_cast<int64_t>(leading)), "layout");
  const int32_t batch = static_cast<int32_t>(count);
  const int64_t offset = static_cast<int64_t>(stride);
  library.check(library.layoutSet(result, lt::BatchCount, &batch, sizeof batch), "batch");
  library.check(library.layoutSet(result, lt::StridedBatchOffset, &offset, sizeof offset), "batch");
  return result;
}

/// A row of our C is a column of the library's C: the library's bias has one element for each of our columns, and its A
/// is our B.
void Product::describeEpilogue() {
  const txrt_gemm_operand vector = gemmVector(key.gemm);
  if (vector == TXRT_GEMM_OPERANDS)
    return;
  const uint32_t kind = vector == TXRT_GEMM_BIAS     ? lt::Bias
                        : vector == TXRT_GEMM_SUMS_A ? lt::BiasGradientB
                                                     : lt::BiasGradientA;
  library.check(library.matmulDescSet(desc, lt::Epilogue, &kind, sizeof kind), "epilogue");
  const int32_t type = typeOf(key.dtypes[2]);
  library.check(library.matmulDescSet(desc, lt::BiasDataType, &type, sizeof type), "epilogue");
  // The library's choice depends on the alignment of the vector, and without an address it finds no algorithm. So give
  // it any aligned address here; enqueue sets that of the launch.
  placeEpilogue(TXRT_BUFFER_ALIGNMENT);
}

void Product::placeEpilogue(DevicePointer vector) {
  if (gemmVector(key.gemm) != TXRT_GEMM_OPERANDS)
    library.check(library.matmulDescSet(desc, lt::BiasPointer, &vector, sizeof vector), "epilogue");
}

std::vector<lt::Algorithm> Product::candidates(int count) {
  lt::Preference preference = nullptr;
  library.check(library.preferenceCreate(&preference), "preference");
  auto set = [&](lt::PreferenceAttribute attribute, const auto &value) {
    library.check(library.preferenceSet(preference, attribute, &value, sizeof value), "preference");
  };
  set(lt::MaxWorkspaceBytes, key.scratch);
  // If the library splits k, it must add the partial sums in f32, in one order.
  set(lt::ReductionSchemeMask, uint32_t(lt::SumInComputeType));
  set(lt::MinAlignmentA, key.alignments[1]);
  set(lt::MinAlignmentB, key.alignments[0]);
  set(lt::MinAlignmentC, key.alignments[2]);
  set(lt::MinAlignmentD, key.alignments[2]);
  std::vector<lt::HeuristicResult> found(static_cast<size_t>(count));
  int foundCount = 0;
  lt::Status status = library.algoGetHeuristic(handle, desc, a, b, c, c, preference, count, found.data(), &foundCount);
  library.preferenceDestroy(preference);
  std::vector<lt::Algorithm> algorithms;
  for (int i = 0; status == lt::Success && i < foundCount; ++i)
    if (found[static_cast<size_t>(i)].state == lt::Success &&
        found[static_cast<size_t>(i)].workspaceBytes <= key.scratch)
      algorithms.push_back(found[static_cast<size_t>(i)].algorithm);
  return algorithms;
}

bool Product::accepts(const lt::Algorithm &candidate) {
  lt::HeuristicResult result = {};
  return library.algoCheck(handle, desc, a, b, c, c, &candidate, &result) == lt::Success &&
         result.workspaceBytes <= key.scratch;
}

void Product::enqueue(const ProductOperands &operands, float alpha, float beta, const lt::Algorithm &chosen,
                      Stream stream) {
  const Batch batch(key.gemm);
  // The library reads the description when a call is queued, so it can change between calls.
  placeEpilogue(operands.vector);
  auto at = [&](DevicePointer base, uint64_t call, int matrix) {
    return reinterpret_cast<void *>(base + batch.begin(call, matrix) * dtypeBytes(key.dtypes[matrix]));
  };
  for (uint64_t call = 0; call < batch.calls(); ++call) {
    void *ofA = at(operands.a, call, TXRT_GEMM_A);
    void *ofB = at(operands.b, call, TXRT_GEMM_B);
    void *ofC = at(operands.c, call, TXRT_GEMM_C);
    library.check(library.matmul(handle, desc, &alpha, ofB, a, ofA, b, &beta, ofC, c, ofC, c, &chosen,
                                 reinterpret_cast<void *>(operands.scratch), key.scratch, stream),
                  "matmul");
  }
}
