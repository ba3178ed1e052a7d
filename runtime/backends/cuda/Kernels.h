//===- Kernels.h - The artifact's GPU code, loaded and launched -*- C++ -*-===//

#ifndef TXRT_BACKENDS_CUDA_KERNELS_H
#define TXRT_BACKENDS_CUDA_KERNELS_H

#include "backends/cuda/Device.h"
#include "txrt/backend.h"

#include <vector>

namespace txrt::cuda {

class Kernels {
public:
  /// Takes a cubin for this device, the highest; else PTX that the driver
  /// compiles. Fails with TXRT_DEVICE when the artifact has neither.
  Kernels(const txrt_program &program, const Driver &driver,
          const DeviceContext &context, DevicePointer arena);

  /// Queues a kernel launch.
  void enqueue(const txrt_launch &launch, Stream stream);

private:
  const txrt_gpu_image &chooseImage(uint32_t capability) const;

  const txrt_program &program;
  const Driver &driver;
  OwnedModule module;
  std::vector<Function> functions;      // of each kernel
  std::vector<DevicePointer> addresses; // of each buffer
  std::vector<void *> parameters;       // room for one launch
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_KERNELS_H
