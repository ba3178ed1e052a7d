#include "backends/cuda/MemoryNeeds.h"
#include "backends/cuda/Kernels.h"
#include "backends/cuda/Nccl.h"

using namespace txrt;
using namespace txrt::cuda;

static constexpr uint64_t KiB = 1 << 10, MiB = 1 << 20;

// These numbers are estimates, to be compared with what `--bench` measures on a device. docs/Rationale/gpu-backend.md
// gives the source of each.
static constexpr uint64_t pageBytes = 2 * MiB; // the least that the driver maps
static constexpr uint64_t cublasLtBytes = 32 * MiB, cudnnBytes = 64 * MiB;
// NCCL's rings have a sending and a receiving end in each channel, with a buffer for each of its three protocols.
static constexpr uint64_t ncclChannels = 24, ncclEnds = 2, ncclBufferBytes = 4 * MiB + 4800 * KiB + 512 * KiB;
static constexpr uint64_t launchInGraphBytes = 64 * KiB;

namespace {
/// How many launches of each kind a program has.
struct Launches {
  uint64_t products = 0, attention = 0;
  uint64_t captured = 0; // launches in all entries' graphs together
};
} // namespace

/// Counts them. An entry with a reset flag has two graphs, so its launches are captured twice.
static Launches count(const txrt_program &program) {
  Launches result;
  for (uint32_t e = 0; e < program.entry_count; ++e) {
    const txrt_entry &entry = program.entries[e];
    bool hasReset = false;
    for (uint32_t i = 0; i < entry.launch_count; ++i) {
      const txrt_launch &launch = program.launches[entry.first_launch + i];
      const bool isProduct = launch.kind == TXRT_LAUNCH_GEMM;
      result.products += isProduct;
      hasReset |= isProduct && launch.u.gemm.buffers[TXRT_GEMM_RESET];
      result.attention += launch.kind == TXRT_LAUNCH_KERNEL && launch.u.kernel.attention;
    }
    result.captured += uint64_t(entry.launch_count) * (hasReset ? 2 : 1);
  }
  return result;
}

MemoryNeed cuda::estimateMemory(const txrt_program &program, const txrt_options &options, uint32_t capability) {
  const Launches launches = count(program);
  const int ranks = options.world ? options.world->size() : 1;
  const uint64_t code = program.kernel_count ? chooseImage(program, capability).bytes : 0;
  MemoryNeed need;
  auto add = [&](const char *what, uint64_t bytes) { need.add(what, 0, bytes); };
  add("arena", program.arena_bytes);
  add("kernels", (code + pageBytes - 1) / pageBytes * pageBytes);
  add("cuBLASLt", launches.products ? cublasLtBytes : 0);
  add("cuDNN", launches.attention && !options.no_cudnn ? cudnnBytes : 0);
  add("NCCL", groupsOf(program, ranks).size() * ncclChannels * ncclEnds * ncclBufferBytes);
  add("graphs", options.no_graph ? 0 : launches.captured * launchInGraphBytes);
  return need;
}

void cuda::requireMemory(const MemoryNeed &need, const MemoryInUse &now) {
  const uint64_t bytes = need.of(MemoryLimit::Touched);
  const uint64_t available = now.total - now.used;
  if (bytes > available)
    fail(TXRT_OUT_OF_MEMORY,
         "needs about %s of the GPU's memory (%s); free are %s of %s: choose a "
         "policy with a lower peak, or a smaller batch",
         readableBytes(bytes).c_str(), need.parts(MemoryLimit::Touched).c_str(), readableBytes(available).c_str(),
         readableBytes(now.total).c_str());
}
