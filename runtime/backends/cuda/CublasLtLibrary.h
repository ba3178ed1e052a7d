//===- CublasLtLibrary.h - cuBLASLt, opened at run time -------------------------------------------------*- C++ -*-===//

#ifndef TXRT_BACKENDS_CUDA_CUBLASLTLIBRARY_H
#define TXRT_BACKENDS_CUDA_CUBLASLTLIBRARY_H

#include "backends/cuda/CublasLtApi.h"
#include "core/Failure.h"

namespace txrt::cuda::lt {

struct Library {
#define TXRT_MEMBER(member, type, symbol, ...) type (*member)(__VA_ARGS__);
  TXRT_CUBLASLT_FUNCTIONS(TXRT_MEMBER)
#undef TXRT_MEMBER

  /// The library, opened once for the process. Fails with TXRT_DEVICE if it is missing or too old.
  static const Library &get();

  /// "cuBLASLt 13.1.0".
  std::string version() const;
  void check(Status status, const char *what) const {
    if (status != lt::Success)
      fail(status == AllocationFailed ? TXRT_OUT_OF_MEMORY : TXRT_DEVICE, "cuBLASLt: %s: %s", what,
           getStatusString(status));
  }

private:
  Library();
};

} // namespace txrt::cuda::lt

#endif // TXRT_BACKENDS_CUDA_CUBLASLTLIBRARY_H
