//===- Nvtx.h - Ranges for NVIDIA's profilers -----------------------------------------------------------*- C++ -*-===//
//
// A profiler that wants ranges sets a variable in the environment before the process starts; only then Tx opens the
// NVTX library. Without a profiler a range costs a test of a null pointer.
//
// An entry is a range. When its launches are queued one by one (without a graph), the launches of one phase and layer
// are a range inside of it, and in that each launch is a range with its module's path.
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
