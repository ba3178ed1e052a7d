//===- Blas.h - The CPU's GEMM library, opened at run time ----------------------------------------------*- C++ -*-===//
//
// OpenBLAS, its pthread variant held to one thread: called per tile from our own threads, so the process has one thread
// runtime. docs/Rationale/cpu-gemm.md says why this one.
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

  /// What the library maps with those that it needs, and for each scratch buffer (measured; BUFFER_SIZE of its
  /// sources), and about how much of it is touched.
  static constexpr uint64_t libraryBytes = uint64_t(64) << 20, scratchBytes = (uint64_t(128) << 20) + 65536,
                            touchedBytes = uint64_t(8) << 20;

  Sgemm sgemm = nullptr;
  /// The library keeps one scratch buffer for each thread that is in it at the same time, and gets it when it first
  /// needs it. Makes it have `count` now, so that no step does. Fails where there is no memory for them: the library
  /// would ask for it again and again for ever.
  void reserveScratch(unsigned count) const;
  std::string description; // "OpenBLAS 0.3.21 SkylakeX"

  /// Opens the library on first use, or fails with what to install. It stays open: its constructor has measured this
  /// CPU.
  static const Blas &get();

  // The library's own, behind reserveScratch.
  void *(*takeScratch)(int) = nullptr;
  void (*returnScratch)(void *) = nullptr;
};

} // namespace txrt

#endif // TXRT_BACKENDS_HOST_BLAS_H
