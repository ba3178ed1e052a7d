//===- World.h - The ranks of one run -------------------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_COMM_WORLD_H
#define TXRT_COMM_WORLD_H

#include "comm/Collectives.h"
#include "txrt/comm.h"

#include <functional>
#include <memory>
#include <string>

/// A world of one has no transport.
struct txrt_world {
  /// One rank, whoever has started it.
  txrt_world();
  /// The ranks that a launcher has started.
  explicit txrt_world(const txrt_world_options &options);
  /// Takes over a transport's state, as `create` made it.
  txrt_world(const txrt_transport &transport, void *state);
  ~txrt_world();
  txrt_world(const txrt_world &) = delete;
  txrt_world &operator=(const txrt_world &) = delete;

  int rank() const { return transport ? transport->rank(state) : 0; }
  int size() const { return transport ? transport->size(state) : 1; }
  /// This one's place among the ranks of its machine.
  int localRank() const { return transport ? transport->local_rank(state) : 0; }
  /// Whether calls may come from any thread, one at a time.
  bool takesThreads() const { return !transport || transport->takes_threads(state); }
  /// "rank 1 of 4: ", or nothing for one.
  std::string prefix() const;
  /// Does what may fail on some of the ranks; then it fails on all, with one code, and the message of the first whose
  /// it is.
  void together(const char *what, const std::function<void()> &work);
  /// Throws what txrt_transport's `watch` says.
  void watch(const char *what, double seconds) const;
  /// All of them, as one group.
  txrt::Group all() const { return {0, 1, size(), rank()}; }
  /// For all collectives of this world, which run one after another.
  txrt::Collectives &collectives() { return *operations; }

  const txrt_transport *transport = nullptr;
  void *state = nullptr;
  /// Something failed after which ranks are not at the same point any more:
  /// nothing is left to do but to abort.
  bool isBroken = false;

private:
  std::unique_ptr<txrt::Collectives> operations;
};

#endif // TXRT_COMM_WORLD_H
