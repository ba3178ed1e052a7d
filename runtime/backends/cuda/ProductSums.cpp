#include "backends/cuda/ProductSums.h"
#include "core/Program.h"

using namespace txrt;
using namespace txrt::cuda;

static int summedOperand(const ProductKey &key) { return key.gemm.buffers[TXRT_GEMM_SUMS_A] ? 0 : 1; }

/// Bytes of the ones at the begin of the scratch; the library's own scratch follows them.
static uint64_t onesBytes(uint64_t count, uint32_t dtype) {
  return (count * dtypeBytes(dtype) + TXRT_SCRATCH_ALIGNMENT - 1) / TXRT_SCRATCH_ALIGNMENT * TXRT_SCRATCH_ALIGNMENT;
}

/// The product of the ones: ones [1, k] times op(B) [k, n], or times op(A)^T [k, m].
static ProductKey onesTimes(const ProductKey &key) {
  ProductKey ones = key;
  const txrt_gemm_launch &g = key.gemm;
  const int which = summedOperand(key);
  const uint64_t leading[] = {g.a.leading, g.b.leading};
  const uint8_t transposed[] = {!g.transpose_a, g.transpose_b};
  ones.gemm = {};
  ones.gemm.m = ones.gemm.batch0 = ones.gemm.batch1 = 1;
  ones.gemm.k = g.k;
  ones.gemm.n = which == 0 ? g.m : g.n;
  ones.gemm.a = {g.k, 0, 0, 1};
  ones.gemm.b = {leading[which], 0, 0, 1};
  ones.gemm.c = {ones.gemm.n, 0, 0, 1};
  ones.gemm.transpose_b = transposed[which];
  for (int role : {TXRT_GEMM_A, TXRT_GEMM_B, TXRT_GEMM_C, TXRT_GEMM_SCRATCH})
    ones.gemm.buffers[role] = 1;
  ones.dtypes[0] = ones.dtypes[1] = key.dtypes[which];
  const uint64_t taken = onesBytes(ones.gemm.k, ones.dtypes[0]);
  ones.scratch = key.scratch > taken ? key.scratch - taken : 0;
  ones.alignments[0] = TXRT_BUFFER_ALIGNMENT;
  ones.alignments[1] = key.alignments[which];
  // The vector may have any alignment; it is small, so that costs nothing.
  ones.alignments[2] = static_cast<uint32_t>(dtypeBytes(key.dtypes[2]));
  return ones;
}

ProductSums::ProductSums(const lt::Library &library, lt::Handle handle, const Driver &driver, const ProductKey &key)
    : driver(driver), which(summedOperand(key)), product(library, handle, onesTimes(key)) {
  const std::vector<lt::Algorithm> found = product.candidates(1);
  possible = !found.empty() && onesBytes(product.key.gemm.k, product.key.dtypes[0]) <= key.scratch;
  if (possible)
    product.algorithm = found.front();
}

void ProductSums::enqueue(const ProductOperands &operands, Stream stream) {
  const uint64_t count = product.key.gemm.k;
  const uint32_t dtype = product.key.dtypes[0];
  driver.check(dtype == TXRT_DTYPE_BF16 ? driver.memsetD16Async(operands.scratch, 0x3f80, count, stream)
                                        : driver.memsetD32Async(operands.scratch, 0x3f800000, count, stream),
               "ones");
  const DevicePointer summed[] = {operands.a, operands.b};
  product.enqueue({operands.scratch, summed[which], operands.vector, 0, operands.scratch + onesBytes(count, dtype)}, 1,
                  0, product.algorithm, stream);
}
