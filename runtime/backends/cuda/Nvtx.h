//===- Nvtx.h - Ranges for NVIDIA's profilers -----------------------------------------------------------*- C++ -*-===//
//
// A profiler that wants ranges says so in the environment before the process starts; only then is the library of ranges
// opened. Without one a range is a test of a null pointer.
//
// An entry is a range. When its launches are queued one by one, those of one phase and layer are a range in it, and
// each launch one with its module's path.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_NVTX_H
#define TXRT_BACKENDS_CUDA_NVTX_H

#include "txrt/backend.h"

#include <string>

namespace txrt::cuda {

class Nvtx {
public:
  explicit Nvtx(const txrt_program &program, void (*warn)(const char *));

  void beginEntry(uint32_t entry);
  void beginLaunch(uint32_t index);
  void endLaunch();
  void endEntry();

private:
  using Push = int (*)(const char *);
  using Pop = int (*)();

  const txrt_program &program;
  Push push = nullptr;
  Pop pop = nullptr;
  bool inEntry = false, inLayer = false;
  uint32_t phase = 0;
  int32_t layer = 0;
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_NVTX_H
