#include "backends/cuda/ProductSums.h"
#include "core/Program.h"

using namespace txrt;
using namespace txrt::cuda;

static bool sumsB(const ProductKey &key) {
  return key.gemm.epilogue == TXRT_EPILOGUE_SUMS_B;
}

/// Of the ones in scratch, which the library's part follows.
static uint64_t onesBytes(const ProductKey &key) {
  const uint64_t bytes = key.gemm.k * dtypeBytes(key.dtypes[0]);
  return (bytes + TXRT_SCRATCH_ALIGNMENT - 1) / TXRT_SCRATCH_ALIGNMENT *
         TXRT_SCRATCH_ALIGNMENT;
}

/// ones [1, k] times op(B) [k, n], or times op(A)^T [k, m].
static ProductKey onesTimes(const ProductKey &key) {
  ProductKey ones = key;
  const txrt_gemm_launch &g = key.gemm;
  const int which = sumsB(key) ? 1 : 0;
  ones.gemm = {};
  ones.gemm.m = ones.gemm.batch0 = ones.gemm.batch1 = 1;
  ones.gemm.k = ones.gemm.lda = g.k;
  ones.gemm.n = ones.gemm.ldc = which ? g.n : g.m;
  ones.gemm.ldb = which ? g.ldb : g.lda;
  ones.gemm.transpose_b = which ? g.transpose_b : !g.transpose_a;
  ones.gemm.has_scratch = 1;
  ones.scratch = key.scratch > onesBytes(key) ? key.scratch - onesBytes(key) : 0;
  ones.dtypes[1] = key.dtypes[which];
  ones.alignments[0] = TXRT_BUFFER_ALIGNMENT;
  ones.alignments[1] = key.alignments[which];
  // The vector may lie anywhere, and is no work to write.
  ones.alignments[2] = static_cast<uint32_t>(dtypeBytes(key.dtypes[2]));
  return ones;
}

ProductSums::ProductSums(const lt::Library &library, lt::Handle handle,
                         const Driver &driver, const ProductKey &key)
    : driver(driver), ofB(sumsB(key)),
      product(library, handle, onesTimes(key)) {
  const std::vector<lt::Algorithm> found = product.candidates(1);
  possible = !found.empty() && onesBytes(key) <= key.scratch;
  if (possible)
    product.algorithm = found.front();
}

void ProductSums::enqueue(const ProductOperands &operands, Stream stream) {
  const uint64_t count = product.key.gemm.k;
  const uint32_t dtype = product.key.dtypes[0];
  driver.check(
      dtype == TXRT_DTYPE_BF16
          ? driver.memsetD16Async(operands.scratch, 0x3f80, count, stream)
          : driver.memsetD32Async(operands.scratch, 0x3f800000, count, stream),
      "ones");
  product.enqueue({operands.scratch, ofB ? operands.b : operands.a,
                   operands.vector, 0, operands.scratch + onesBytes(product.key)},
                  1, 0, product.algorithm, stream);
}
