#include "backends/cuda/Device.h"
#include "backends/cuda/NcclLibrary.h"

using namespace txrt;
using namespace txrt::cuda;

DeviceContext::DeviceContext(const Driver &driver, int place) : driver(driver) {
  driver.check(driver.deviceGetCount(&devices), "counting devices");
  if (devices == 0)
    fail(TXRT_DEVICE, "the NVIDIA driver sees no device");
  driver.check(driver.deviceGet(&device, place % devices), "device");
  driver.check(driver.primaryCtxRetain(&context, device), "context");
  makeCurrent();
}

uint32_t DeviceContext::capability() const {
  int major = 0, minor = 0;
  driver.check(driver.deviceGetAttribute(&major, ComputeCapabilityMajor, device), "compute capability");
  driver.check(driver.deviceGetAttribute(&minor, ComputeCapabilityMinor, device), "compute capability");
  return static_cast<uint32_t>(major * 10 + minor);
}

std::string DeviceContext::name() const {
  char text[128] = "";
  driver.check(driver.deviceGetName(text, sizeof text, device), "name");
  return text;
}

DeviceId DeviceContext::id() const {
  DeviceId id = {};
  driver.check(driver.deviceGetUuid(&id, device), "the device's id");
  return id;
}

MemoryInUse cuda::memoryInUse(const Driver &driver) {
  size_t available = 0, total = 0;
  driver.check(driver.memGetInfo(&available, &total), "free memory");
  return {total - available, total};
}

DeviceArena::DeviceArena(const Driver &driver, uint64_t bytes, Stream stream, const nccl::Library *lender)
    : driver(driver), stream(stream), lender(lender) {
  if (bytes == 0)
    return;
  void *lent = nullptr;
  isLent = lender && lender->memAlloc(&lent, bytes) == nccl::Success;
  if (isLent)
    address = reinterpret_cast<DevicePointer>(lent);
  else
    driver.check(driver.memAlloc(&address, bytes), "the arena");
  size = bytes;
  clear();
}

DeviceArena::~DeviceArena() {
  if (isLent)
    lender->memFree(reinterpret_cast<void *>(address));
  else if (address)
    driver.memFree(address);
}

uint64_t DeviceArena::rounding() const {
  DevicePointer base = 0;
  size_t bytes = 0;
  return address && driver.memGetAddressRange(&base, &bytes, address) == Success && bytes > size ? bytes - size : 0;
}

void DeviceArena::clear() {
  if (size == 0)
    return;
  const char *what = "clearing the arena";
  driver.check(driver.memsetD8Async(address, 0, size, stream), what);
  // Wait here: a read of the arena before the first run does not wait for the stream.
  driver.check(driver.streamSynchronize(stream), what);
}

void cuda::copyToDevice(const Driver &driver, DevicePointer to, const void *from, uint64_t bytes, Stream stream) {
  const char *what = "copying to the device";
  driver.check(driver.memcpyHtoDAsync(to, from, bytes, stream), what);
  driver.check(driver.streamSynchronize(stream), what);
}
