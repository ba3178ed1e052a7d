//===- Kernels.h - The artifact's GPU code, loaded and launched -----------------------------------------*- C++ -*-===//

#ifndef TXRT_BACKENDS_CUDA_KERNELS_H
#define TXRT_BACKENDS_CUDA_KERNELS_H

#include "backends/cuda/Device.h"
#include "txrt/backend.h"

#include <string>
#include <vector>

namespace txrt::cuda {

/// The architectures that tx-compile --target=cuda:sm_... takes, ascending; messages propose one of them. A test
/// compares this list with the compiler's table.
constexpr uint32_t compilableArchitectures[] = {80, 86, 89, 90, 100, 120};

/// Advice for a device of this compute capability: "compile with --target=cuda:sm_100" for sm_103, which runs that
/// code; or that the device is too old.
std::string compilableFor(uint32_t capability);

/// Chooses the image for a device of this compute capability: of the cubins that run on it the one of the highest
/// architecture, else PTX that the driver compiles. Fails with TXRT_DEVICE if the artifact has neither.
const txrt_gpu_image &chooseImage(const txrt_program &program, uint32_t capability);

class Kernels {
public:
  /// Loads the image that chooseImage gives for this device.
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
  std::vector<Function> functions;      // one for each kernel
  std::vector<DevicePointer> addresses; // one for each buffer of the program
  std::vector<void *> parameters;       // the parameters of the launch that is being queued
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_KERNELS_H
