//===- Host.cpp - The CPU backend ------------------------------*- C++ -*-===//
//
// Kernels from the artifact's ELF object and products through the GEMM library,
// both as tasks of one thread pool over one arena.
//
//===----------------------------------------------------------------------===//

#include "backends/host/Blas.h"
#include "backends/host/CpuFeatures.h"
#include "backends/host/Gemm.h"
#include "backends/host/ThreadPool.h"
#include "core/Arena.h"
#include "core/ElfImage.h"
#include "core/Failure.h"

#include <algorithm>
#include <memory>

using namespace txrt;

namespace {

class Host {
public:
  Host(const txrt_program &program, const txrt_options &options);
  void launch(uint32_t index);

  ThreadPool pool;
  Arena arena;
  std::string description;

private:
  void loadKernels();
  void prepareGemms();
  void runKernel(const txrt_launch &launch);
  void runProduct(const txrt_launch &launch);
  void *const *operands(const txrt_launch &launch) const {
    return addresses.data() + launch.first_buffer;
  }

  const txrt_program &program;
  std::unique_ptr<ElfImage> image;
  std::vector<txrt_host_kernel> kernels;
  std::vector<void *> addresses; // of each buffer of the program
  const Blas *blas = nullptr;
};

unsigned threadCount(const txrt_options &options) {
  return options.threads ? static_cast<unsigned>(options.threads)
                         : usableCpus();
}

Host::Host(const txrt_program &program, const txrt_options &options)
    : pool((requireTarget(program), threadCount(options))),
      arena(program.arena_bytes), program(program) {
  addresses.reserve(program.buffer_count);
  for (uint32_t i = 0; i < program.buffer_count; ++i) {
    const txrt_buffer &buffer = program.buffers[i];
    addresses.push_back(arena.data() + program.segment_base[buffer.segment] +
                        buffer.offset);
  }
  description = format("host, %u thread%s", pool.threads(),
                       pool.threads() == 1 ? "" : "s");
  loadKernels();
  prepareGemms();
}

void Host::loadKernels() {
  if (program.kernel_count == 0)
    return;
  if (!program.host_elf)
    fail(TXRT_BAD_INPUT,
         "%s: has no code for the host; the dryrun backend can print it",
         program.name);
  ElfObject object(program.name, {program.host_elf, program.host_elf_bytes});
  image = std::make_unique<ElfImage>(program.name, object);
  for (uint32_t i = 0; i < program.kernel_count; ++i) {
    const ElfPlace *place =
        object.function(program.strings + program.kernels[i].name);
    kernels.push_back(
        reinterpret_cast<txrt_host_kernel>(image->address(*place)));
  }
}

/// The library keeps one scratch buffer for each thread that is in it at the
/// same time, allocated on demand: let every thread enter now, not in a step.
void warmUp(ThreadPool &pool, const Blas &blas) {
  constexpr uint64_t size = 256;
  std::vector<float> operands(2 * size * size, 0.0f);
  std::vector<float> results(pool.threads() * size * size);
  struct Context {
    ThreadPool &pool;
    const Blas &blas;
    const float *a, *b;
    float *c;
    std::atomic<unsigned> arrived;
  } context{pool, blas, operands.data(), operands.data() + size * size,
            results.data(), {0}};
  pool.run(
      pool.threads(),
      [](void *argument, uint64_t index) {
        auto &c = *static_cast<Context *>(argument);
        c.arrived.fetch_add(1);
        // One task is one thread's: none returns before all are in.
        while (c.arrived.load() < c.pool.threads())
          std::this_thread::yield();
        c.blas.sgemm(Blas::rowMajor, Blas::plain, Blas::plain, size, size,
                     size, 1.0f, c.a, size, c.b, size, 0.0f,
                     c.c + index * size * size, size);
      },
      &context);
}

void Host::prepareGemms() {
  bool any = false;
  for (uint32_t i = 0; i < program.launch_count; ++i) {
    const txrt_launch &launch = program.launches[i];
    if (launch.kind != TXRT_LAUNCH_GEMM)
      continue;
    any = true;
    const char *name = program.strings + launch.name;
    for (uint32_t j = 0; j < 3; ++j)
      if (program.buffers[launch.first_buffer + j].dtype != TXRT_DTYPE_F32)
        fail(TXRT_USAGE,
             "%s: launch %u (%s) is a bf16 product; the host backend has f32 "
             "only (the dryrun backend can print it)",
             program.name, i, printable(name).c_str());
    if (!gemmFits(launch.u.gemm))
      fail(TXRT_USAGE, "%s: launch %u (%s) has extents beyond 2^31",
           program.name, i, printable(name).c_str());
  }
  if (!any)
    return;
  blas = &Blas::get();
  description += ", " + blas->description;
  warmUp(pool, *blas);
}

void Host::launch(uint32_t index) {
  const txrt_launch &launch = program.launches[index];
  if (launch.kind == TXRT_LAUNCH_GEMM)
    runProduct(launch);
  else
    runKernel(launch);
}

void Host::runKernel(const txrt_launch &launch) {
  struct Context {
    txrt_host_kernel kernel;
    void *const *buffers;
    const uint32_t *immediates;
    uint64_t units, grain;
  };
  const txrt_kernel_launch &k = launch.u.kernel;
  // Units are independent, so a coarser grain gives the same bits; the pool
  // counts tasks in 32 bits.
  const uint64_t grain = std::max(k.grain, (k.units >> 31) + 1);
  Context context{kernels[k.kernel], operands(launch), k.immediates, k.units,
                  grain};
  const uint64_t tasks = (k.units - 1) / grain + 1;
  pool.run(
      tasks,
      [](void *argument, uint64_t task) {
        const auto &c = *static_cast<const Context *>(argument);
        const uint64_t begin = task * c.grain;
        const uint64_t end = std::min(begin + c.grain, c.units);
        c.kernel(c.buffers, c.immediates, static_cast<int64_t>(begin),
                 static_cast<int64_t>(end));
      },
      &context);
}

void Host::runProduct(const txrt_launch &launch) {
  const txrt_gemm_launch &gemm = launch.u.gemm;
  void *const *buffers = operands(launch);
  bool reset = gemm.has_reset && *static_cast<const uint8_t *>(buffers[3]);
  runGemm(pool, *blas, gemm, static_cast<const float *>(buffers[0]),
          static_cast<const float *>(buffers[1]),
          static_cast<float *>(buffers[2]), reset ? 0.0f : gemm.beta);
}

Host &self(void *state) { return *static_cast<Host *>(state); }

} // namespace

extern "C" {
extern const txrt_backend txrt_host_backend;
const txrt_backend txrt_host_backend = {
    "host",
    [](const txrt_program *program, const txrt_options *options, void **state,
       txrt_error *error) {
      return guarded(error, [&] { *state = new Host(*program, *options); });
    },
    [](void *state) { delete &self(state); },
    [](void *, uint32_t, txrt_error *) { return TXRT_OK; },
    [](void *state, uint32_t index, txrt_error *error) {
      return guarded(error, [&] { self(state).launch(index); });
    },
    [](void *, txrt_error *) { return TXRT_OK; }, // launches are synchronous
    [](void *state) -> void * { return self(state).arena.data(); },
    [](void *state) { return self(state).arena.bytes(); },
    [](void *state) { return static_cast<int>(self(state).pool.threads()); },
    [](void *state) { return self(state).description.c_str(); },
};
}
