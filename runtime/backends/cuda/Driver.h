//===- Driver.h - CUDA's driver, opened at run time -----------------------------------------------------*- C++ -*-===//

#ifndef TXRT_BACKENDS_CUDA_DRIVER_H
#define TXRT_BACKENDS_CUDA_DRIVER_H

#include "backends/cuda/DriverApi.h"
#include "core/Failure.h"

namespace txrt::cuda {

/// The address of a library's function. Fails, and names both, if the library has none of this name.
void *symbol(void *library, const char *libraryName, const char *name);

/// Opens the first of the libraries `names` that can be opened. If there is none, fails and says what `purpose` it was
/// for and why each attempt failed.
void *openLibrary(std::initializer_list<const char *> names, const char *purpose);

struct Driver {
#define TXRT_MEMBER(member, symbol, ...) Result (*member)(__VA_ARGS__);
  TXRT_CUDA_DRIVER_FUNCTIONS(TXRT_MEMBER)
#undef TXRT_MEMBER

  /// The driver, opened and initialized once for the process. Fails with TXRT_DEVICE if there is no driver.
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
