//===- FakeCuda.h - What the fake libraries share --------------*- C++ -*-===//

#ifndef TX_TEST_RUNTIME_FAKECUDA_FAKECUDA_H
#define TX_TEST_RUNTIME_FAKECUDA_FAKECUDA_H

#include "Emulator.h"
#include "Narrow.h"

#include "backends/cuda/DriverApi.h"

#include <functional>
#include <string>

namespace fake {

/// Its memory.
ptx::Device &device();

/// The device's clock in nanoseconds: a kernel takes a thousand, a group of NCCL's
/// two, a product what its algorithm says.
long &clock();

/// A number from the environment.
long setting(const char *name, long otherwise);

/// Device memory.
txrt::cuda::DevicePointer allocate(size_t bytes);
txrt::cuda::Result release(txrt::cuda::DevicePointer address);

/// Bytes that are in use for what has no address: graphs, libraries.
long &taken();
constexpr long BytesOfGraph = 64 << 10, BytesOfLibrary = 512 << 10;

/// Whether the calling thread has a current context.
bool hasContext();

/// Queues it, or captures it. What it throws (ptx::Error) is a fault that the next
/// synchronization reports.
void run(txrt::cuda::Stream stream, std::function<void()> work);
/// The same for what may have to wait: it is called again until it gives true.
void attempt(txrt::cuda::Stream stream, std::function<bool()> work);

/// What a fault leaves, until a synchronization.
txrt::cuda::Result &sticky();
constexpr txrt::cuda::Result InvalidValue = 1;
/// InvalidValue, which the driver then describes so.
txrt::cuda::Result failed(const std::string &message);

} // namespace fake

#endif // TX_TEST_RUNTIME_FAKECUDA_FAKECUDA_H
