#include "core/Session.h"
#include "core/AllocationCounter.h"
#include "core/Backends.h"
#include "core/Dependences.h"

using namespace txrt;

using ull = unsigned long long;

txrt_session::txrt_session(const txrt_artifact &artifact, const txrt_options &options)
    : artifact(artifact), program(artifact.program.view()),
      backend(findBackend(options.backend ? options.backend : program.target_backend)), clocks(program.launch_count) {
  if (options.threads < 0 || options.threads > 4096)
    fail(TXRT_USAGE, "%d threads; expected 0 (one for each CPU) to 4096", options.threads);
  txrt_error error = {};
  if (txrt_status status = backend.create(&program, &options, &state, &error))
    fail(status, "%s", error.message);
}

txrt_session::~txrt_session() { backend.destroy(state); }

txrt_status txrt_session::run(uint32_t entry, txrt_error *error) {
  int64_t before = allocationCount();
  if (txrt_status status = backend.begin(state, entry, profiling, error))
    return status;
  if (txrt_status status = runLaunches(program.entries[entry], error))
    return status;
  allocations += allocationCount() - before;
  return TXRT_OK;
}

void txrt_session::Clock::add(double start, double taken) {
  seconds += taken;
  lastStart = start;
  last = taken;
  ++runs;
}

txrt_status txrt_session::runLaunches(const txrt_entry &entry, txrt_error *error) {
  const uint32_t end = entry.first_launch + entry.launch_count;
  for (uint32_t i = entry.first_launch; i != end; ++i)
    if (txrt_status status = backend.launch(state, i, error))
      return status;
  if (txrt_status status = backend.sync(state, error))
    return status;
  return profiling && backend.timing ? readTimes(entry, error) : TXRT_OK;
}

txrt_status txrt_session::readTimes(const txrt_entry &entry, txrt_error *error) {
  const uint32_t end = entry.first_launch + entry.launch_count;
  for (uint32_t i = entry.first_launch; i != end; ++i) {
    double start = 0, seconds = 0;
    if (txrt_status status = backend.timing(state, i, &start, &seconds, error))
      return status;
    clocks[i].add(start, seconds);
  }
  return TXRT_OK;
}

/// Where [offset, offset + bytes) of a segment lies in the arena.
uint64_t txrt_session::arenaOffset(uint32_t segment, uint64_t offset, uint64_t bytes) const {
  if (segment >= TXRT_SEGMENT_COUNT)
    fail(TXRT_USAGE, "unknown segment %u", segment);
  uint64_t size = program.segment_bytes[segment];
  if (offset > size || bytes > size - offset)
    fail(TXRT_USAGE, "%llu bytes at %s+0x%llx are not inside the segment's %llu", static_cast<ull>(bytes),
         txrt_segment_name(segment), static_cast<ull>(offset), static_cast<ull>(size));
  if (!backend.read || !backend.write)
    fail(TXRT_USAGE, "backend %s keeps no memory", backend.name);
  return program.segment_base[segment] + offset;
}

txrt_status txrt_session::write(uint32_t segment, uint64_t offset, uint64_t bytes, const void *from,
                                txrt_error *error) {
  return backend.write(state, arenaOffset(segment, offset, bytes), bytes, from, error);
}

txrt_status txrt_session::read(uint32_t segment, uint64_t offset, uint64_t bytes, void *to, txrt_error *error) const {
  return backend.read(state, arenaOffset(segment, offset, bytes), bytes, to, error);
}

void txrt_session::profile(bool enabled) {
  profiling = enabled;
  if (enabled)
    clocks.assign(clocks.size(), Clock());
}

txrt_launch_info txrt_session::info(uint32_t entry, uint32_t launch) const {
  uint32_t index = program.entries[entry].first_launch + launch;
  const txrt_launch &l = program.launches[index];
  txrt_launch_info info = {};
  info.number = index;
  info.name = program.strings + l.name;
  info.kind = static_cast<txrt_launch_kind>(l.kind);
  info.phase = static_cast<txrt_phase>(l.phase);
  info.layer = l.layer;
  info.flops = l.flops;
  if (const uint32_t number = lastWait(l))
    info.waits_for = program.strings + program.launches[number - 1].name;
  for (uint32_t i = 0; i < l.buffer_count; ++i) {
    const txrt_buffer &buffer = program.buffers[l.first_buffer + i];
    info.bytes += movedBytes(buffer);
    info.buffers += buffer.dtype != TXRT_DTYPE_BYTE;
    if (buffer.dtype == TXRT_DTYPE_BF16)
      info.dtype = TXRT_DTYPE_BF16;
  }
  if (l.kind == TXRT_LAUNCH_GEMM) {
    const txrt_gemm_launch &g = l.u.gemm;
    info.kernel = "gemm";
    info.dtype = static_cast<txrt_dtype>(gemmBuffer(program, l, TXRT_GEMM_A)->dtype);
    info.transpose_a = g.transpose_a, info.transpose_b = g.transpose_b;
    info.gemm[0] = g.m, info.gemm[1] = g.n, info.gemm[2] = g.k;
    info.batch = g.batch0 * g.batch1;
  } else if (l.kind == TXRT_LAUNCH_COLLECTIVE) {
    info.kernel = txrt_collective_name(l.u.collective.collective);
    info.sent_bytes = l.u.collective.sent_bytes;
  } else {
    const txrt_kernel_launch &k = l.u.kernel;
    info.kernel = program.strings + program.kernels[k.kernel].name;
    info.units = k.units, info.grain = k.grain;
  }
  info.seconds = clocks[index].seconds;
  info.runs = clocks[index].runs;
  info.last_start = clocks[index].lastStart;
  info.last_seconds = clocks[index].last;
  return info;
}

int64_t txrt_session::stepAllocations() const { return allocationsAreCounted() ? allocations : -1; }

txrt_device_memory txrt_session::deviceMemory() const {
  txrt_device_memory memory = {};
  txrt_error error = {};
  if (backend.device_memory)
    if (txrt_status status = backend.device_memory(state, &memory, &error))
      fail(status, "%s", error.message);
  return memory;
}
