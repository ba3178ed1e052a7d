//===- FakeCuda.cpp - A GPU in host memory ----------------------*- C++ -*-===//
//
// What the cuda backend uses of libcuda and libcublasLt, well enough to check
// the backend's own work where no GPU is: which launches it queues, with which
// operands, how a graph replays them, what it does when something is refused.
// It says nothing about speed.
//
// Device memory is the host's; streams are FakeStreams.cpp's. PTX runs on the emulator (test/Gpu/Emulator), which also finds what a
// device would punish; a "cubin" has the kernels of TestKernels.c, whatever its
// bytes are. So a newer device than all of an artifact's cubins runs its PTX.
//
//   FAKE_CUDA_CAPABILITY=90   compute capability
//   FAKE_CUDA_FREE=1048576    bytes of free memory when nothing is allocated; without it, of
//                             1 GiB a context and others have 200 MiB
//   FAKE_CUDA_DRIVER=13000    the driver's version of CUDA
//   FAKE_CUDA_DEVICES=1       devices that the driver sees
//   FAKE_CUDA_FAULT=weigh     this kernel faults when it runs
//   FAKE_CUDA_RACES=0         races are not looked for, which is faster
//
//===----------------------------------------------------------------------===//

#include "FakeCuda.h"

#include "txrt/abi.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iterator>
#include <map>
#include <memory>

using namespace txrt::cuda;
using fake::failed, fake::InvalidValue;

extern "C" {
void weigh(void *const *, const uint32_t *, int64_t, int64_t);
void bump(void *const *, const uint32_t *, int64_t, int64_t);
}

namespace txrt::cuda {
/// A function of TestKernels.c, or of PTX.
struct CUfunc_st {
  const char *name;
  txrt_host_kernel kernel = nullptr;
  int buffers = 0, immediates = 0;
  const ptx::Kernel *code = nullptr;
  unsigned sharedBytes = 48 << 10; // what a launch may have
};
struct CUmod_st {
  std::unique_ptr<ptx::Module> code; // null: a "cubin"
  std::deque<CUfunc_st> functions;
};
struct CUctx_st {};
} // namespace txrt::cuda

namespace {

enum : Result { LaunchFailed = 719, NotFound = 500 };

CUctx_st onlyContext;
std::map<DevicePointer, size_t> allocations;
thread_local Context current = nullptr;
std::string lastError = "said by the fake";

void runTestKernel(const CUfunc_st &function,
                   const std::vector<void *> &buffers,
                   const std::vector<uint32_t> &immediates, uint64_t units) {
  const char *fault = getenv("FAKE_CUDA_FAULT");
  if (fault && strcmp(fault, function.name) == 0)
    throw ptx::Error("FAKE_CUDA_FAULT");
  fake::clock() += 1000;
  if (function.kernel)
    function.kernel(buffers.data(), immediates.data(), 0,
                    static_cast<int64_t>(units));
}

Result launchTestKernel(const CUfunc_st &function, uint64_t threads,
                        void **parameters, Stream stream) {
  std::vector<void *> buffers;
  std::vector<uint32_t> immediates;
  for (int i = 0; i < function.buffers; ++i)
    buffers.push_back(*static_cast<void **>(*parameters++));
  for (int i = 0; i < function.immediates; ++i)
    immediates.push_back(*static_cast<uint32_t *>(*parameters++));
  uint64_t units = *static_cast<uint64_t *>(*parameters);
  // One unit a thread, as the test's artifact says.
  if (threads < units)
    return failed("too few threads for the units");
  fake::run(stream, [=] { runTestKernel(function, buffers, immediates, units); });
  return Success;
}

} // namespace

long fake::setting(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text ? atol(text) : otherwise;
}

long &fake::clock() {
  static long now = 0;
  return now;
}

ptx::Device &fake::device() {
  static auto *device = [] {
    auto *result = new ptx::Device; // lives as long as the process
    result->findsRaces = fake::setting("FAKE_CUDA_RACES", 1) != 0;
    return result;
  }();
  return *device;
}

DevicePointer fake::allocate(size_t bytes) {
  const DevicePointer address = device().allocate(bytes);
  allocations[address] = bytes;
  return address;
}
Result fake::release(DevicePointer address) {
  if (!allocations.erase(address))
    return failed("no allocation begins there");
  device().release(address);
  return Success;
}

long &fake::taken() {
  static long bytes = 0;
  return bytes;
}

bool fake::hasContext() { return current != nullptr; }

void fake::run(Stream stream, std::function<void()> work) {
  attempt(stream, [work = std::move(work)] {
    if (sticky() != Success)
      return true; // nothing runs after a fault
    try {
      work();
    } catch (const ptx::Error &error) {
      sticky() = LaunchFailed;
      lastError = error.what();
    }
    return true;
  });
}

Result &fake::sticky() {
  static Result result = Success;
  return result;
}

Result fake::failed(const std::string &message) {
  lastError = message;
  return InvalidValue;
}

extern "C" {

Result cuInit(unsigned) { return Success; }
Result cuDriverGetVersion(int *version) {
  *version = static_cast<int>(fake::setting("FAKE_CUDA_DRIVER", 13000));
  return Success;
}
Result cuGetErrorName(Result result, const char **name) {
  *name = result == LaunchFailed ? "CUDA_ERROR_LAUNCH_FAILED" : "CUDA_ERROR";
  return Success;
}
Result cuGetErrorString(Result, const char **text) {
  *text = lastError.c_str();
  return Success;
}
Result cuDeviceGetCount(int *count) {
  *count = static_cast<int>(fake::setting("FAKE_CUDA_DEVICES", 1));
  return Success;
}
Result cuDeviceGet(Device *device, int index) {
  *device = index;
  return Success;
}
Result cuDeviceGetName(char *name, int size, Device) {
  strncpy(name, "Fake GPU", static_cast<size_t>(size));
  return Success;
}
Result cuDeviceGetAttribute(int *value, DeviceAttribute attribute, Device) {
  long capability = fake::setting("FAKE_CUDA_CAPABILITY", 90);
  *value = static_cast<int>(attribute == ComputeCapabilityMajor
                                ? capability / 10
                                : capability % 10);
  return Success;
}
Result cuDeviceGetUuid_v2(DeviceId *id, Device device) {
  *id = {};
  id->bytes[0] = static_cast<char>(device);
  return Success;
}
Result cuDevicePrimaryCtxRetain(Context *context, Device) {
  *context = &onlyContext;
  return Success;
}
Result cuDevicePrimaryCtxRelease_v2(Device) { return Success; }
Result cuCtxSetCurrent(Context context) {
  current = context;
  return Success;
}
Result cuMemGetInfo_v2(size_t *available, size_t *total) {
  *total = size_t(1) << 30;
  long left = fake::setting("FAKE_CUDA_FREE", (1 << 30) - (200 << 20)) - fake::taken();
  for (const auto &[address, bytes] : allocations)
    left -= static_cast<long>((bytes + 511) / 512 * 512);
  *available = static_cast<size_t>(std::max(left, 0l));
  return current ? Success : InvalidValue;
}
Result cuMemAlloc_v2(DevicePointer *address, size_t bytes) {
  *address = fake::allocate(bytes);
  return Success;
}
Result cuMemGetAddressRange_v2(DevicePointer *base, size_t *bytes,
                               DevicePointer address) {
  auto next = allocations.upper_bound(address);
  if (next == allocations.begin())
    return InvalidValue;
  *base = std::prev(next)->first, *bytes = std::prev(next)->second;
  return address < *base + *bytes ? Success : InvalidValue;
}
Result cuMemFree_v2(DevicePointer address) { return fake::release(address); }
Result cuMemsetD16Async(DevicePointer address, unsigned short value,
                        size_t count, Stream stream) {
  fake::run(stream, [=] {
    std::fill_n(reinterpret_cast<unsigned short *>(address), count, value);
  });
  return Success;
}
Result cuMemsetD8Async(DevicePointer address, unsigned char value, size_t size,
                       Stream stream) {
  fake::run(stream, [=] { memset(reinterpret_cast<void *>(address), value, size); });
  return Success;
}
Result cuMemsetD32Async(DevicePointer address, unsigned value, size_t count,
                        Stream stream) {
  fake::run(stream, [=] {
    std::fill_n(reinterpret_cast<unsigned *>(address), count, value);
  });
  return Success;
}
Result cuMemcpyDtoDAsync_v2(DevicePointer to, DevicePointer from, size_t size,
                            Stream stream) {
  fake::run(stream, [=] {
    memcpy(reinterpret_cast<void *>(to), reinterpret_cast<void *>(from), size);
  });
  return Success;
}
Result cuMemHostAlloc(void **memory, size_t size, unsigned) {
  *memory = malloc(size);
  return Success;
}
Result cuMemHostGetDevicePointer_v2(DevicePointer *address, void *memory,
                                    unsigned) {
  *address = reinterpret_cast<DevicePointer>(memory);
  return Success;
}
Result cuMemFreeHost(void *memory) {
  free(memory);
  return Success;
}
// Reads when its turn comes, as the driver does with pinned memory.
Result cuMemcpyHtoDAsync_v2(DevicePointer to, const void *from, size_t size,
                            Stream stream) {
  fake::run(stream, [=] { memcpy(reinterpret_cast<void *>(to), from, size); });
  return current ? Success : InvalidValue;
}
Result cuMemcpyDtoH_v2(void *to, DevicePointer from, size_t size) {
  memcpy(to, reinterpret_cast<void *>(from), size);
  return current ? Success : InvalidValue;
}
Result cuModuleLoadData(Module *module, const void *image) {
  auto loaded = std::make_unique<CUmod_st>();
  const char *text = static_cast<const char *>(image);
  // PTX begins with comments and its version.
  if (strncmp(text, "//", 2) == 0 || strncmp(text, ".version", 8) == 0) {
    try {
      loaded->code = std::make_unique<ptx::Module>(text);
    } catch (const ptx::Error &error) {
      return failed(error.what());
    }
  } else {
    loaded->functions.push_back({"weigh", weigh, 2, 1});
    loaded->functions.push_back({"bump", bump, 1, 2});
    // They stand for attention, and do nothing.
    loaded->functions.push_back({"attend", nullptr, 5, 0});
    loaded->functions.push_back({"attend_grad", nullptr, 9, 0});
  }
  *module = loaded.release();
  return Success;
}
Result cuModuleUnload(Module module) {
  delete module;
  return Success;
}
Result cuModuleGetFunction(Function *function, Module module,
                           const char *name) {
  for (CUfunc_st &candidate : module->functions)
    if (strcmp(candidate.name, name) == 0)
      return *function = &candidate, Success;
  const ptx::Kernel *code = module->code ? module->code->find(name) : nullptr;
  if (!code)
    return NotFound;
  module->functions.push_back({name});
  module->functions.back().code = code;
  *function = &module->functions.back();
  return Success;
}
Result cuFuncSetAttribute(Function function, FunctionAttribute, int value) {
  constexpr int kMost = 227 << 10; // of a block, since compute capability 9.0
  if (value > kMost)
    return failed("more shared memory than a block can have");
  function->sharedBytes = std::max(function->sharedBytes, static_cast<unsigned>(value));
  return Success;
}

Result cuLaunchKernel(Function function, unsigned gridX, unsigned gridY,
                      unsigned gridZ, unsigned blockX, unsigned blockY,
                      unsigned blockZ, unsigned sharedBytes, Stream stream,
                      void **parameters, void **) {
  // Parameters are copied when a launch is queued.
  if (!function->code)
    return launchTestKernel(*function, uint64_t(gridX) * blockX, parameters, stream);
  if (sharedBytes > function->sharedBytes)
    return failed("more dynamic shared memory than the function's attribute allows");
  std::vector<std::vector<uint8_t>> values;
  for (unsigned size : ptx::parameterSizes(*function->code)) {
    auto *bytes = static_cast<const uint8_t *>(*parameters++);
    values.emplace_back(bytes, bytes + size);
  }
  const ptx::Kernel *code = function->code;
  fake::run(stream, [=] {
    ptx::Launch launch = {{gridX, gridY, gridZ}, {blockX, blockY, blockZ}, sharedBytes, {}};
    for (const std::vector<uint8_t> &value : values)
      launch.parameters.push_back(value.data());
    fake::clock() += 1000;
    fake::device().run(*code, launch);
  });
  return Success;
}

} // extern "C"

//===----------------------------------------------------------------------===//
// NVTX: the ranges so far, "[name" and "]"
//===----------------------------------------------------------------------===//

static std::string ranges;

extern "C" {
int nvtxRangePushA(const char *name) {
  ranges += std::string("[") + name;
  return 0;
}
int nvtxRangePop() {
  ranges += "]";
  return 0;
}
const char *fakeRanges() { return ranges.c_str(); }
}
