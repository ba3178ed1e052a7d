//===- FakeCuda.h - What the fake libraries share --------------*- C++ -*-===//

#ifndef TX_TEST_RUNTIME_FAKECUDA_FAKECUDA_H
#define TX_TEST_RUNTIME_FAKECUDA_FAKECUDA_H

#include "Emulator.h"
#include "Narrow.h"

#include "backends/cuda/DriverApi.h"

#include <functional>
#include <vector>

namespace txrt::cuda {
struct CUgraph_st {
  std::vector<std::function<void()>> nodes;
};
struct CUstream_st {
  CUgraph_st *captured = nullptr;
};
struct CUevent_st {
  long time = 0;
};
} // namespace txrt::cuda

namespace fake {

/// Its memory.
ptx::Device &device();

/// The device's clock in nanoseconds: a kernel takes a thousand, a product what
/// its algorithm says.
long &clock();

/// A number from the environment.
long setting(const char *name, long otherwise);

/// Whether the calling thread has a current context.
bool hasContext();

/// Now, or when the graph that is being captured is replayed. What it throws
/// (ptx::Error) is a fault that the next synchronization reports.
void run(txrt::cuda::Stream stream, std::function<void()> work);

} // namespace fake

#endif // TX_TEST_RUNTIME_FAKECUDA_FAKECUDA_H
