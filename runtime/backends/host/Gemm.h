//===- Gemm.h - A matrix product as tasks ---------------------------------------------------------------*- C++ -*-===//
//
// A grid cuts a product into tiles of C. Each tile is one call over the whole of k: a call of the library for f32, of
// the artifact's own code for bf16. The grid depends on the product's shape only, so the bits of the result do not
// depend on the number of threads.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_HOST_GEMM_H
#define TXRT_BACKENDS_HOST_GEMM_H

#include "backends/host/Blas.h"
#include "backends/host/ThreadPool.h"
#include "txrt/abi.h"

namespace txrt {

/// How a product is cut into tasks.
struct GemmGrid {
  uint64_t tileM, tileN;    // rows and columns of C in one call
  uint64_t countM, countN;  // tiles of one matrix
  uint64_t matricesPerTask; // how many small matrices of a batch one task computes; else 1
  uint64_t tasks;
};
GemmGrid gemmGrid(const txrt_gemm_launch &gemm, bool isNarrow);

/// Whether every extent of the product fits the library's 32-bit integers. `isNarrow`: A and B are bf16.
bool gemmFits(const txrt_gemm_launch &gemm, bool isNarrow);

/// The code that computes a launch's tiles, and the size of the elements.
struct GemmCode {
  const Blas *blas = nullptr;         // for f32 matrices
  txrt_host_product narrow = nullptr; // for bf16 matrices
  bool isWide = true;                 // C is f32

  bool isNarrow() const { return narrow != nullptr; }
};

/// Runs a product on the pool and returns when it is done. `beta` replaces the launch's own: it is 0 after a reset.
void runGemm(ThreadPool &pool, const GemmCode &code, const txrt_gemm_launch &gemm, const void *a, const void *b,
             void *c, float beta);

} // namespace txrt

#endif // TXRT_BACKENDS_HOST_GEMM_H
