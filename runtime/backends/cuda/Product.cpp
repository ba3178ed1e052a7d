#include "backends/cuda/Product.h"
#include "core/Manifest.h"
#include "core/Program.h"

#include <cstring>

using namespace txrt;
using namespace txrt::cuda;

using ull = unsigned long long;

namespace {

/// How the launch's two batch dimensions become the library's single one and a loop around the call.
struct Batch {
  uint64_t loops, count;
  uint64_t strideA, strideB, strideC;
};

Batch batchOf(const txrt_gemm_launch &g) {
  if (g.batch0 == 1)
    return {1, g.batch1, g.stride_a1, g.stride_b1, g.stride_c1};
  if (g.batch1 == 1)
    return {1, g.batch0, g.stride_a0, g.stride_b0, g.stride_c0};
  if (g.stride_a0 == g.batch1 * g.stride_a1 && g.stride_b0 == g.batch1 * g.stride_b1 &&
      g.stride_c0 == g.batch1 * g.stride_c1)
    return {1, g.batch0 * g.batch1, g.stride_a1, g.stride_b1, g.stride_c1};
  return {g.batch0, g.batch1, g.stride_a1, g.stride_b1, g.stride_c1};
}

lt::DataType typeOf(uint32_t dtype) { return dtype == TXRT_DTYPE_BF16 ? lt::BF16 : lt::F32; }

} // namespace

static_assert(sizeof(ProductKey) == sizeof(txrt_gemm_launch) + 32, "keys are compared as bytes: there is no padding");

ProductKey::ProductKey(const txrt_program &program, const txrt_launch &launch) {
  memcpy(&gemm, &launch.u.gemm, sizeof gemm);
  gemm.alpha = gemm.beta = 0;
  const txrt_buffer *buffers = &program.buffers[launch.first_buffer];
  const GemmBuffers at = gemmBuffers(gemm);
  scratch = gemm.has_scratch ? buffers[at.scratch].bytes : 0;
  const uint64_t step[] = {gemm.stride_a0, gemm.stride_b0, gemm.stride_c0};
  const bool loops = batchOf(gemm).loops > 1;
  for (int i = 0; i < 3; ++i) {
    dtypes[i] = buffers[i].dtype;
    uint32_t alignment = TXRT_BUFFER_ALIGNMENT;
    const uint64_t loopBytes = loops ? step[i] * dtypeBytes(dtypes[i]) : 0;
    while (buffers[i].offset % alignment || loopBytes % alignment)
      alignment /= 2;
    alignments[i] = alignment;
  }
}

bool ProductKey::operator<(const ProductKey &other) const { return memcmp(this, &other, sizeof *this) < 0; }

std::string ProductKey::text() const {
  const txrt_gemm_launch &g = gemm;
  std::string text =
      format("%c%c %llux%llux%llu ld %llu,%llu,%llu %s,%s,%s align %u,%u,%u", g.transpose_a ? 't' : 'n',
             g.transpose_b ? 't' : 'n', static_cast<ull>(g.m), static_cast<ull>(g.n), static_cast<ull>(g.k),
             static_cast<ull>(g.lda), static_cast<ull>(g.ldb), static_cast<ull>(g.ldc), dtypeName(dtypes[0]),
             dtypeName(dtypes[1]), dtypeName(dtypes[2]), alignments[0], alignments[1], alignments[2]);
  if (g.batch0 * g.batch1 != 1)
    text += format(" batch %llux%llu stride %llu,%llu %llu,%llu %llu,%llu", static_cast<ull>(g.batch0),
                   static_cast<ull>(g.batch1), static_cast<ull>(g.stride_a0), static_cast<ull>(g.stride_a1),
                   static_cast<ull>(g.stride_b0), static_cast<ull>(g.stride_b1), static_cast<ull>(g.stride_c0),
                   static_cast<ull>(g.stride_c1));
  if (g.epilogue)
    text += std::string(" ") + txrt_epilogue_name(g.epilogue);
  if (g.has_reset)
    text += " adds";
  return text + format(" scratch %llu", static_cast<ull>(scratch));
}

Product::Product(const lt::Library &library, lt::Handle handle, const ProductKey &key)
    : key(key), library(library), handle(handle) {
  const txrt_gemm_launch &g = key.gemm;
  const Batch batch = batchOf(g);
  library.check(library.matmulDescCreate(&desc, lt::Compute32F, lt::F32), "descriptor");
  const lt::Operation ours[] = {g.transpose_b ? lt::Transposed : lt::Plain, g.transpose_a ? lt::Transposed : lt::Plain};
  library.check(library.matmulDescSet(desc, lt::TransA, &ours[0], sizeof ours[0]), "transpose");
  library.check(library.matmulDescSet(desc, lt::TransB, &ours[1], sizeof ours[1]), "transpose");
  const GemmOperand ofA = gemmOperand(g, 0), ofB = gemmOperand(g, 1);
  a = layout(key.dtypes[1], ofB.rows, ofB.columns, g.ldb, batch.count, batch.strideB);
  b = layout(key.dtypes[0], ofA.rows, ofA.columns, g.lda, batch.count, batch.strideA);
  c = layout(key.dtypes[2], g.m, g.n, g.ldc, batch.count, batch.strideC);
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
  static const lt::EpilogueKind kinds[TXRT_EPILOGUE_COUNT - 1] = {lt::Bias, lt::BiasGradientB, lt::BiasGradientA};
  if (!key.gemm.epilogue)
    return;
  const uint32_t kind = kinds[key.gemm.epilogue - 1];
  library.check(library.matmulDescSet(desc, lt::Epilogue, &kind, sizeof kind), "epilogue");
  const int32_t type = typeOf(key.dtypes[2]);
  library.check(library.matmulDescSet(desc, lt::BiasDataType, &type, sizeof type), "epilogue");
  // The library's choice depends on the alignment of the vector, and without an address it finds no algorithm. So give
  // it any aligned address here; enqueue sets that of the launch.
  placeEpilogue(TXRT_BUFFER_ALIGNMENT);
}

void Product::placeEpilogue(DevicePointer vector) {
  if (key.gemm.epilogue)
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
  const txrt_gemm_launch &g = key.gemm;
  // The library reads the description when a call is queued, so it can change between calls.
  placeEpilogue(operands.vector);
  auto at = [](DevicePointer base, uint64_t step, uint32_t dtype) {
    return reinterpret_cast<void *>(base + step * dtypeBytes(dtype));
  };
  for (uint64_t i = 0, loops = batchOf(g).loops; i < loops; ++i) {
    void *ofA = at(operands.a, i * g.stride_a0, key.dtypes[0]);
    void *ofB = at(operands.b, i * g.stride_b0, key.dtypes[1]);
    void *ofC = at(operands.c, i * g.stride_c0, key.dtypes[2]);
    library.check(library.matmul(handle, desc, &alpha, ofB, a, ofA, b, &beta, ofC, c, ofC, c, &chosen,
                                 reinterpret_cast<void *>(operands.scratch), key.scratch, stream),
                  "matmul");
  }
}
