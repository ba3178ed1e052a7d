//===- World.h - The ranks of one run -------------------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_COMM_WORLD_H
#define TXRT_COMM_WORLD_H

#include "comm/Collectives.h"
#include "txrt/comm.h"

#include <functional>
#include <memory>
#include <string>

/// The ranks of one run. A world of one rank has no transport.
struct txrt_world {
  /// A world of one rank, whatever launcher has started the process.
  txrt_world();
  /// Joins the ranks that a launcher has started.
  explicit txrt_world(const txrt_world_options &options);
  /// Takes over a transport's state, as `create` made it.
  txrt_world(const txrt_transport &transport, void *state);
  ~txrt_world();
  txrt_world(const txrt_world &) = delete;
  txrt_world &operator=(const txrt_world &) = delete;

  int rank() const { return transport ? transport->rank(state) : 0; }
  int size() const { return transport ? transport->size(state) : 1; }
  /// This rank's place among the ranks of its machine, from 0.
  int localRank() const { return transport ? transport->local_rank(state) : 0; }
  /// Whether any thread may call the transport, one call at a time.
  bool takesThreads() const { return !transport || transport->takes_threads(state); }
  /// The begin of a message: "rank 1 of 4: "; empty for one rank.
  std::string prefix() const;
  /// Every rank calls it and does `work`. If `work` fails on some ranks, all ranks fail with the status and the message
  /// of the lowest of these ranks.
  void together(const char *what, const std::function<void()> &work);
  /// Calls txrt_transport's `watch`, and throws if that fails.
  void watch(const char *what, double seconds) const;
  /// All ranks as one group.
  txrt::Group all() const { return {0, 1, size(), rank()}; }
  /// The one object that runs all collectives of this world, one after another.
  txrt::Collectives &collectives() { return *operations; }

  const txrt_transport *transport = nullptr;
  void *state = nullptr;
  /// True after a failure that leaves the ranks at different points: the caller can only abort.
  bool isBroken = false;

private:
  std::unique_ptr<txrt::Collectives> operations;
};

#endif // TXRT_COMM_WORLD_H
