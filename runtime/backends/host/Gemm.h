//===- Gemm.h - A matrix product as tasks ---------------------------------------------------------------*- C++ -*-===//
//
// A product is cut into tiles of C by a grid that depends on its shape alone; each tile is one call over the whole of
// k: of the library for f32, of the artifact's own code for bf16. So the bits of the result do not depend on the number
// of threads.
//
//===--------------------------------------------------------------------------------------------------------------===//

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
GemmGrid gemmGrid(const txrt_gemm_launch &gemm, bool isNarrow);

/// True if the library's 32-bit integers hold every extent it will see.
bool gemmFits(const txrt_gemm_launch &gemm, bool isNarrow);

/// What computes a launch's tiles, and how large elements are.
struct GemmCode {
  const Blas *blas = nullptr;         // of f32 matrices
  txrt_host_product narrow = nullptr; // of bf16 matrices
  bool isWide = true;                 // C is f32

  bool isNarrow() const { return narrow != nullptr; }
};

/// `beta` replaces the launch's own, which a reset makes 0.
void runGemm(ThreadPool &pool, const GemmCode &code, const txrt_gemm_launch &gemm, const void *a, const void *b,
             void *c, float beta);

} // namespace txrt

#endif // TXRT_BACKENDS_HOST_GEMM_H
