//===- NcclLibrary.h - NCCL, opened at run time ---------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_BACKENDS_CUDA_NCCLLIBRARY_H
#define TXRT_BACKENDS_CUDA_NCCLLIBRARY_H

#include "backends/cuda/NcclApi.h"
#include "core/Failure.h"

namespace txrt::cuda::nccl {

struct Library {
#define TXRT_MEMBER(member, type, symbol, ...) type (*member)(__VA_ARGS__);
  TXRT_NCCL_FUNCTIONS(TXRT_MEMBER)
#undef TXRT_MEMBER
  // Null if the library is older than the function.
#define TXRT_MEMBER(member, type, symbol, version, ...) type (*member)(__VA_ARGS__) = nullptr;
  TXRT_NCCL_NEWER_FUNCTIONS(TXRT_MEMBER)
#undef TXRT_MEMBER

  /// The library, opened once for the process. Fails with TXRT_DEVICE if it is missing or too old.
  static const Library &get();

  /// Whether the library can allocate memory that ranks may register.
  bool lendsMemory() const { return memAlloc && memFree && commRegister && commDeregister; }
  /// "NCCL 2.28.9".
  std::string version() const;
  /// Fails with the library's text for `result` and its last error on `comm` (may be null). The status is TXRT_PEER if
  /// another rank may be the cause, else TXRT_DEVICE.
  [[noreturn]] void refuse(Result result, Comm comm, const std::string &what) const;

private:
  Library();
};

} // namespace txrt::cuda::nccl

#endif // TXRT_BACKENDS_CUDA_NCCLLIBRARY_H
