#include "backends/cuda/Tuner.h"
#include "core/Program.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

using namespace txrt;
using namespace txrt::cuda;

// How many algorithms the library is asked for; each is timed `measurements` times, with `calls` calls each time.
static constexpr int mostCandidates = 24, calls = 8, measurements = 3;
// Bytes of operands that evict each other from the cache: several times the level-two cache of any GPU.
static constexpr uint64_t coldBytes = uint64_t(256) << 20;
static constexpr uint64_t mostSets = 8, patternBytes = uint64_t(1) << 20;
// Bytes that the tuner leaves free, because the driver and the libraries may still need them.
static constexpr uint64_t leftFree = uint64_t(64) << 20;

static uint64_t aligned(uint64_t bytes) {
  return (bytes + TXRT_SCRATCH_ALIGNMENT - 1) / TXRT_SCRATCH_ALIGNMENT * TXRT_SCRATCH_ALIGNMENT;
}

/// Device memory with sets of operands; it has no sets if there is not enough memory.
struct Tuner::Sets {
  Sets(const Driver &driver, const Product &product, const txrt_program &program, const txrt_launch &launch,
       Stream stream)
      : driver(driver), scratchBytes(product.key.scratch) {
    for (txrt_gemm_operand role : {TXRT_GEMM_A, TXRT_GEMM_B, TXRT_GEMM_C, gemmVector(launch.u.gemm)}) {
      const txrt_buffer *buffer = gemmBuffer(program, launch, role);
      sizes.push_back(buffer ? aligned(buffer->bytes) : 0);
    }
    for (uint64_t size : sizes)
      setBytes += size;
    size_t available = 0, total = 0;
    driver.check(driver.memGetInfo(&available, &total), "free memory");
    const uint64_t room = available > leftFree + scratchBytes ? available - leftFree - scratchBytes : 0;
    count = std::min({coldBytes / setBytes + 1, mostSets, room / setBytes});
    if (count == 0)
      return;
    bytes = count * setBytes + aligned(scratchBytes);
    driver.check(driver.memAlloc(&memory, bytes), "operands to tune with");
    fill(gemmBuffer(program, launch, TXRT_GEMM_A)->dtype, stream);
  }
  ~Sets() {
    if (memory)
      driver.memFree(memory);
  }
  Sets(const Sets &) = delete;

  ProductOperands operator[](uint64_t set) const {
    DevicePointer at[5] = {memory + set % count * setBytes};
    for (size_t i = 0; i < sizes.size(); ++i)
      at[i + 1] = at[i] + sizes[i];
    return {at[0], at[1], at[2], sizes[3] ? at[3] : 0, scratchBytes ? memory + count * setBytes : 0};
  }

  uint64_t count = 0;

private:
  /// Fills the operands with one pattern of random numbers, repeated. C may have another dtype; its bits are finite
  /// numbers then too.
  void fill(uint32_t dtype, Stream stream) const {
    std::mt19937 random(1);
    std::uniform_real_distribution<float> uniform(-1, 1);
    std::vector<uint16_t> pattern(patternBytes / 2);
    for (size_t i = 0; i < pattern.size(); ++i) {
      const float value = uniform(random);
      uint32_t bits;
      memcpy(&bits, &value, sizeof bits);
      // The upper half of an f32 is a bf16.
      pattern[i] = static_cast<uint16_t>(dtype == TXRT_DTYPE_BF16 || i % 2 ? bits >> 16 : random());
    }
    for (uint64_t at = 0; at < bytes; at += patternBytes)
      copyToDevice(driver, memory + at, pattern.data(), std::min(patternBytes, bytes - at), stream);
  }

  const Driver &driver;
  std::vector<uint64_t> sizes; // of A, B, C, and the bias or the sums
  uint64_t setBytes = 0, bytes = 0;
  const uint64_t scratchBytes;
  DevicePointer memory = 0;
};

static OwnedEvent makeEvent(const Driver &driver) {
  OwnedEvent event(driver);
  driver.check(driver.eventCreate(&event, 0), "event");
  return event;
}

Tuner::Tuner(const Driver &driver, Stream stream)
    : driver(driver), stream(stream), start(makeEvent(driver)), end(makeEvent(driver)) {}

std::optional<TunedChoice> Tuner::choose(Product &product, const txrt_program &program, const txrt_launch &launch) {
  const std::vector<lt::Algorithm> candidates = product.candidates(mostCandidates);
  const Sets sets(driver, product, program, launch, stream);
  if (candidates.empty() || sets.count == 0)
    return std::nullopt;
  const txrt_gemm_launch &g = launch.u.gemm;
  std::optional<TunedChoice> best;
  double heuristic = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const double seconds = time(product, sets, g.alpha, g.beta, candidates[i]);
    if (i == 0)
      heuristic = seconds;
    if (std::isfinite(seconds) && (!best || seconds < best->seconds))
      best = TunedChoice{candidates[i], seconds, 0};
  }
  if (best)
    best->heuristicSeconds = std::isfinite(heuristic) ? heuristic : 0;
  return best;
}

/// Seconds that one call takes, the least of a few measurements; infinite if the library does not run the algorithm.
double Tuner::time(Product &product, const Sets &sets, float alpha, float beta, const lt::Algorithm &algorithm) {
  double least = std::numeric_limits<double>::infinity();
  try {
    product.enqueue(sets[0], alpha, beta, algorithm, stream);
  } catch (const Failure &) {
    return least;
  }
  driver.check(driver.streamSynchronize(stream), "tuning");
  for (int i = 0; i < measurements; ++i) {
    driver.check(driver.eventRecord(start, stream), "event");
    for (uint64_t call = 0; call < calls; ++call)
      product.enqueue(sets[call + 1], alpha, beta, algorithm, stream);
    driver.check(driver.eventRecord(end, stream), "event");
    driver.check(driver.streamSynchronize(stream), "tuning");
    float milliseconds = 0;
    driver.check(driver.eventElapsedTime(&milliseconds, start, end), "event");
    least = std::min(least, double(milliseconds) * 1e-3 / calls);
  }
  return least;
}
