//===- World.h - The ranks of one run --------------------------*- C++ -*-===//

#ifndef TXRT_COMM_WORLD_H
#define TXRT_COMM_WORLD_H

#include "txrt/comm.h"

/// A world of one has no transport.
struct txrt_world {
  explicit txrt_world(const txrt_world_options &options);
  ~txrt_world();
  txrt_world(const txrt_world &) = delete;
  txrt_world &operator=(const txrt_world &) = delete;

  int rank() const { return transport ? transport->rank(state) : 0; }
  int size() const { return transport ? transport->size(state) : 1; }
  txrt_status allReduce(const void *from, void *to, uint64_t count,
                        txrt_dtype dtype, const char *what, txrt_error *error);

  const txrt_transport *transport = nullptr;
  void *state = nullptr;
};

#endif // TXRT_COMM_WORLD_H
