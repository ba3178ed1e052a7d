//===- Gemm.h - A matrix product as tasks ----------------------*- C++ -*-===//
//
// A product is cut into tiles of C by a grid that depends on its shape alone;
// each tile is one library call over the whole of k. So the bits of the result
// do not depend on the number of threads.
//
//===----------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_HOST_GEMM_H
#define TXRT_BACKENDS_HOST_GEMM_H

#include "backends/host/Blas.h"
#include "backends/host/ThreadPool.h"
#include "txrt/abi.h"

namespace txrt {

/// How a product is cut.
struct GemmGrid {
  uint64_t tileM, tileN;    // rows and columns of C in one call
  uint64_t countM, countN;  // tiles of one matrix
  uint64_t matricesPerTask; // of a batch of small matrices, else 1
  uint64_t tasks;
};
GemmGrid gemmGrid(const txrt_gemm_launch &gemm);

/// True if the library's 32-bit integers hold every extent it will see.
bool gemmFits(const txrt_gemm_launch &gemm);

/// `beta` replaces the launch's own, which a reset makes 0.
void runGemm(ThreadPool &pool, const Blas &blas, const txrt_gemm_launch &gemm,
             const float *a, const float *b, float *c, float beta);

} // namespace txrt

#endif // TXRT_BACKENDS_HOST_GEMM_H
