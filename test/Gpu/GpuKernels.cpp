#include "GpuKernels.h"

#include "KernelText.h"

#include <gtest/gtest.h>
#include <map>

using namespace txtest;

GpuKernels::GpuKernels(const std::string &kernels, const std::string &architecture) {
  std::string diagnostics;
  mlir::OwningOpRef<mlir::ModuleOp> parsed;
  tx::step::ProgramOp program = parseKernels(kernels, parsed, diagnostics);
  mlir::FailureOr<tx::CudaKernels> result = mlir::failure();
  if (program) {
    DiagnosticsAsText handler(diagnostics);
    tx::CudaTargetOptions options;
    options.architectures = {architecture};
    result = tx::compileCudaKernelsToPtx(program, options);
  }
  if (mlir::failed(result)) {
    ADD_FAILURE() << diagnostics << "in\n" << kernels;
    return;
  }
  compiled = std::move(*result);
  try {
    module = std::make_unique<ptx::Module>(compiled.ptx);
  } catch (const ptx::Error &error) {
    ADD_FAILURE() << error.what();
  }
}

unsigned GpuKernels::replace(const std::string &from, const std::string &to) {
  unsigned count = 0;
  for (size_t at = 0; (at = compiled.ptx.find(from, at)) != std::string::npos; at += to.size(), ++count)
    compiled.ptx.replace(at, from.size(), to);
  module = std::make_unique<ptx::Module>(compiled.ptx);
  return count;
}

void GpuKernels::runUnits(const std::string &name, const std::vector<Bytes *> &buffers, int64_t, int64_t,
                          const std::vector<uint32_t> &immediates) {
  if (!module)
    return;
  const tx::CudaKernel *shape = nullptr;
  for (const tx::CudaKernel &kernel : compiled.kernels)
    if (kernel.name == name)
      shape = &kernel;
  const ptx::Kernel *kernel = module->find(name);
  ASSERT_TRUE(shape && kernel) << name;
  // What a launch brings goes by a symbol of one byte: a kernel's own arrays would lie behind it, and be overlapped.
  if (shape->sharedBytes)
    EXPECT_LE(ptx::staticSharedBytes(*kernel), 1u) << name << " has shared memory beside what its launch brings";
  ptx::Device device;
  std::map<Bytes *, uint64_t> addresses; // a piece that is there twice is one
  for (Bytes *bytes : buffers)
    if (addresses.emplace(bytes, 0).second) {
      addresses[bytes] = device.allocate(bytes->size() - kGuardBytes);
      std::copy(bytes->begin(), bytes->end() - kGuardBytes, reinterpret_cast<uint8_t *>(addresses[bytes]));
    }
  ptx::Launch launch;
  launch.grid[0] = static_cast<unsigned>((shape->units + shape->unitsPerBlock - 1) / shape->unitsPerBlock);
  launch.block[0] = shape->threads;
  launch.sharedBytes = shape->sharedBytes;
  for (Bytes *bytes : buffers)
    launch.parameters.push_back(&addresses[bytes]);
  for (const uint32_t &immediate : immediates)
    launch.parameters.push_back(&immediate);
  launch.parameters.push_back(&shape->units);
  try {
    device.run(*kernel, launch);
    bytesRead = device.bytesRead(), bytesWritten = device.bytesWritten();
    instructions = device.instructions();
  } catch (const ptx::Error &error) {
    ADD_FAILURE() << error.what();
  }
  for (auto [bytes, address] : addresses)
    std::copy_n(reinterpret_cast<const uint8_t *>(address), bytes->size() - kGuardBytes, bytes->begin());
}
