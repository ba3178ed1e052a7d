//===- Kernels.h - The artifact's GPU code, loaded and launched -----------------------------------------*- C++ -*-===//

#ifndef TXRT_BACKENDS_CUDA_KERNELS_H
#define TXRT_BACKENDS_CUDA_KERNELS_H

#include "backends/cuda/Device.h"
#include "txrt/backend.h"

#include <string>
#include <vector>

namespace txrt::cuda {

/// What tx-compile --target=cuda:sm_... takes, ascending: messages name one of them. A test compares it with the
/// compiler's table.
constexpr uint32_t compilableArchitectures[] = {80, 86, 89, 90, 100, 120};

/// "compile with --target=cuda:sm_100" for a device that runs that code, as sm_103 does; or that the device is too old.
std::string compilableFor(uint32_t capability);

/// A cubin for a device of this compute capability, the highest; else PTX that the driver compiles. Fails with
/// TXRT_DEVICE when the artifact has neither.
const txrt_gpu_image &chooseImage(const txrt_program &program, uint32_t capability);

class Kernels {
public:
  /// Loads the image that is chosen for this device.
  Kernels(const txrt_program &program, const Driver &driver, const DeviceContext &context, DevicePointer arena);

  /// Queues a kernel launch.
  void enqueue(const txrt_launch &launch, Stream stream);

private:
  void load(const txrt_gpu_image &image);
  const txrt_gpu_kernel &launchOf(uint32_t kernel) const {
    return program.functions[program.kernel_functions[kernel]].gpu;
  }

  const txrt_program &program;
  const Driver &driver;
  OwnedModule module;
  std::vector<Function> functions;      // of each kernel
  std::vector<DevicePointer> addresses; // of each buffer
  std::vector<void *> parameters;       // room for one launch
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_KERNELS_H
