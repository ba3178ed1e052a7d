//===- Device.h - The GPU, its memory, and what the driver lends ----------------------------------------*- C++ -*-===//

#ifndef TXRT_BACKENDS_CUDA_DEVICE_H
#define TXRT_BACKENDS_CUDA_DEVICE_H

#include "backends/cuda/Driver.h"

namespace txrt::cuda {
namespace nccl {
struct Library;
}

/// The primary context, current in the thread that made it.
class DeviceContext {
public:
  /// Of the `place`-th rank of this machine; ranks begin again with the first device after the last. Fails with
  /// TXRT_DEVICE where the driver is too old or sees no device.
  DeviceContext(const Driver &driver, int place);
  DeviceContext(const DeviceContext &) = delete;
  ~DeviceContext() { driver.primaryCtxRelease(device); }
  /// Each thread has a current context of its own.
  void makeCurrent() const { driver.check(driver.ctxSetCurrent(context), "context"); }

  /// Compute capability: 90 for sm_90.
  uint32_t capability() const;
  /// "NVIDIA H100 80GB HBM3".
  std::string name() const;
  DeviceId id() const;
  /// Devices that the driver sees.
  int count() const { return devices; }

private:
  const Driver &driver;
  Device device = 0;
  int devices = 0;
  Context context = nullptr;
};

struct MemoryInUse {
  uint64_t used, total;
};
/// By all processes on the current context's device.
MemoryInUse memoryInUse(const Driver &driver);

/// The arena in device memory, zero-filled.
class DeviceArena {
public:
  /// Memory that other GPUs shall reach is `lender`'s, if it has some; else null.
  DeviceArena(const Driver &driver, uint64_t bytes, Stream stream, const nccl::Library *lender);
  DeviceArena(const DeviceArena &) = delete;
  ~DeviceArena();
  /// Before all that is queued on the stream afterwards.
  void clear();

  /// What the allocation occupies beyond `size`, as far as the driver says.
  uint64_t rounding() const;

  DevicePointer address = 0;
  uint64_t size = 0;
  bool isLent = false;

private:
  const Driver &driver;
  Stream stream;
  const nccl::Library *const lender;
};

/// What is queued on `stream` afterwards sees the bytes, and the caller may change them. The driver's synchronous copy
/// does not do: it is of the legacy stream, for which others do not wait, and may end while bytes are still on their
/// way.
void copyToDevice(const Driver &driver, DevicePointer to, const void *from, uint64_t bytes, Stream stream);

/// A handle that the driver gave and takes back.
template <typename Handle, Result (*Driver::*destroy)(Handle)> class Owned {
public:
  explicit Owned(const Driver &driver) : driver(driver) {}
  Owned(Owned &&other) : driver(other.driver), handle(other.handle) { other.handle = nullptr; }
  ~Owned() {
    if (handle)
      (driver.*destroy)(handle);
  }
  Handle *operator&() { return &handle; }
  operator Handle() const { return handle; }

private:
  const Driver &driver;
  Handle handle = nullptr;
};
using OwnedModule = Owned<Module, &Driver::moduleUnload>;
using OwnedStream = Owned<Stream, &Driver::streamDestroy>;
using OwnedGraph = Owned<Graph, &Driver::graphDestroy>;
using OwnedGraphExec = Owned<GraphExec, &Driver::graphExecDestroy>;
using OwnedEvent = Owned<Event, &Driver::eventDestroy>;

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_DEVICE_H
