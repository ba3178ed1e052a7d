//===- Device.h - The GPU, its memory, and handles of the driver ----------------------------------------*- C++ -*-===//

#ifndef TXRT_BACKENDS_CUDA_DEVICE_H
#define TXRT_BACKENDS_CUDA_DEVICE_H

#include "backends/cuda/Driver.h"

namespace txrt::cuda {
namespace nccl {
struct Library;
}

/// A device's primary context. The constructor makes it current in the calling thread.
class DeviceContext {
public:
  /// The context for the rank at `place` on this machine: on device `place`, modulo the number of devices. Fails with
  /// TXRT_DEVICE if the driver is too old or sees no device.
  DeviceContext(const Driver &driver, int place);
  DeviceContext(const DeviceContext &) = delete;
  ~DeviceContext() { driver.primaryCtxRelease(device); }
  /// Makes the context current in the calling thread: each thread has its own current context.
  void makeCurrent() const { driver.check(driver.ctxSetCurrent(context), "context"); }

  /// Compute capability: 90 for sm_90.
  uint32_t capability() const;
  /// "NVIDIA H100 80GB HBM3".
  std::string name() const;
  DeviceId id() const;
  /// How many devices the driver sees.
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
/// The memory that all processes together use on the current context's device.
MemoryInUse memoryInUse(const Driver &driver);

/// The arena in device memory, zero-filled.
class DeviceArena {
public:
  /// Allocates `bytes` bytes. `lender` is the NCCL library that allocates memory which other GPUs can reach; null: the
  /// driver allocates it.
  DeviceArena(const Driver &driver, uint64_t bytes, Stream stream, const nccl::Library *lender);
  DeviceArena(const DeviceArena &) = delete;
  ~DeviceArena();
  /// Sets all bytes to 0, and waits until that is done.
  void clear();

  /// Bytes that the allocation takes beyond `size`, as far as the driver tells.
  uint64_t rounding() const;

  DevicePointer address = 0;
  uint64_t size = 0;
  bool isLent = false;

private:
  const Driver &driver;
  Stream stream;
  const nccl::Library *const lender;
};

/// Copies bytes to the device and waits. Work that is queued on `stream` afterwards sees the bytes, and the caller may
/// change `from`. The driver's synchronous copy does not guarantee that: it runs on the legacy stream, for which other
/// streams do not wait, and may return while bytes are still on their way.
void copyToDevice(const Driver &driver, DevicePointer to, const void *from, uint64_t bytes, Stream stream);

/// Owns a handle of the driver and destroys it.
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
