//===- Blas.h - The CPU's GEMM library, opened at run time ----------------------------------------------*- C++ -*-===//
//
// OpenBLAS in its pthread variant, limited to one thread: the runtime's own threads call it, once for each tile, so the
// process has one thread runtime. docs/Rationale/cpu-gemm.md says why Tx uses this library.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_HOST_BLAS_H
#define TXRT_BACKENDS_HOST_BLAS_H

#include <cstdint>
#include <string>

namespace txrt {

struct Blas {
  using Sgemm = void (*)(int order, int transposeA, int transposeB, int m, int n, int k, float alpha, const float *a,
                         int lda, const float *b, int ldb, float beta, float *c, int ldc);
  static constexpr int rowMajor = 101, plain = 111, transposed = 112;

  /// Bytes that the library maps together with the libraries that it needs; bytes that it maps for each scratch buffer
  /// (measured; BUFFER_SIZE in its sources); and about how many bytes of a scratch buffer it touches.
  static constexpr uint64_t libraryBytes = uint64_t(64) << 20, scratchBytes = (uint64_t(128) << 20) + 65536,
                            touchedBytes = uint64_t(8) << 20;

  Sgemm sgemm = nullptr;
  /// The library has one scratch buffer for each thread that calls it at the same time, and allocates it when it first
  /// needs it. This makes it allocate `count` buffers now, so that no step has to. Fails if there is no memory for
  /// them: the library itself would try again for ever.
  void reserveScratch(unsigned count) const;
  std::string description; // "OpenBLAS 0.3.21 SkylakeX"

  /// Opens the library on first use; fails with what to install if it is missing. It stays open, because its
  /// constructor, which measures this CPU, takes time.
  static const Blas &get();

  // The library's internal functions that reserveScratch uses.
  void *(*takeScratch)(int) = nullptr;
  void (*returnScratch)(void *) = nullptr;
};

} // namespace txrt

#endif // TXRT_BACKENDS_HOST_BLAS_H
