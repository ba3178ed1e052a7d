//===- Host.cpp - The CPU backend -----------------------------------------------------------------------*- C++ -*-===//
//
// Runs kernels of the artifact's ELF object and products of the GEMM library as tasks of one thread pool, on one arena.
// With several ranks, a thread of its own runs the collectives beside them.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "backends/host/Blas.h"
#include "backends/host/CommunicationThread.h"
#include "backends/host/CpuFeatures.h"
#include "backends/host/Gemm.h"
#include "backends/host/LaunchClock.h"
#include "backends/host/ThreadPool.h"
#include "comm/Axes.h"
#include "comm/World.h"
#include "core/Arena.h"
#include "core/CodeImage.h"
#include "core/Cpus.h"
#include "core/Failure.h"
#include "core/Memory.h"
#include "core/Program.h"

#include <algorithm>
#include <cstring>
#include <memory>

using namespace txrt;

namespace {

class Host {
public:
  Host(const txrt_program &program, const txrt_options &options);
  void launch(uint32_t index);
  void sync();

  ThreadPool pool;
  Arena arena;
  LaunchClock clock;
  std::string description;

private:
  void loadKernels();
  void prepareGemms();
  txrt_host_product findProduct(const std::string &name) const;
  void runKernel(const txrt_launch &launch);
  void runProduct(const txrt_launch &launch, const GemmCode &code);
  void prepareCollectives(bool overlaps);
  void runCollective(uint32_t index);
  void *const *operands(const txrt_launch &launch) const { return addresses.data() + launch.first_buffer; }

  const txrt_program &program;
  txrt_world alone;
  txrt_world &world; // the ranks that run the collectives
  std::unique_ptr<CodeImage> image;
  std::vector<txrt_host_kernel> kernels;
  std::vector<void *> addresses;                      // one for each buffer of the program
  std::vector<GemmCode> products;                     // one for each launch of the program
  std::unique_ptr<CommunicationThread> communication; // null: there is one rank
};

unsigned localRanks(const txrt_options &options) {
  return options.world ? static_cast<unsigned>(txrt_world_local_ranks(options.world)) : 1;
}

unsigned threadCount(const txrt_options &options) {
  if (options.threads)
    return static_cast<unsigned>(options.threads);
  return std::max(1u, usableCpus() / localRanks(options));
}

/// Fails if the session's memory exceeds a limit. Call it before the session allocates anything.
void requireRoom(const txrt_program &program, const txrt_options &options) {
  const unsigned threads = threadCount(options);
  const bool multiplies =
      std::any_of(program.launches, program.launches + program.launch_count, [&](const txrt_launch &launch) {
        return launch.kind == TXRT_LAUNCH_GEMM && gemmBuffer(program, launch, TXRT_GEMM_A)->dtype == TXRT_DTYPE_F32;
      });
  MemoryNeed need;
  need.add("arena", program.arena_bytes, program.arena_bytes);
  if (multiplies)
    need.add("OpenBLAS", Blas::libraryBytes + threads * Blas::scratchBytes, (threads + 1) * Blas::touchedBytes);
  // The calling thread has its stack already; with several ranks one more thread runs the collectives.
  const unsigned started = threads - 1 + (localRanks(options) > 1);
  if (started)
    need.add("thread stacks", started * stackBytes(), 0);
  need.add("kernels", program.code_bytes + Arena::slackBytes, program.code_bytes);
  need.add("files", options.own_bytes, options.own_bytes);
  // Memory of another session of this process that is mapped but not yet touched.
  need.add("the other arena", 0, Arena::untouchedBytes());
  requireMemory(need, localRanks(options));
}

Host::Host(const txrt_program &program, const txrt_options &options)
    : pool((requireTarget(program), requireRoom(program, options), threadCount(options))), arena(program.arena_bytes),
      clock(program.launch_count), program(program), world(options.world ? *options.world : alone) {
  addresses.reserve(program.buffer_count);
  for (uint32_t i = 0; i < program.buffer_count; ++i) {
    const txrt_buffer &buffer = program.buffers[i];
    addresses.push_back(arena.data() + program.segment_base[buffer.segment] + buffer.offset);
  }
  description = format("host, %u thread%s", pool.threads(), pool.threads() == 1 ? "" : "s");
  loadKernels();
  prepareGemms();
  prepareCollectives(!options.no_overlap);
}

void Host::loadKernels() {
  if (program.code && !program.gpu_image_count)
    image = std::make_unique<CodeImage>(program.name, Span{program.code, program.code_bytes});
  else if (program.kernel_count)
    fail(TXRT_BAD_INPUT, "%s: has no code for the host; the dryrun backend can print it", program.name);
  for (uint32_t i = 0; i < program.kernel_count; ++i)
    kernels.push_back(
        reinterpret_cast<txrt_host_kernel>(image->address(program.functions[program.kernel_functions[i]].entry)));
}

/// Finds a product by its name among the functions with 0 units: kernels, which have units, may have any name.
txrt_host_product Host::findProduct(const std::string &name) const {
  for (uint32_t i = 0; image && i < program.function_count; ++i) {
    const txrt_function &f = program.functions[i];
    if (f.units == 0 && name == program.function_names + f.name)
      return reinterpret_cast<txrt_host_product>(image->address(f.entry));
  }
  fail(TXRT_BAD_INPUT, "%s: has a bf16 product and no function %s", program.name, name.c_str());
}

void Host::prepareGemms() {
  products.resize(program.launch_count);
  const Blas *blas = nullptr;
  for (uint32_t i = 0; i < program.launch_count; ++i) {
    const txrt_launch &launch = program.launches[i];
    if (launch.kind != TXRT_LAUNCH_GEMM)
      continue;
    const txrt_gemm_launch &gemm = launch.u.gemm;
    const bool isNarrow = gemmBuffer(program, launch, TXRT_GEMM_A)->dtype == TXRT_DTYPE_BF16;
    const bool isWide = gemmBuffer(program, launch, TXRT_GEMM_C)->dtype == TXRT_DTYPE_F32;
    if (!isNarrow && !isWide)
      fail(TXRT_USAGE, "%s: %s rounds an f32 product to bf16", program.name, describeLaunch(program, i).c_str());
    if (const txrt_gemm_operand vector = gemmVector(gemm); vector != TXRT_GEMM_OPERANDS)
      fail(TXRT_USAGE, "%s: %s has '%s', which the host's products have not", program.name,
           describeLaunch(program, i).c_str(), txrt_gemm_operand_name(vector));
    if (!gemmFits(gemm, isNarrow))
      fail(TXRT_USAGE, "%s: %s has extents beyond 2^31", program.name, describeLaunch(program, i).c_str());
    products[i].isWide = isWide;
    if (isNarrow)
      products[i].narrow = findProduct(format("gemm_bf16_%c%c_%s", gemm.transpose_a ? 't' : 'n',
                                              gemm.transpose_b ? 't' : 'n', isWide ? "f32" : "bf16"));
    else
      products[i].blas = blas = &Blas::get();
  }
  if (!blas)
    return;
  description += ", " + blas->description;
  blas->reserveScratch(pool.threads());
}

void Host::launch(uint32_t index) {
  const txrt_launch &launch = program.launches[index];
  if (launch.kind == TXRT_LAUNCH_COLLECTIVE)
    return communication ? communication->post(index) : runCollective(index);
  const uint32_t awaited = launch.waits[TXRT_LANE_COLLECTIVES];
  if (communication && awaited)
    communication->waitFor(awaited - 1);
  clock.around(index, [&] {
    if (launch.kind == TXRT_LAUNCH_GEMM)
      runProduct(launch, products[index]);
    else
      runKernel(launch);
  });
}

void Host::sync() {
  if (communication)
    communication->finish();
}

void Host::prepareCollectives(bool overlaps) {
  requireAxes(program, world);
  if (world.size() == 1)
    return;
  description += std::string(", ") + txrt_world_description(&world);
  if (overlaps && world.takesThreads())
    communication =
        std::make_unique<CommunicationThread>(program.launch_count, [this](uint32_t index) { runCollective(index); });
}

void Host::runCollective(uint32_t index) {
  const txrt_launch &launch = program.launches[index];
  const auto dtype = static_cast<txrt_dtype>(program.buffers[launch.first_buffer].dtype);
  void *const *buffers = operands(launch);
  clock.around(index, [&] {
    world.collectives().run(launch.u.collective, dtype, buffers[0], buffers[1], program.strings + launch.name);
  });
}

void Host::runKernel(const txrt_launch &launch) {
  struct Context {
    txrt_host_kernel kernel;
    void *const *buffers;
    const uint32_t *immediates;
    uint64_t units, grain;
  };
  const txrt_kernel_launch &k = launch.u.kernel;
  // The pool counts tasks in 32 bits, so the grain may have to be coarser. Units are independent, so the bits are the
  // same.
  const uint64_t grain = std::max(k.grain, (k.units >> 31) + 1);
  Context context{kernels[k.kernel], operands(launch), k.immediates, k.units, grain};
  const uint64_t tasks = (k.units - 1) / grain + 1;
  pool.run(
      tasks,
      [](void *argument, uint64_t task) {
        const auto &c = *static_cast<const Context *>(argument);
        const uint64_t begin = task * c.grain;
        const uint64_t end = std::min(begin + c.grain, c.units);
        c.kernel(c.buffers, c.immediates, static_cast<int64_t>(begin), static_cast<int64_t>(end));
      },
      &context);
}

void Host::runProduct(const txrt_launch &launch, const GemmCode &code) {
  const txrt_gemm_launch &gemm = launch.u.gemm;
  auto operand = [&](txrt_gemm_operand role) { return operands(launch)[gemm.buffers[role] - 1]; };
  const bool reset = gemm.buffers[TXRT_GEMM_RESET] && *static_cast<const uint8_t *>(operand(TXRT_GEMM_RESET));
  runGemm(pool, code, gemm, operand(TXRT_GEMM_A), operand(TXRT_GEMM_B), operand(TXRT_GEMM_C), reset ? 0.0f : gemm.beta);
}

Host &self(void *state) { return *static_cast<Host *>(state); }

} // namespace

extern "C" {
extern const txrt_backend txrt_host_backend;
const txrt_backend txrt_host_backend = {
    "host",
    [](const txrt_program *program, const txrt_options *options, void **state, txrt_error *error) {
      return guarded(error, [&] { *state = new Host(*program, *options); });
    },
    [](void *state) { delete &self(state); },
    [](void *state, uint32_t, int timed, txrt_error *) {
      self(state).clock.begin(timed != 0);
      return TXRT_OK;
    },
    [](void *state, uint32_t index, txrt_error *error) { return guarded(error, [&] { self(state).launch(index); }); },
    [](void *state, txrt_error *error) { return guarded(error, [&] { self(state).sync(); }); },
    [](void *state, uint32_t index, double *start, double *seconds, txrt_error *) {
      *start = self(state).clock.start(index);
      *seconds = self(state).clock.taken(index);
      return TXRT_OK;
    },
    [](void *state, uint64_t offset, uint64_t bytes, const void *from, txrt_error *) {
      if (bytes)
        memcpy(self(state).arena.data() + offset, from, bytes);
      return TXRT_OK;
    },
    [](void *state, uint64_t offset, uint64_t bytes, void *to, txrt_error *) {
      if (bytes)
        memcpy(to, self(state).arena.data() + offset, bytes);
      return TXRT_OK;
    },
    [](void *state) { return self(state).arena.bytes(); },
    nullptr, // no other memory than the host's
    [](void *state) { return static_cast<int>(self(state).pool.threads()); },
    [](void *state) { return self(state).description.c_str(); },
};
}
