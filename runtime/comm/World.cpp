#include "comm/World.h"
#include "core/Failure.h"
#include "core/Manifest.h"

#include <cstdlib>
#include <cstring>

extern "C" {
extern const txrt_transport txrt_mpi_transport;
}

using namespace txrt;

/// The one place that knows every transport.
static const txrt_transport *const transports[] = {&txrt_mpi_transport};

txrt_world::txrt_world(const txrt_world_options &options) {
  for (const txrt_transport *candidate : transports) {
    if (candidate->launched_ranks() <= 1)
      continue;
    txrt_error error = {};
    if (txrt_status status = candidate->create(&options, &state, &error))
      fail(status, "%s", error.message);
    transport = candidate;
    return;
  }
}

txrt_world::~txrt_world() {
  if (transport)
    transport->destroy(state);
}

txrt_status txrt_world::allReduce(const void *from, void *to, uint64_t count,
                                  txrt_dtype dtype, const char *what,
                                  txrt_error *error) {
  if (transport)
    return transport->all_reduce(state, from, to, count, dtype, what, error);
  if (from != to)
    memmove(to, from, count * dtypeBytes(dtype));
  return TXRT_OK;
}

int txrt_world_launched_ranks(void) {
  for (const txrt_transport *transport : transports)
    if (int ranks = transport->launched_ranks())
      return ranks;
  return 0;
}

txrt_status txrt_world_create(const txrt_world_options *options,
                              txrt_world **world, txrt_error *error) {
  return guarded(error, [&] {
    if (!world)
      fail(TXRT_USAGE, "txrt_world_create: an argument is NULL");
    *world = new txrt_world(options ? *options : txrt_world_options{});
  });
}

void txrt_world_destroy(txrt_world *world) { delete world; }
int txrt_world_rank(const txrt_world *world) { return world->rank(); }
int txrt_world_size(const txrt_world *world) { return world->size(); }

const char *txrt_world_description(const txrt_world *world) {
  return world->transport ? world->transport->description(world->state)
                          : "one rank";
}

txrt_status txrt_world_all_reduce(txrt_world *world, void *values,
                                  uint64_t count, txrt_dtype dtype,
                                  const char *what, txrt_error *error) {
  return world->allReduce(values, values, count, dtype, what, error);
}

void txrt_world_abort(txrt_world *world, int code) {
  if (world->transport)
    world->transport->abort(world->state, code);
  _Exit(code);
}
