//===- MemoryNeeds.h - What a session takes of a device -------------------------------------------------*- C++ -*-===//
//
// The arena is planned. Beside it the driver and the libraries take memory for code, buffers and graphs, later, and say
// how much only when they have it. So it is estimated, and what does not fit is refused before anything is allocated.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_MEMORYNEEDS_H
#define TXRT_BACKENDS_CUDA_MEMORYNEEDS_H

#include "backends/cuda/Device.h"
#include "core/Memory.h"
#include "txrt/backend.h"

namespace txrt::cuda {

/// The arena, and an estimate of what else a session takes. Fails where the artifact has no code for a device of this
/// compute capability.
MemoryNeed estimateMemory(const txrt_program &program, const txrt_options &options, uint32_t capability);

/// Fails with TXRT_OUT_OF_MEMORY, and says what takes how much, where it is more than what is free.
void requireMemory(const MemoryNeed &need, const MemoryInUse &now);

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_MEMORYNEEDS_H
