#include "backends/cuda/Nccl.h"
#include "comm/Environment.h"
#include "core/Manifest.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>

using namespace txrt;
using namespace txrt::cuda;

using Clock = std::chrono::steady_clock;

// How many seconds the destruction of a communicator may take.
static constexpr double secondsToLeave = 5;

static double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

static void pause() { std::this_thread::sleep_for(std::chrono::microseconds(50)); }

static nccl::DataType typeOf(uint32_t dtype) {
  return dtype == TXRT_DTYPE_F32    ? nccl::F32
         : dtype == TXRT_DTYPE_BF16 ? nccl::BF16
         : dtype == TXRT_DTYPE_I32  ? nccl::I32
                                    : nccl::U8;
}

bool cuda::takesNcclAlone() { return numberFromEnvironment("TXRT_NCCL_ALONE", 0, 1, 0) != 0; }

std::vector<RankGroup> cuda::groupsOf(const txrt_program &program, int worldSize) {
  std::vector<RankGroup> groups;
  for (uint32_t i = 0; i < program.launch_count; ++i) {
    const txrt_collective_launch &c = program.launches[i].u.collective;
    if (program.launches[i].kind != TXRT_LAUNCH_COLLECTIVE || ((worldSize == 1 || c.ranks == 1) && !takesNcclAlone()))
      continue;
    const RankGroup group(c.ranks, c.stride);
    if (std::find(groups.begin(), groups.end(), group) == groups.end())
      groups.push_back(group);
  }
  return groups;
}

const nccl::Library *cuda::lenderOfArena(const txrt_program &program, const txrt_options &options) {
  const int ranks = options.world ? options.world->size() : 1;
  if (options.no_nccl_buffers || groupsOf(program, ranks).empty())
    return nullptr;
  const nccl::Library &library = nccl::Library::get();
  return library.lendsMemory() ? &library : nullptr;
}

Nccl::Nccl(const txrt_program &program, const Driver &driver, txrt_world &world)
    : program(program), driver(driver), world(world), library(nccl::Library::get()) {
  for (auto [ranks, stride] : groupsOf(program, world.size()))
    communicators.push_back({ranks, stride, groupOf(world.rank(), static_cast<int>(ranks), static_cast<int>(stride))});
  for (Communicator &communicator : communicators)
    if (communicator.group.index == 0)
      check(library.getUniqueId(&communicator.id), nullptr, "an id for the ranks of an axis");
}

void Nccl::connect(const DeviceArena &arena) {
  const char *what = "start of NCCL";
  std::vector<nccl::UniqueId> ids(static_cast<size_t>(world.size()));
  for (Communicator &c : communicators) {
    world.collectives().allGather(world.all(), &c.id, ids.data(), 1, sizeof c.id, what);
    c.id = ids[static_cast<size_t>(c.group.first)];
    nccl::Config config;
    check(library.commInit(&c.comm, c.group.ranks, c.id, c.group.index, &config), c.comm, what);
    settle(c, what);
  }
  registerArena(arena);
}

/// Registers the arena with each communicator. NCCL requires that all ranks register their buffers or none does.
void Nccl::registerArena(const DeviceArena &arena) {
  const char *what = "registration of the arena (see --no-nccl-ub)";
  const int32_t own = arena.isLent;
  std::vector<int32_t> all(static_cast<size_t>(world.size()));
  world.collectives().allGather(world.all(), &own, all.data(), 1, sizeof own, what);
  if (std::find(all.begin(), all.end(), 0) != all.end())
    return;
  void *const address = reinterpret_cast<void *>(arena.address);
  for (Communicator &c : communicators) {
    // A window includes the plain registration, and lets ranks that reach each other's memory use NCCL's faster kernels
    // for symmetric memory.
    const nccl::Result result =
        library.windowRegister
            ? library.windowRegister(c.comm, address, arena.size, &c.window, nccl::WindowCollSymmetric)
            : library.commRegister(c.comm, address, arena.size, &c.registered);
    check(result, c.comm, what);
    settle(c, what);
  }
  hasRegistered = true;
  rounding = arena.rounding();
}

void Nccl::deregister(const Communicator &c) {
  if (c.window)
    library.windowDeregister(c.comm, c.window);
  if (c.registered)
    library.commDeregister(c.comm, c.registered);
}

std::string Nccl::description() const {
  return library.version() + (hasRegistered ? ", arena registered" : "") +
         (rounding ? " (rounded up by " + readableBytes(rounding) + ")" : "");
}

Nccl::~Nccl() {
  // A rank that leaves because of an error does not wait for the other ranks.
  if (std::uncaught_exceptions() > 0)
    abort();
  const Clock::time_point start = Clock::now();
  for (Communicator &c : communicators) {
    nccl::Result state = nccl::Success;
    if (!c.comm)
      continue;
    deregister(c);
    library.commFinalize(c.comm);
    while (library.commGetAsyncError(c.comm, &state) == nccl::Success && state == nccl::InProgress &&
           secondsSince(start) < secondsToLeave)
      pause();
    if (state == nccl::Success)
      library.commDestroy(c.comm);
    else
      library.commAbort(c.comm);
  }
}

/// Does not deregister the arena: the registration ends with its communicator, and to deregister it before could wait
/// for kernels that still run on the device.
void Nccl::abort() {
  for (Communicator &c : communicators)
    if (c.comm)
      library.commAbort(c.comm);
  communicators.clear();
}

void Nccl::settle(const Communicator &communicator, const char *what) const {
  const Clock::time_point start = Clock::now();
  for (;;) {
    if (stateOf(communicator, what) == nccl::Success)
      return;
    world.watch(what, secondsSince(start));
    pause();
  }
}

void Nccl::check(nccl::Result result, nccl::Comm comm, const char *what) const {
  if (result != nccl::Success && result != nccl::InProgress)
    library.refuse(result, comm, world.prefix() + printable(what));
}

nccl::Result Nccl::stateOf(const Communicator &communicator, const char *what) const {
  nccl::Result state = nccl::Success;
  check(library.commGetAsyncError(communicator.comm, &state), communicator.comm, what);
  check(state, communicator.comm, what);
  return state;
}

void Nccl::watch(const char *what) const {
  for (const Communicator &c : communicators)
    stateOf(c, what);
}

Nccl::Communicator &Nccl::communicatorOf(const txrt_collective_launch &launch) {
  for (Communicator &c : communicators)
    if (c.ranks == launch.ranks && c.stride == launch.stride)
      return c;
  fail(TXRT_PEER, "this rank has left its group before");
}

/// Notes the result of a call between groupStart and groupEnd. groupEnd must be called even after a failure, so the
/// group then fails with the first failure.
void Nccl::add(nccl::Result result) {
  if (firstOfGroup == nccl::Success && result != nccl::InProgress)
    firstOfGroup = result;
}

void Nccl::enqueue(const txrt_launch &launch, DevicePointer arena, Stream stream) {
  const char *name = program.strings + launch.name;
  const txrt_collective_launch &c = launch.u.collective;
  const txrt_buffer *buffers = program.buffers + launch.first_buffer;
  auto address = [&](const txrt_buffer &buffer) {
    return arena + program.segment_base[buffer.segment] + buffer.offset;
  };
  const Communicator &communicator = communicatorOf(c);
  firstOfGroup = nccl::Success;
  add(library.groupStart());
  call(c, typeOf(buffers[0].dtype), dtypeBytes(buffers[0].dtype), address(buffers[0]), address(buffers[1]), stream);
  add(library.groupEnd());
  check(firstOfGroup, communicator.comm, name);
  settle(communicator, name);
  // Ranks that receive nothing get zeros.
  const int root = c.peer;
  const Group &group = communicator.group;
  const bool isEmpty = (c.collective == TXRT_REDUCE && group.index != root) ||
                       (c.collective == TXRT_SEND_RECV && neighbor(group, -int64_t(c.peer), c.wraps) < 0);
  if (isEmpty)
    driver.check(driver.memsetD8Async(address(buffers[1]), 0, buffers[1].bytes, stream), "zeros");
}

void Nccl::call(const txrt_collective_launch &c, nccl::DataType type, uint64_t element, DevicePointer from,
                DevicePointer to, Stream stream) {
  const Communicator &communicator = communicatorOf(c);
  nccl::Comm comm = communicator.comm;
  const uint64_t block = c.count / c.outer, part = block / c.ranks;
  auto at = [&](DevicePointer base, uint64_t index) { return reinterpret_cast<void *>(base + index * element); };
  switch (static_cast<txrt_collective>(c.collective)) {
  case TXRT_ALL_REDUCE:
    return add(library.allReduce(at(from, 0), at(to, 0), c.count, type, nccl::Sum, comm, stream));
  case TXRT_ALL_GATHER:
    for (uint64_t o = 0; o < c.outer; ++o)
      add(library.allGather(at(from, o * block), at(to, o * block * c.ranks), block, type, comm, stream));
    return;
  case TXRT_REDUCE_SCATTER:
    for (uint64_t o = 0; o < c.outer; ++o)
      add(library.reduceScatter(at(from, o * block), at(to, o * part), part, type, nccl::Sum, comm, stream));
    return;
  case TXRT_ALL_TO_ALL:
    for (uint64_t i = 0; i < c.outer * c.ranks; ++i) {
      const int peer = static_cast<int>(i % c.ranks);
      add(library.send(at(from, i * part), part, type, peer, comm, stream));
      add(library.recv(at(to, i * part), part, type, peer, comm, stream));
    }
    return;
  case TXRT_BROADCAST:
    return add(library.broadcast(at(from, 0), at(to, 0), c.count, type, c.peer, comm, stream));
  case TXRT_REDUCE:
    return add(library.reduce(at(from, 0), at(to, 0), c.count, type, nccl::Sum, c.peer, comm, stream));
  case TXRT_SEND_RECV: {
    const Group &group = communicator.group;
    const int target = neighbor(group, c.peer, c.wraps);
    const int source = neighbor(group, -int64_t(c.peer), c.wraps);
    if (target >= 0)
      add(library.send(at(from, 0), c.count, type, target, comm, stream));
    if (source >= 0)
      add(library.recv(at(to, 0), c.count, type, source, comm, stream));
    return;
  }
  }
}
