//===- FakeCuda.cpp - A GPU in host memory --------------------------------------------------------------*- C++ -*-===//
//
// What the cuda backend uses of libcuda and libcublasLt, well enough to check the backend's own work where no GPU is:
// which launches it queues, with which operands, how a graph replays them, what it does when something is refused. It
// says nothing about speed.
//
// Device memory is the host's; streams are FakeStreams.cpp's. PTX runs on the emulator (test/Gpu/Emulator), which also
// finds what a device would punish; a "cubin" has the kernels of TestKernels.c, whatever its bytes are. So a newer
// device than all of an artifact's cubins runs its PTX.
//
//   FAKE_CUDA_CAPABILITY=90   compute capability
//   FAKE_CUDA_FREE=1048576    bytes of free memory when nothing is allocated; without it, of
//                             16 GiB a context and others have 200 MiB
//   FAKE_CUDA_DRIVER=13000    the driver's version of CUDA
//   FAKE_CUDA_DEVICES=1       devices that the driver sees
//   FAKE_CUDA_FAULT=weigh     this kernel faults when it runs
//   FAKE_CUDA_REFUSED=weigh   the driver does not take its launch into a capture
//   FAKE_CUDA_RACES=0         races are not looked for, which is faster
//
//===--------------------------------------------------------------------------------------------------------------===//

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
  // What a launch may bring of shared memory; more than the rest of 48 KiB when it is asked for.
  unsigned dynamicBytes = 0;
  unsigned staticBytes() const { return code ? ptx::staticSharedBytes(*code) : 0; }
};
struct CUmod_st {
  std::unique_ptr<ptx::Module> code; // null: a "cubin"
  std::deque<CUfunc_st> functions;
};
struct CUctx_st {};
} // namespace txrt::cuda

namespace {

enum : Result {
  InvalidPtx = 218,
  NotFound = 500,
  LaunchOutOfResources = 701,
  LaunchFailed = 719,
  CaptureUnsupported = 900,
};

constexpr size_t totalBytes = size_t(16) << 30;
constexpr unsigned staticMost = 48 << 10; // of a block, without being asked for

/// What a block may have of shared memory at most: the CUDA programming guide's table.
unsigned mostSharedBytes(long capability) {
  switch (capability) {
  case 80:
  case 87:
    return 163 << 10;
  case 90:
  case 100:
  case 103:
  case 110:
    return 227 << 10;
  default: // 86, 89, 120, 121
    return 99 << 10;
  }
}

/// What every architecture allows.
bool isGrid(unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX, unsigned blockY, unsigned blockZ) {
  const unsigned most = 65535;
  return gridX >= 1 && gridX <= 0x7fffffff && gridY >= 1 && gridY <= most && gridZ >= 1 && gridZ <= most &&
         blockX >= 1 && blockX <= 1024 && blockY >= 1 && blockY <= 1024 && blockZ >= 1 && blockZ <= 64 &&
         uint64_t(blockX) * blockY * blockZ <= 1024;
}

CUctx_st onlyContext;
std::map<DevicePointer, size_t> allocations;
thread_local Context current = nullptr;
std::string lastError = "said by the fake";

void runTestKernel(const CUfunc_st &function, const std::vector<void *> &buffers,
                   const std::vector<uint32_t> &immediates, uint64_t units) {
  const char *fault = getenv("FAKE_CUDA_FAULT");
  if (fault && strcmp(fault, function.name) == 0)
    throw ptx::Error("FAKE_CUDA_FAULT");
  fake::clock() += 1000;
  if (function.kernel)
    function.kernel(buffers.data(), immediates.data(), 0, static_cast<int64_t>(units));
}

Result launchTestKernel(const CUfunc_st &function, uint64_t threads, void **parameters, Stream stream) {
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

static long takenBytes = 0;

static long left() {
  long bytes = fake::setting("FAKE_CUDA_FREE", static_cast<long>(totalBytes) - (200 << 20)) - takenBytes;
  for (const auto &allocation : allocations)
    bytes -= static_cast<long>((allocation.second + 511) / 512 * 512);
  return std::max(bytes, 0l);
}

bool fake::take(long bytes) {
  if (bytes > left())
    return false;
  takenBytes += bytes;
  return true;
}
void fake::giveBack(long bytes) { takenBytes -= bytes; }

DevicePointer fake::allocate(size_t bytes) {
  if (!mayActUnseen() || static_cast<long>(bytes) > left())
    return 0;
  const DevicePointer address = device().allocate(bytes);
  allocations[address] = bytes;
  return address;
}
Result fake::release(DevicePointer address) {
  if (!mayActUnseen())
    return unsupported("freeing memory");
  if (!allocations.erase(address))
    return failed("no allocation begins there");
  device().release(address);
  return Success;
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

Result fake::failed(const std::string &message, Result result) {
  lastError = message;
  return result;
}
Result fake::unsupported(const std::string &call) {
  return failed(call + " while the thread captures a stream", CaptureUnsupported);
}

extern "C" {

Result cuInit(unsigned) { return Success; }
Result cuDriverGetVersion(int *version) {
  *version = static_cast<int>(fake::setting("FAKE_CUDA_DRIVER", 13000));
  return Success;
}
Result cuGetErrorName(Result result, const char **name) {
  static const std::map<Result, const char *> names = {{OutOfMemory, "CUDA_ERROR_OUT_OF_MEMORY"},
                                                       {InvalidPtx, "CUDA_ERROR_INVALID_PTX"},
                                                       {LaunchOutOfResources, "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES"},
                                                       {LaunchFailed, "CUDA_ERROR_LAUNCH_FAILED"},
                                                       {CaptureUnsupported, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"}};
  auto known = names.find(result);
  *name = known == names.end() ? "CUDA_ERROR" : known->second;
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
  *value = static_cast<int>(attribute == ComputeCapabilityMajor ? capability / 10 : capability % 10);
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
  *total = totalBytes;
  *available = static_cast<size_t>(left());
  return current ? Success : InvalidValue;
}
Result cuMemAlloc_v2(DevicePointer *address, size_t bytes) {
  if (!fake::mayActUnseen())
    return fake::unsupported("allocating memory");
  *address = fake::allocate(bytes);
  return *address ? Success : failed("out of memory", OutOfMemory);
}
Result cuMemGetAddressRange_v2(DevicePointer *base, size_t *bytes, DevicePointer address) {
  auto next = allocations.upper_bound(address);
  if (next == allocations.begin())
    return InvalidValue;
  *base = std::prev(next)->first, *bytes = std::prev(next)->second;
  return address < *base + *bytes ? Success : InvalidValue;
}
Result cuMemFree_v2(DevicePointer address) { return fake::release(address); }
Result cuMemsetD16Async(DevicePointer address, unsigned short value, size_t count, Stream stream) {
  fake::run(stream, [=] { std::fill_n(reinterpret_cast<unsigned short *>(address), count, value); });
  return Success;
}
Result cuMemsetD8Async(DevicePointer address, unsigned char value, size_t size, Stream stream) {
  fake::run(stream, [=] { memset(reinterpret_cast<void *>(address), value, size); });
  return Success;
}
Result cuMemsetD32Async(DevicePointer address, unsigned value, size_t count, Stream stream) {
  fake::run(stream, [=] { std::fill_n(reinterpret_cast<unsigned *>(address), count, value); });
  return Success;
}
Result cuMemcpyDtoDAsync_v2(DevicePointer to, DevicePointer from, size_t size, Stream stream) {
  fake::run(stream, [=] { memcpy(reinterpret_cast<void *>(to), reinterpret_cast<void *>(from), size); });
  return Success;
}
Result cuMemHostAlloc(void **memory, size_t size, unsigned) {
  if (!fake::mayActUnseen())
    return fake::unsupported("allocating memory of the host");
  *memory = malloc(size);
  return Success;
}
Result cuMemHostGetDevicePointer_v2(DevicePointer *address, void *memory, unsigned) {
  *address = reinterpret_cast<DevicePointer>(memory);
  return Success;
}
Result cuMemFreeHost(void *memory) {
  if (!fake::mayActUnseen())
    return fake::unsupported("freeing memory of the host");
  free(memory);
  return Success;
}
// Reads when its turn comes, as the driver does with pinned memory.
Result cuMemcpyHtoDAsync_v2(DevicePointer to, const void *from, size_t size, Stream stream) {
  fake::run(stream, [=] { memcpy(reinterpret_cast<void *>(to), from, size); });
  return current ? Success : InvalidValue;
}
Result cuMemcpyDtoH_v2(void *to, DevicePointer from, size_t size) {
  if (!fake::mayActUnseen())
    return fake::unsupported("a copy that is waited for");
  memcpy(to, reinterpret_cast<void *>(from), size);
  return current ? Success : InvalidValue;
}
Result cuModuleLoadDataEx(Module *module, const void *image, unsigned count, JitOption *options, void **values) {
  if (!fake::mayActUnseen())
    return fake::unsupported("loading code");
  char *log = nullptr;
  size_t logBytes = 0;
  for (unsigned i = 0; i < count; ++i)
    if (options[i] == JitErrorLog)
      log = static_cast<char *>(values[i]);
    else if (options[i] == JitErrorLogBytes)
      logBytes = reinterpret_cast<size_t>(values[i]);
  auto loaded = std::make_unique<CUmod_st>();
  const char *text = static_cast<const char *>(image);
  // PTX begins with comments and its version.
  if (strncmp(text, "//", 2) == 0 || strncmp(text, ".version", 8) == 0) {
    try {
      loaded->code = std::make_unique<ptx::Module>(text);
    } catch (const ptx::Error &error) {
      // As the driver: what is wrong is in the log alone, on lines of its own.
      snprintf(log, logBytes, "ptxas fatal   :\n%s\n", error.what());
      return failed("a PTX JIT compilation failed", InvalidPtx);
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
  if (!fake::mayActUnseen())
    return fake::unsupported("unloading code");
  delete module;
  return Success;
}
Result cuModuleGetFunction(Function *function, Module module, const char *name) {
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
  const unsigned most = mostSharedBytes(fake::setting("FAKE_CUDA_CAPABILITY", 90));
  if (value < 0 || static_cast<unsigned>(value) + function->staticBytes() > most)
    return failed("more shared memory than a block can have");
  function->dynamicBytes = static_cast<unsigned>(value);
  return Success;
}

Result cuLaunchKernel(Function function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,
                      unsigned blockY, unsigned blockZ, unsigned sharedBytes, Stream stream, void **parameters,
                      void **) {
  const char *refused = getenv("FAKE_CUDA_REFUSED");
  if (refused && strcmp(refused, function->name) == 0 && !fake::mayActUnseen())
    return failed("FAKE_CUDA_REFUSED");
  if (!isGrid(gridX, gridY, gridZ, blockX, blockY, blockZ))
    return failed("a grid or block that no device has");
  if (sharedBytes > function->dynamicBytes && sharedBytes + function->staticBytes() > staticMost)
    return failed("more dynamic shared memory than the function's attribute allows");
  // Parameters are copied when a launch is queued.
  if (!function->code)
    return launchTestKernel(*function, uint64_t(gridX) * blockX, parameters, stream);
  const unsigned mostThreads = ptx::maxThreads(*function->code);
  if (mostThreads && uint64_t(blockX) * blockY * blockZ > mostThreads)
    return failed("more threads than the kernel's .maxntid", LaunchOutOfResources);
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

//===--------------------------------------------------------------------------------------------------------------===//
// NVTX: the ranges so far, "[name" and "]"
//===--------------------------------------------------------------------------------------------------------------===//

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
