//===- Cuda.cpp - The NVIDIA GPU backend ----------------------------------------------------------------*- C++ -*-===//
//
// The arena is in device memory. Generated kernels and cuBLASLt's products run on one stream, NCCL's collectives on a
// second one. An entry is one CUDA graph, captured when the session is created. Each rank has a device of its own.
//
// Never executed on a device.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "backends/cuda/Attention.h"
#include "backends/cuda/Communication.h"
#include "backends/cuda/CublasLt.h"
#include "backends/cuda/Graphs.h"
#include "backends/cuda/Kernels.h"
#include "backends/cuda/LaunchTimer.h"
#include "backends/cuda/MemoryNeeds.h"
#include "backends/cuda/Nvtx.h"
#include "core/Cpus.h"
#include "txrt/backend.h"

#include <algorithm>
#include <memory>

using namespace txrt;
using namespace txrt::cuda;

namespace {

OwnedStream makeStream(const Driver &driver) {
  OwnedStream stream(driver);
  driver.check(driver.streamCreate(&stream, StreamNonBlocking), "stream");
  return stream;
}

/// Fails if the session will not fit into the device's free memory. Returns the memory that is in use before the
/// session allocates its arena.
MemoryInUse checkMemory(const Driver &driver, const txrt_program &program, const txrt_options &options,
                        uint32_t capability) {
  const MemoryInUse now = memoryInUse(driver);
  requireMemory(estimateMemory(program, options, capability), now);
  return now;
}

class Cuda {
public:
  /// Does not talk to other ranks.
  Cuda(const txrt_program &program, const txrt_options &options);
  /// All ranks call it. Joins the ranks, and prepares all that a step needs.
  void start();

  void begin(uint32_t entry, bool timed);
  void launch(uint32_t index);
  void sync();
  void timing(uint32_t index, double &start, double &seconds) const;
  void write(uint64_t offset, uint64_t bytes, const void *from);
  void read(uint64_t offset, uint64_t bytes, void *to);

  uint64_t arenaBytes() const { return arena.size; }
  txrt_device_memory deviceMemory() const;
  std::string description;
  const int threads; // how many host threads the caller may use for its work beside the launches

private:
  void openLibraries(const txrt_options &options);
  void openAttention(const txrt_options &options);
  void tryOut(Attention &candidate);
  void warmUp();
  template <typename Work> void forEachEntryAndFlag(Work work);
  void enqueue(uint32_t index);
  void enqueueInRange(uint32_t index);
  void enqueueEntry(uint32_t index);
  GraphExec graphOf(uint32_t entry);

  const txrt_program &program;
  const Driver &driver;
  const bool graphed, overlaps;
  txrt_world alone;
  txrt_world &world;
  DeviceContext context;
  OwnedStream stream;
  const MemoryInUse beforeArena;
  DeviceArena arena;
  const MemoryInUse withArena;
  Kernels kernels;
  ResetFlags resets;
  LaunchTimer timer;
  Nvtx nvtx;
  std::unique_ptr<Communication> communication; // null: the program has no collectives
  Graphs graphs;                                // destroyed before NCCL's communicators, which the graphs refer to
  std::unique_ptr<CublasLt> cublasLt;
  std::unique_ptr<Attention> attention; // null: generated kernels compute attention
  GraphExec begun = nullptr;            // the graph that the current entry replays; null: it queues its launches
};

Cuda::Cuda(const txrt_program &program, const txrt_options &options)
    : threads(options.threads ? options.threads : static_cast<int>(usableCpus())), program(program),
      driver(Driver::get()), graphed(!options.no_graph), overlaps(!options.no_overlap),
      world(options.world ? *options.world : alone), context(driver, world.localRank()), stream(makeStream(driver)),
      beforeArena(checkMemory(driver, program, options, context.capability())),
      arena(driver, program.arena_bytes, stream, lenderOfArena(program, options)), withArena(memoryInUse(driver)),
      kernels(program, driver, context, arena.address), resets(program), timer(program, driver),
      nvtx(program, options.warn), graphs(driver, stream) {
  description = format("cuda, %s (sm_%u)", context.name().c_str(), context.capability());
  openLibraries(options);
  openAttention(options);
  if (!hasCollectives(program))
    return;
  communication = std::make_unique<Communication>(program, driver, world);
}

void Cuda::start() {
  if (communication) {
    communication->connect(context, arena);
    description += communication->description();
  }
  warmUp();
}

void Cuda::openLibraries(const txrt_options &options) {
  bool products = false;
  for (uint32_t i = 0; i < program.launch_count; ++i)
    products |= program.launches[i].kind == TXRT_LAUNCH_GEMM;
  if (products) {
    const std::string gpu = format("%s sm_%u", context.name().c_str(), context.capability());
    cublasLt = std::make_unique<CublasLt>(program, options, gpu, driver, stream);
    description += ", " + cublasLt->description();
  }
}

/// Chooses cuDNN or the generated kernels for all attention launches; the description says which.
void Cuda::openAttention(const txrt_options &options) {
  bool any = false;
  for (uint32_t i = 0; i < program.launch_count; ++i)
    any |= program.launches[i].kind == TXRT_LAUNCH_KERNEL && program.launches[i].u.kernel.attention;
  if (!any)
    return;
  std::string who = "generated kernels";
  try {
    if (!options.no_cudnn) {
      auto candidate = std::make_unique<Attention>(program, context.capability(), stream);
      tryOut(*candidate);
      attention = std::move(candidate);
      who = attention->description();
    }
  } catch (const Failure &failure) {
    if (options.warn)
      options.warn((std::string("attention by generated kernels: ") + failure.what()).c_str());
  }
  description += ", attention by " + who;
}

/// Runs each attention launch once, also in a capture: a plan that could be made may still fail to run. Fails now,
/// while the session can still take the generated kernels.
void Cuda::tryOut(Attention &candidate) {
  try {
    candidate.launchAll(arena.address);
  } catch (...) {
    driver.streamSynchronize(stream); // launches that still run need their plans
    throw;
  }
  driver.check(driver.streamSynchronize(stream), "attention");
  if (!graphed)
    return;
  OwnedGraph graph(driver);
  Capture capture(driver, stream);
  candidate.launchAll(arena.address);
  capture.end(graph);
}

/// Does `work` for each entry; for an entry with reset flags twice, with both values. The last value is 0, which the
/// cleared arena has.
template <typename Work> void Cuda::forEachEntryAndFlag(Work work) {
  for (uint32_t e = 0; e < program.entry_count; ++e)
    for (bool flag : {true, false}) {
      if (flag && resets.of(e).empty())
        continue;
      resets.set(e, flag);
      work(e);
    }
}

/// Runs everything once, on zeros: libraries load their kernels at the first call, and must not do that while a graph
/// is captured or a step is timed. Both values of the reset flags are needed, since a product that writes its result
/// may have another kernel than one that adds to it.
void Cuda::warmUp() {
  forEachEntryAndFlag([&](uint32_t entry) { enqueueEntry(entry); });
  sync();
  if (communication)
    communication->startCounting();
  arena.clear();
  if (graphed)
    forEachEntryAndFlag([&](uint32_t entry) { graphOf(entry); });
}

GraphExec Cuda::graphOf(uint32_t entry) {
  return graphs.get(entry, resets.of(entry), [&] { enqueueEntry(entry); });
}

void Cuda::begin(uint32_t entry, bool timed) {
  context.makeCurrent();
  begun = graphed && !timed ? graphOf(entry) : nullptr;
  nvtx.beginEntry(entry);
  timer.begin(entry, timed, stream);
  if (begun)
    driver.check(driver.graphLaunch(begun, stream), "graph launch");
}

void Cuda::launch(uint32_t index) {
  if (!begun)
    enqueueInRange(index);
}

void Cuda::enqueueInRange(uint32_t index) {
  nvtx.beginLaunch(index);
  enqueue(index);
  nvtx.endLaunch();
}

void Cuda::sync() {
  if (communication) {
    communication->join(stream);
    communication->synchronize(stream);
  } else {
    driver.check(driver.streamSynchronize(stream), "a launch");
  }
  nvtx.endEntry();
}

void Cuda::timing(uint32_t index, double &start, double &seconds) const { timer.read(index, start, seconds); }

void Cuda::enqueueEntry(uint32_t index) {
  const txrt_entry &entry = program.entries[index];
  // A profiler sees in which range a graph's node was captured.
  nvtx.beginEntry(index);
  for (uint32_t i = 0; i < entry.launch_count; ++i)
    enqueueInRange(entry.first_launch + i);
  nvtx.endEntry();
  if (communication)
    communication->join(stream);
}

void Cuda::enqueue(uint32_t index) {
  const txrt_launch &launch = program.launches[index];
  if (launch.kind == TXRT_LAUNCH_COLLECTIVE) {
    communication->enqueue(index, arena.address, stream, timer);
    return overlaps ? void() : communication->join(stream);
  }
  if (communication)
    communication->waitBefore(index, stream);
  timer.markStart(index, stream);
  if (launch.kind == TXRT_LAUNCH_KERNEL && launch.u.kernel.attention && attention)
    attention->launch(index, arena.address);
  else if (launch.kind == TXRT_LAUNCH_KERNEL)
    kernels.enqueue(launch, stream);
  else
    cublasLt->launch(index, arena.address, resets.betaOf(launch), stream);
  timer.markEnd(index, stream);
}

void Cuda::write(uint64_t offset, uint64_t bytes, const void *from) {
  if (bytes == 0)
    return;
  context.makeCurrent();
  copyToDevice(driver, arena.address + offset, from, bytes, stream);
  resets.write(offset, bytes, from);
}

void Cuda::read(uint64_t offset, uint64_t bytes, void *to) {
  if (bytes == 0)
    return;
  context.makeCurrent();
  driver.check(driver.memcpyDtoH(to, arena.address + offset, bytes), "copying from the device");
}

txrt_device_memory Cuda::deviceMemory() const {
  context.makeCurrent();
  const MemoryInUse now = memoryInUse(driver);
  // Another process may have freed memory meanwhile, so `to` may be less than `from`.
  auto grown = [](uint64_t from, uint64_t to) { return to - std::min(from, to); };
  return {grown(beforeArena.used, withArena.used), grown(withArena.used, now.used), beforeArena.used, now.total};
}

Cuda &self(void *state) { return *static_cast<Cuda *>(state); }

} // namespace

extern "C" {
extern const txrt_backend txrt_cuda_backend;
const txrt_backend txrt_cuda_backend = {
    "cuda",
    [](const txrt_program *program, const txrt_options *options, void **state, txrt_error *error) {
      return guarded(error, [&] {
        std::unique_ptr<Cuda> cuda;
        auto make = [&] { cuda = std::make_unique<Cuda>(*program, *options); };
        if (options->world)
          options->world->together("start of the GPUs", make);
        else
          make();
        cuda->start();
        *state = cuda.release();
      });
    },
    [](void *state) { delete &self(state); },
    [](void *state, uint32_t entry, int timed, txrt_error *error) {
      return guarded(error, [&] { self(state).begin(entry, timed != 0); });
    },
    [](void *state, uint32_t index, txrt_error *error) { return guarded(error, [&] { self(state).launch(index); }); },
    [](void *state, txrt_error *error) { return guarded(error, [&] { self(state).sync(); }); },
    [](void *state, uint32_t index, double *start, double *seconds, txrt_error *error) {
      return guarded(error, [&] { self(state).timing(index, *start, *seconds); });
    },
    [](void *state, uint64_t offset, uint64_t bytes, const void *from, txrt_error *error) {
      return guarded(error, [&] { self(state).write(offset, bytes, from); });
    },
    [](void *state, uint64_t offset, uint64_t bytes, void *to, txrt_error *error) {
      return guarded(error, [&] { self(state).read(offset, bytes, to); });
    },
    [](void *state) { return self(state).arenaBytes(); },
    [](void *state, txrt_device_memory *memory, txrt_error *error) {
      return guarded(error, [&] { *memory = self(state).deviceMemory(); });
    },
    [](void *state) { return self(state).threads; },
    [](void *state) { return self(state).description.c_str(); },
};
}
