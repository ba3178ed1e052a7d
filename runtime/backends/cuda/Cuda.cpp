//===- Cuda.cpp - The NVIDIA GPU backend -----------------------*- C++ -*-===//
//
// One arena on the device, kernels from the artifact's GPU code, products
// through cuBLASLt, all on one stream; an entry is one CUDA graph, captured
// when the session is created.
//
// A product's reset flag is an entry argument. cuBLASLt wants to know beta on
// the host, so an entry has a graph for each value of its flags.
//
// Never executed on a device.
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/CublasLt.h"
#include "backends/cuda/Driver.h"
#include "core/Cpus.h"
#include "txrt/backend.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <vector>

using namespace txrt;
using namespace txrt::cuda;

namespace {

/// The primary context, current in the thread that made it.
class DeviceContext {
public:
  explicit DeviceContext(const Driver &driver) : driver(driver) {
    int count = 0;
    driver.check(driver.deviceGetCount(&count), "counting devices");
    if (count == 0)
      fail(TXRT_DEVICE, "the NVIDIA driver sees no device");
    driver.check(driver.deviceGet(&device, 0), "device 0");
    driver.check(driver.primaryCtxRetain(&context, device), "context");
    makeCurrent();
  }
  ~DeviceContext() { driver.primaryCtxRelease(device); }
  /// Each thread has a current context of its own.
  void makeCurrent() const {
    driver.check(driver.ctxSetCurrent(context), "context");
  }

  uint32_t capability() const {
    int major = 0, minor = 0;
    driver.check(
        driver.deviceGetAttribute(&major, ComputeCapabilityMajor, device),
        "compute capability");
    driver.check(
        driver.deviceGetAttribute(&minor, ComputeCapabilityMinor, device),
        "compute capability");
    return static_cast<uint32_t>(major * 10 + minor);
  }
  std::string name() const {
    char text[128] = "";
    driver.check(driver.deviceGetName(text, sizeof text, device), "name");
    return text;
  }

private:
  const Driver &driver;
  Device device = 0;
  Context context = nullptr;
};

/// The arena in device memory, zero-filled.
class DeviceArena {
public:
  DeviceArena(const Driver &driver, uint64_t bytes) : driver(driver) {
    size_t available = 0, total = 0;
    driver.check(driver.memGetInfo(&available, &total), "free memory");
    if (bytes > available)
      fail(TXRT_OUT_OF_MEMORY,
           "needs %s for its arena, the device has %s free of %s: choose a "
           "policy with a lower peak, or a smaller batch",
           readableBytes(bytes).c_str(), readableBytes(available).c_str(),
           readableBytes(total).c_str());
    if (bytes == 0)
      return;
    driver.check(driver.memAlloc(&address, bytes), "the arena");
    size = bytes;
    clear();
  }
  ~DeviceArena() {
    if (address)
      driver.memFree(address);
  }
  void clear() {
    if (size)
      driver.check(driver.memsetD8(address, 0, size), "clearing the arena");
  }

  DevicePointer address = 0;
  uint64_t size = 0;

private:
  const Driver &driver;
};

/// A handle that the driver gave and takes back.
template <typename Handle, Result (*Driver::*destroy)(Handle)> class Owned {
public:
  explicit Owned(const Driver &driver) : driver(driver) {}
  Owned(Owned &&other) : driver(other.driver), handle(other.handle) {
    other.handle = nullptr;
  }
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

class Cuda {
public:
  Cuda(const txrt_program &program, const txrt_options &options);

  void begin(uint32_t entry, bool timed);
  void launch(uint32_t index);
  void sync();
  void write(uint64_t offset, uint64_t bytes, const void *from);
  void read(uint64_t offset, uint64_t bytes, void *to);

  uint64_t arenaBytes() const { return arena.size; }
  std::string description;
  const int threads; // that the host has for what is beside the launches

private:
  void loadKernels();
  const txrt_gpu_image &chooseImage() const;
  void findResetFlags();
  void warmUp();
  void enqueue(uint32_t index);
  void enqueueKernel(const txrt_launch &launch);
  void enqueueEntry(const txrt_entry &entry);
  const txrt_buffer *resetBuffer(const txrt_launch &launch) const;
  std::string flagsOf(uint32_t entry) const;
  GraphExec graphOf(uint32_t entry);

  const txrt_program &program;
  const Driver &driver;
  const bool graphed;
  DeviceContext context;
  DeviceArena arena;
  OwnedModule module;
  OwnedStream stream;
  std::unique_ptr<CublasLt> cublasLt;
  std::vector<Function> functions;      // of each kernel
  std::vector<DevicePointer> addresses; // of each buffer
  std::vector<void *> parameters;       // room for one launch
  // The argument segment as the caller wrote it.
  std::vector<uint8_t> arguments;
  // The places in it of each entry's reset flags.
  std::vector<std::set<uint64_t>> resetOffsets;
  std::map<std::pair<uint32_t, std::string>, OwnedGraphExec> graphs;
  GraphExec begun = nullptr; // what the entry that has begun replays, if so
};

Cuda::Cuda(const txrt_program &program, const txrt_options &options)
    : threads(options.threads ? options.threads
                              : static_cast<int>(usableCpus())),
      program(program), driver(Driver::get()), graphed(!options.no_graph),
      context(driver), arena(driver, program.arena_bytes), module(driver),
      stream(driver), arguments(program.segment_bytes[TXRT_SEGMENT_ARGUMENT]) {
  for (uint32_t i = 0; i < program.buffer_count; ++i) {
    const txrt_buffer &buffer = program.buffers[i];
    addresses.push_back(arena.address + program.segment_base[buffer.segment] +
                        buffer.offset);
  }
  description =
      format("cuda, %s (sm_%u)", context.name().c_str(), context.capability());
  driver.check(driver.streamCreate(&stream, StreamNonBlocking), "stream");
  loadKernels();
  findResetFlags();
  bool products = false;
  for (uint32_t i = 0; i < program.launch_count; ++i) {
    products |= program.launches[i].kind == TXRT_LAUNCH_GEMM;
    if (program.launches[i].kind == TXRT_LAUNCH_COLLECTIVE)
      fail(TXRT_USAGE, "%s: launch %u (%s) is a collective; on GPUs they are "
                       "not there yet",
           program.name, i,
           printable(program.strings + program.launches[i].name).c_str());
  }
  if (products) {
    cublasLt = std::make_unique<CublasLt>(program);
    description += ", " + cublasLt->description();
  }
  warmUp();
}

/// A cubin for this device, the highest; else PTX that the driver compiles.
const txrt_gpu_image &Cuda::chooseImage() const {
  const uint32_t capability = context.capability();
  const txrt_gpu_image *cubin = nullptr, *ptx = nullptr;
  std::string present;
  for (uint32_t i = 0; i < program.gpu_image_count; ++i) {
    const txrt_gpu_image &image = program.gpu_images[i];
    const bool isPtx = image.kind == TXRT_GPU_PTX;
    present += format("%s%s_%u", i ? ", " : "", isPtx ? "compute" : "sm",
                      image.architecture);
    if (image.architecture > capability ||
        (!isPtx && image.architecture / 10 != capability / 10))
      continue;
    const txrt_gpu_image *&best = isPtx ? ptx : cubin;
    if (!best || best->architecture < image.architecture)
      best = &image;
  }
  if (!cubin && !ptx)
    fail(TXRT_DEVICE,
         "%s: has GPU code for %s, this device is sm_%u; compile with "
         "--target=cuda:sm_%u",
         program.name, present.empty() ? "no architecture" : present.c_str(),
         capability, capability);
  return cubin ? *cubin : *ptx;
}

void Cuda::loadKernels() {
  if (program.kernel_count == 0)
    return;
  if (!program.gpu_kernels)
    fail(TXRT_DEVICE,
         "%s: has no GPU code; compile it with --target=cuda:sm_%u",
         program.name, context.capability());
  const txrt_gpu_image &image = chooseImage();
  driver.check(
      driver.moduleLoadData(&module, program.gpu_code + image.offset),
      "loading the kernels");
  uint32_t most = 0;
  for (uint32_t i = 0; i < program.kernel_count; ++i) {
    const txrt_kernel &kernel = program.kernels[i];
    const char *name = program.strings + kernel.name;
    Function function = nullptr;
    driver.check(driver.moduleGetFunction(&function, module, name), name);
    driver.check(
        driver.funcSetAttribute(
            function, MaxDynamicSharedSizeBytes,
            static_cast<int>(program.gpu_kernels[i].shared_bytes)),
        name);
    functions.push_back(function);
    most = std::max(most, kernel.buffer_count);
  }
  parameters.resize(most + TXRT_MAX_IMMEDIATES + 1);
}

const txrt_buffer *Cuda::resetBuffer(const txrt_launch &launch) const {
  bool has = launch.kind == TXRT_LAUNCH_GEMM && launch.u.gemm.has_reset;
  return has ? &program.buffers[launch.first_buffer + 3] : nullptr;
}

void Cuda::findResetFlags() {
  resetOffsets.resize(program.entry_count);
  for (uint32_t e = 0; e < program.entry_count; ++e) {
    const txrt_entry &entry = program.entries[e];
    for (uint32_t i = 0; i < entry.launch_count; ++i) {
      const txrt_launch &launch = program.launches[entry.first_launch + i];
      const txrt_buffer *reset = resetBuffer(launch);
      if (!reset)
        continue;
      if (reset->segment != TXRT_SEGMENT_ARGUMENT)
        fail(TXRT_USAGE,
             "%s: launch %u: its reset flag is no argument of the entry; the "
             "cuda backend takes beta from the caller",
             program.name, entry.first_launch + i);
      resetOffsets[e].insert(reset->offset);
    }
  }
}

/// Libraries load their kernels at the first call, which must not happen while
/// a graph is captured or a step is timed: run everything once, on zeros.
void Cuda::warmUp() {
  for (uint32_t e = 0; e < program.entry_count; ++e)
    enqueueEntry(program.entries[e]);
  sync();
  arena.clear();
  for (uint32_t e = 0; graphed && e < program.entry_count; ++e)
    for (uint8_t flag : {0, 1}) {
      for (uint64_t offset : resetOffsets[e])
        arguments[offset] = flag;
      graphOf(e);
      for (uint64_t offset : resetOffsets[e])
        arguments[offset] = 0;
    }
}

std::string Cuda::flagsOf(uint32_t entry) const {
  std::string flags;
  for (uint64_t offset : resetOffsets[entry])
    flags += arguments[offset] ? '1' : '0';
  return flags;
}

/// The entry as a graph, for the reset flags as they are now.
GraphExec Cuda::graphOf(uint32_t entry) {
  auto [at, isNew] =
      graphs.try_emplace({entry, flagsOf(entry)}, OwnedGraphExec(driver));
  if (!isNew)
    return at->second;
  try {
    OwnedGraph graph(driver);
    driver.check(driver.streamBeginCapture(stream, CaptureThreadLocal),
                 "capture");
    enqueueEntry(program.entries[entry]);
    driver.check(driver.streamEndCapture(stream, &graph), "capture");
    driver.check(driver.graphInstantiate(&at->second, graph, 0), "graph");
  } catch (...) {
    graphs.erase(at);
    throw;
  }
  return at->second;
}

void Cuda::begin(uint32_t entry, bool timed) {
  context.makeCurrent();
  begun = graphed && !timed ? graphOf(entry) : nullptr;
  if (begun)
    driver.check(driver.graphLaunch(begun, stream), "graph launch");
}

void Cuda::launch(uint32_t index) {
  if (!begun)
    enqueue(index);
}

void Cuda::sync() {
  driver.check(driver.streamSynchronize(stream), "a launch");
}

void Cuda::enqueueEntry(const txrt_entry &entry) {
  for (uint32_t i = 0; i < entry.launch_count; ++i)
    enqueue(entry.first_launch + i);
}

void Cuda::enqueue(uint32_t index) {
  const txrt_launch &launch = program.launches[index];
  if (launch.kind == TXRT_LAUNCH_KERNEL)
    return enqueueKernel(launch);
  const txrt_buffer *reset = resetBuffer(launch);
  float beta = reset && arguments[reset->offset] ? 0.0f : launch.u.gemm.beta;
  cublasLt->launch(index, arena.address, beta, stream);
}

void Cuda::enqueueKernel(const txrt_launch &launch) {
  const txrt_kernel_launch &k = launch.u.kernel;
  const txrt_gpu_kernel &kernel = program.gpu_kernels[k.kernel];
  size_t count = 0;
  for (uint32_t i = 0; i < launch.buffer_count; ++i)
    parameters[count++] = &addresses[launch.first_buffer + i];
  for (uint32_t i = 0; i < k.immediate_count; ++i)
    parameters[count++] = const_cast<uint32_t *>(&k.immediates[i]);
  uint64_t units = k.units;
  parameters[count] = &units;
  uint64_t blocks = (units - 1) / kernel.units_per_block + 1;
  if (blocks > INT32_MAX)
    fail(TXRT_USAGE, "%s: kernel %s needs %llu blocks, a grid has 2^31 - 1",
         program.name, program.strings + program.kernels[k.kernel].name,
         static_cast<unsigned long long>(blocks));
  driver.check(driver.launchKernel(functions[k.kernel],
                                   static_cast<unsigned>(blocks), 1, 1,
                                   kernel.threads, 1, 1, kernel.shared_bytes,
                                   stream, parameters.data(), nullptr),
               program.strings + program.kernels[k.kernel].name);
}

void Cuda::write(uint64_t offset, uint64_t bytes, const void *from) {
  if (bytes == 0)
    return;
  context.makeCurrent();
  driver.check(driver.memcpyHtoD(arena.address + offset, from, bytes),
               "copying to the device");
  // A caller writes within one segment.
  const uint64_t base = program.segment_base[TXRT_SEGMENT_ARGUMENT];
  if (offset >= base && offset - base < arguments.size())
    memcpy(&arguments[offset - base], from, bytes);
}

void Cuda::read(uint64_t offset, uint64_t bytes, void *to) {
  if (bytes == 0)
    return;
  context.makeCurrent();
  driver.check(driver.memcpyDtoH(to, arena.address + offset, bytes),
               "copying from the device");
}

Cuda &self(void *state) { return *static_cast<Cuda *>(state); }

} // namespace

extern "C" {
extern const txrt_backend txrt_cuda_backend;
const txrt_backend txrt_cuda_backend = {
    "cuda",
    [](const txrt_program *program, const txrt_options *options, void **state,
       txrt_error *error) {
      return guarded(error, [&] { *state = new Cuda(*program, *options); });
    },
    [](void *state) { delete &self(state); },
    [](void *state, uint32_t entry, int timed, txrt_error *error) {
      return guarded(error, [&] { self(state).begin(entry, timed != 0); });
    },
    [](void *state, uint32_t index, txrt_error *error) {
      return guarded(error, [&] { self(state).launch(index); });
    },
    [](void *state, txrt_error *error) {
      return guarded(error, [&] { self(state).sync(); });
    },
    [](void *state, uint64_t offset, uint64_t bytes, const void *from,
       txrt_error *error) {
      return guarded(error, [&] { self(state).write(offset, bytes, from); });
    },
    [](void *state, uint64_t offset, uint64_t bytes, void *to,
       txrt_error *error) {
      return guarded(error, [&] { self(state).read(offset, bytes, to); });
    },
    [](void *state) { return self(state).arenaBytes(); },
    [](void *state) { return self(state).threads; },
    [](void *state) { return self(state).description.c_str(); },
};
}
