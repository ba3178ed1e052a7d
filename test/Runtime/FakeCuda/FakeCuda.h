//===- FakeCuda.h - What the fake libraries share -------------------------------------------------------*- C++ -*-===//

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

/// The device's clock in nanoseconds: a kernel takes a thousand, a group of NCCL's two, a product what its algorithm
/// says.
long &clock();

/// A number from the environment.
long setting(const char *name, long otherwise);

/// Device memory; 0 where there is not so much, or in a capture.
txrt::cuda::DevicePointer allocate(size_t bytes);
txrt::cuda::Result release(txrt::cuda::DevicePointer address);

/// For what has no address: graphs, libraries. False where there is not so much.
bool take(long bytes);
void giveBack(long bytes);
constexpr long BytesOfGraph = 64 << 10, BytesOfLibrary = 512 << 10;

/// Whether the calling thread may do now what a capture would not see: allocate, free, load code, wait. If it captures
/// a stream, the driver says no and that capture is lost (CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: see
/// cuThreadExchangeStreamCaptureMode).
bool mayActUnseen();
/// What the driver then answers.
txrt::cuda::Result unsupported(const std::string &call);

/// Whether the calling thread has a current context.
bool hasContext();

/// Queues it, or captures it. What it throws (ptx::Error) is a fault that the next synchronization reports.
void run(txrt::cuda::Stream stream, std::function<void()> work);
/// The same for what may have to wait: it is called again until it gives true.
void attempt(txrt::cuda::Stream stream, std::function<bool()> work);

/// What a fault leaves, until a synchronization.
txrt::cuda::Result &sticky();
constexpr txrt::cuda::Result InvalidValue = 1;
/// A result that the driver then describes so.
txrt::cuda::Result failed(const std::string &message, txrt::cuda::Result result = InvalidValue);

} // namespace fake

#endif // TX_TEST_RUNTIME_FAKECUDA_FAKECUDA_H
