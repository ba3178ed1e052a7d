//===- MemoryNeeds.h - How much device memory a session takes -------------------------------------------*- C++ -*-===//
//
// The compiler plans the arena. Beside it, the driver and the libraries later take memory for code, buffers and graphs;
// how much, they tell only when they have it. So the session estimates it, and fails before it allocates anything if
// the whole does not fit.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_MEMORYNEEDS_H
#define TXRT_BACKENDS_CUDA_MEMORYNEEDS_H

#include "backends/cuda/Device.h"
#include "core/Memory.h"
#include "txrt/backend.h"

namespace txrt::cuda {

/// The bytes of the arena, and an estimate of the other memory that a session takes. Fails if the artifact has no code
/// for a device of this compute capability.
MemoryNeed estimateMemory(const txrt_program &program, const txrt_options &options, uint32_t capability);

/// Fails with TXRT_OUT_OF_MEMORY if `need` is more than the free memory; the message says which part takes how much.
void requireMemory(const MemoryNeed &need, const MemoryInUse &now);

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_MEMORYNEEDS_H
