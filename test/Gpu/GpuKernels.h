//===- GpuKernels.h - Kernels for GPUs, run by the emulator ---------------------------------------------*- C++ -*-===//

#ifndef TX_TEST_GPU_GPUKERNELS_H
#define TX_TEST_GPU_GPUKERNELS_H

#include "Emulator.h"
#include "OpCases.h"

#include "tx/Target/CudaKernels.h"

#include <memory>

namespace txtest {

class GpuKernels : public KernelRunner {
public:
  /// `kernels` is the inside of a step.program. Records a test failure if it does not compile; then running it does
  /// nothing.
  explicit GpuKernels(const std::string &kernels, const std::string &architecture = "sm_80");

  /// All units at once, as a launch is. What the emulator finds is a test failure.
  void runUnits(const std::string &name, const std::vector<Bytes *> &buffers, int64_t begin, int64_t end,
                const std::vector<uint32_t> &immediates) override;

  /// Replaces text in the PTX, to see that a test notices. Returns how often.
  unsigned replace(const std::string &from, const std::string &to);

  const tx::CudaKernels &code() const { return compiled; }
  /// Of global memory, by the last launch.
  uint64_t bytesRead = 0, bytesWritten = 0;
  /// Of PTX that warps executed in the last launch.
  uint64_t instructions = 0;

private:
  tx::CudaKernels compiled;
  std::unique_ptr<ptx::Module> module;
};

} // namespace txtest

#endif // TX_TEST_GPU_GPUKERNELS_H
