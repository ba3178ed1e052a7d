#include "backends/cuda/Communication.h"
#include "comm/Axes.h"

#include <chrono>
#include <cstring>
#include <thread>

using namespace txrt;
using namespace txrt::cuda;

using Clock = std::chrono::steady_clock;

// For the first 2 ms of a step the host asks without a pause whether the step is done, since a pause would delay a
// short step. Every `watchInterval` it looks for lost ranks.
static constexpr std::chrono::milliseconds eager{2}, watchInterval{1};
static constexpr std::chrono::microseconds pauseTime{50};

bool cuda::hasCollectives(const txrt_program &program) {
  for (uint32_t i = 0; i < program.launch_count; ++i)
    if (program.launches[i].kind == TXRT_LAUNCH_COLLECTIVE)
      return true;
  return false;
}

static OwnedEvent makeEvent(const Driver &driver) {
  OwnedEvent event(driver);
  driver.check(driver.eventCreate(&event, EventDisableTiming), "event");
  return event;
}

Communication::Communication(const txrt_program &program, const Driver &driver, txrt_world &world)
    : program(program), driver(driver), world(world), stream(driver), ready(makeEvent(driver)),
      joined(makeEvent(driver)), isAlone(takesNcclAlone()) {
  requireAxes(program, world);
  if (world.size() > 1 || isAlone)
    nccl = std::make_unique<Nccl>(program, driver, world);
  // The collectives' stream has the highest priority: if a collective waits for multiprocessors that compute kernels
  // occupy, all other ranks wait too. A smaller number is a higher priority.
  int least = 0, greatest = 0;
  driver.check(driver.ctxGetStreamPriorityRange(&least, &greatest), "stream");
  driver.check(driver.streamCreateWithPriority(&stream, StreamNonBlocking, greatest), "stream");
  places.resize(program.launch_count);
  for (uint32_t e = 0; e < program.entry_count; ++e) {
    const txrt_entry &entry = program.entries[e];
    uint32_t place = 0;
    for (uint32_t i = entry.first_launch; i != entry.first_launch + entry.launch_count; ++i)
      places[i] = place += program.launches[i].kind == TXRT_LAUNCH_COLLECTIVE;
  }
  for (uint32_t i = 0; i < program.launch_count; ++i)
    if (const uint32_t awaited = program.launches[i].waits[TXRT_LANE_COLLECTIVES])
      done.try_emplace(awaited - 1, makeEvent(driver));
  void *memory = nullptr;
  driver.check(driver.memHostAlloc(&memory, sizeof *begun, HostAllocDeviceMap), "memory of the host");
  begun = static_cast<uint32_t *>(memory);
  *begun = 0;
  driver.check(driver.memHostGetDevicePointer(&begunOnDevice, memory, 0), "memory of the host");
}

Communication::~Communication() {
  nccl.reset();
  if (begun)
    driver.memFreeHost(const_cast<uint32_t *>(begun));
}

void Communication::connect(const DeviceContext &context, const DeviceArena &arena) {
  if (!nccl)
    return;
  const DeviceId own = context.id();
  std::vector<DeviceId> all(static_cast<size_t>(world.size()));
  world.collectives().allGather(world.all(), &own, all.data(), 1, sizeof own, "the ranks' GPUs");
  for (size_t a = 0; a < all.size(); ++a)
    for (size_t b = a + 1; b < all.size(); ++b)
      if (memcmp(&all[a], &all[b], sizeof all[a]) == 0)
        fail(TXRT_DEVICE,
             "ranks %zu and %zu would share a GPU, and each needs one of its "
             "own: start as many ranks on a machine as it has GPUs (rank %d "
             "sees %d)",
             a, b, world.rank(), context.count());
  guard([&] { nccl->connect(arena); });
}

std::string Communication::description() const {
  return nccl ? ", " + nccl->description() + ", " + txrt_world_description(&world) : "";
}

void Communication::enqueue(uint32_t index, DevicePointer arena, Stream compute, const LaunchTimer &timer) {
  const txrt_launch &launch = program.launches[index];
  driver.check(driver.eventRecord(ready, compute), "event");
  driver.check(driver.streamWaitEvent(stream, ready, 0), "event");
  isOpen = true;
  timer.markStart(index, stream);
  driver.check(driver.memsetD32Async(begunOnDevice, index + 1, 1, stream), "progress");
  if (launch.u.collective.ranks == 1 && !isAlone)
    copyAlone(launch, arena);
  else
    guard([&] { nccl->enqueue(launch, arena, stream); });
  timer.markEnd(index, stream);
  auto found = done.find(index);
  if (found != done.end())
    driver.check(driver.eventRecord(found->second, stream), "event");
}

/// Runs a collective of one rank: copies its operand to its result.
void Communication::copyAlone(const txrt_launch &launch, DevicePointer arena) {
  const txrt_collective_launch &c = launch.u.collective;
  const txrt_buffer *buffers = program.buffers + launch.first_buffer;
  auto address = [&](const txrt_buffer &buffer) {
    return arena + program.segment_base[buffer.segment] + buffer.offset;
  };
  const DevicePointer from = address(buffers[0]), to = address(buffers[1]);
  const bool isEmpty = c.collective == TXRT_SEND_RECV && neighbor(groupOf(0, 1, 1), c.peer, c.wraps) < 0;
  if (isEmpty)
    driver.check(driver.memsetD8Async(to, 0, buffers[1].bytes, stream), "zeros");
  else if (from != to)
    driver.check(driver.memcpyDtoDAsync(to, from, buffers[1].bytes, stream), "copy");
}

void Communication::waitBefore(uint32_t index, Stream compute) {
  if (const uint32_t awaited = program.launches[index].waits[TXRT_LANE_COLLECTIVES])
    driver.check(driver.streamWaitEvent(compute, done.at(awaited - 1), 0), "event");
}

void Communication::join(Stream compute) {
  if (!isOpen)
    return;
  isOpen = false;
  driver.check(driver.eventRecord(joined, stream), "event");
  driver.check(driver.streamWaitEvent(compute, joined, 0), "event");
}

template <typename Work> void Communication::guard(Work work) {
  try {
    work();
  } catch (...) {
    // Abort NCCL: its kernels that still run on the device would wait for ever.
    nccl->abort();
    world.isBroken = true;
    throw;
  }
}

const char *Communication::whatRuns() const {
  const uint32_t launch = *begun;
  return launch ? operation.set(program.strings + program.launches[launch - 1].name, ended + places[launch - 1])
                : operation.set("a step, behind collective", ended); // no collective has begun yet
}

void Communication::watch(double secondsWithoutProgress) const {
  const char *what = whatRuns();
  nccl->watch(what);
  world.watch(what, secondsWithoutProgress);
}

void Communication::synchronize(Stream compute) {
  if (!nccl)
    return driver.check(driver.streamSynchronize(compute), "a launch");
  const Clock::time_point start = Clock::now();
  Clock::time_point progress = start, watched = start;
  uint32_t seen = *begun;
  guard([&] {
    for (Result state; (state = driver.streamQuery(compute)) != Success;) {
      if (state != NotReady)
        driver.check(state, "a launch");
      const Clock::time_point now = Clock::now();
      if (*begun != seen)
        seen = *begun, progress = now;
      if (now - watched > watchInterval) {
        watch(std::chrono::duration<double>(now - progress).count());
        watched = now;
      }
      if (now - start < eager)
        std::this_thread::yield();
      else
        std::this_thread::sleep_for(pauseTime);
    }
  });
  if (*begun)
    ended += places[*begun - 1];
  *begun = 0;
}
