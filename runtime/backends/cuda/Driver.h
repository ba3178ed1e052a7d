//===- Driver.h - CUDA's driver, opened at run time -----------------------------------------------------*- C++ -*-===//

#ifndef TXRT_BACKENDS_CUDA_DRIVER_H
#define TXRT_BACKENDS_CUDA_DRIVER_H

#include "backends/cuda/DriverApi.h"
#include "core/Failure.h"

namespace txrt::cuda {

/// A library's function, or a refusal that names both.
void *symbol(void *library, const char *libraryName, const char *name);

/// The first of `names` that can be opened; a refusal that says what `purpose` it was for and what each attempt
/// answered.
void *openLibrary(std::initializer_list<const char *> names, const char *purpose);

struct Driver {
#define TXRT_MEMBER(member, symbol, ...) Result (*member)(__VA_ARGS__);
  TXRT_CUDA_DRIVER_FUNCTIONS(TXRT_MEMBER)
#undef TXRT_MEMBER

  /// Opened and initialized once for the process. Fails with TXRT_DEVICE where no driver is.
  static const Driver &get();

  /// "CUDA_ERROR_LAUNCH_FAILED: unspecified launch failure".
  std::string describe(Result result) const;
  void check(Result result, const char *what) const {
    if (result != Success)
      fail(result == OutOfMemory ? TXRT_OUT_OF_MEMORY : TXRT_DEVICE, "%s: %s", what, describe(result).c_str());
  }
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_DRIVER_H
