#include "comm/World.h"
#include "core/Failure.h"

#include <cstdlib>

extern "C" {
extern const txrt_transport txrt_local_transport;
extern const txrt_transport txrt_mpi_transport;
extern const txrt_transport txrt_tcp_transport;
}

using namespace txrt;

/// The list of all transports. The world takes the first transport whose launcher has started this process. The order
/// matters: tx-run's own launcher may run inside of the others, and mpirun inside of a SLURM job.
static const txrt_transport *const transports[] = {&txrt_local_transport, &txrt_mpi_transport, &txrt_tcp_transport};

static const txrt_transport *launcher() {
  for (const txrt_transport *candidate : transports)
    if (candidate->launched_ranks() > 0)
      return candidate;
  return nullptr;
}

txrt_world::txrt_world() : operations(std::make_unique<Collectives>(*this)) {}

txrt_world::txrt_world(const txrt_world_options &options) {
  const txrt_transport *found = launcher();
  if (found && found->launched_ranks() > 1) {
    txrt_error error = {};
    if (txrt_status status = found->create(&options, &state, &error))
      fail(status, "%s", error.message);
    transport = found;
  }
  operations = std::make_unique<Collectives>(*this);
}

txrt_world::txrt_world(const txrt_transport &transport, void *state)
    : transport(&transport), state(state), operations(std::make_unique<Collectives>(*this)) {}

txrt_world::~txrt_world() {
  if (transport)
    transport->destroy(state);
}

std::string txrt_world::prefix() const { return transport ? format("rank %d of %d: ", rank(), size()) : ""; }

void txrt_world::together(const char *what, const std::function<void()> &work) {
  txrt_error mine = {};
  if (!transport)
    return work();
  const txrt_status status = guarded(&mine, work);
  mine.code = status;
  std::vector<txrt_error> all(static_cast<size_t>(size()));
  collectives().allGather(this->all(), &mine, all.data(), 1, sizeof mine, what);
  for (int r = 0; r < size(); ++r)
    if (all[static_cast<size_t>(r)].code != TXRT_OK)
      fail(static_cast<txrt_status>(all[static_cast<size_t>(r)].code), "%s%s",
           r == rank() ? "" : format("rank %d of %d: ", r, size()).c_str(),
           printable(all[static_cast<size_t>(r)].message, sizeof mine.message).c_str());
}

void txrt_world::watch(const char *what, double seconds) const {
  txrt_error error = {};
  if (!transport)
    return;
  if (txrt_status status = transport->watch(state, what, seconds, &error))
    fail(status, "%s", error.message);
}

int txrt_world_launched_ranks(void) {
  const txrt_transport *found = launcher();
  return found ? found->launched_ranks() : 0;
}

txrt_status txrt_world_create(const txrt_world_options *options, txrt_world **world, txrt_error *error) {
  return guarded(error, [&] {
    requireArgument(world, "txrt_world_create");
    *world = new txrt_world(options ? *options : txrt_world_options{});
  });
}

void txrt_world_destroy(txrt_world *world) { delete world; }
int txrt_world_rank(const txrt_world *world) { return world->rank(); }
int txrt_world_size(const txrt_world *world) { return world->size(); }

int txrt_world_local_ranks(const txrt_world *world) {
  return world->transport ? world->transport->local_ranks(world->state) : 1;
}

const char *txrt_world_description(const txrt_world *world) {
  return world->transport ? world->transport->description(world->state) : "one rank";
}

txrt_status txrt_world_all_reduce(txrt_world *world, void *values, uint64_t count, txrt_dtype dtype, const char *what,
                                  txrt_error *error) {
  return guarded(error, [&] { world->collectives().allReduce(world->all(), values, values, count, dtype, what); });
}

txrt_status txrt_world_all_gather(txrt_world *world, const void *from, void *to, uint64_t bytes, const char *what,
                                  txrt_error *error) {
  return guarded(error, [&] { world->collectives().allGather(world->all(), from, to, 1, bytes, what); });
}

void txrt_world_abort(txrt_world *world, int code, const char *why) {
  if (world->transport)
    world->transport->abort(world->state, code, why ? why : "");
  _Exit(code);
}
