//===- Collectives.h - What ranks do together -----------------------------------------------------------*- C++ -*-===//
//
// The collectives of abi.h over any transport, on host memory. A transport carries bytes; sums are taken here, in the
// order of ranks and in f32, so they depend on neither the transport nor the machine, and all ranks have the same bits.
//
// Nothing is allocated after the constructor, but by shapes of more messages than it made room for.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_COMM_COLLECTIVES_H
#define TXRT_COMM_COLLECTIVES_H

#include "comm/Positions.h"
#include "txrt/comm.h"

#include <vector>

namespace txrt {

/// The ranks of one axis of the mesh that differ in nothing else: `ranks` of them, `stride` apart.
struct Group {
  int first, stride, ranks;
  int index; // this rank's place
  int member(int i) const { return first + i * stride; }
};

/// The group of `ranks` ranks, `stride` apart, that `rank` is in.
Group groupOf(int rank, int ranks, int stride);

/// The place `shift` after this rank's; -1 where there is none.
int neighbor(const Group &group, int64_t shift, bool wraps);

class Collectives {
public:
  explicit Collectives(txrt_world &world);

  /// As a launch table's entry says, see abi.h; messages have its number, too.
  void run(const txrt_collective_launch &launch, txrt_dtype dtype, const void *from, void *to, const char *name);

  /// `to` = the sum of all `from`; may be the same.
  void allReduce(Group group, const void *from, void *to, uint64_t count, txrt_dtype dtype, const char *what);
  /// Each of `outer` blocks of `from` has a part of `count` elements for each rank; `to` has the sums of this rank's.
  void reduceScatter(Group group, const void *from, void *to, uint64_t outer, uint64_t count, txrt_dtype dtype,
                     const char *what);
  /// The reverse, without a sum: each of `outer` blocks of `to` has the `bytes` of every rank's block, in the order of
  /// ranks.
  void allGather(Group group, const void *from, void *to, uint64_t outer, uint64_t bytes, const char *what);
  /// Each of `outer` blocks of `from` has `bytes` for each rank; in `to` they are `bytes` from each rank.
  void allToAll(Group group, const void *from, void *to, uint64_t outer, uint64_t bytes, const char *what);
  /// `to` = the root's `from`; may be the same.
  void broadcast(Group group, const void *from, void *to, uint64_t bytes, int root, const char *what);
  /// The root's `to` = the sum of all `from`, another's = 0.
  void reduce(Group group, const void *from, void *to, uint64_t count, txrt_dtype dtype, int root, const char *what);
  /// `to` = the `from` of the rank `shift` places before this one, 0 if there is none; with `wraps` the last one stands
  /// before the first.
  void sendReceive(Group group, const void *from, void *to, uint64_t bytes, int shift, bool wraps, const char *what);

private:
  void send(int peer, const void *data, uint64_t bytes);
  void receive(int peer, void *data, uint64_t bytes);
  void exchange(const char *what);
  void reducePiece(Group group, char *piece, uint64_t count, txrt_dtype dtype, const char *what);
  void reduceSmall(Group group, char *values, uint64_t count, txrt_dtype dtype, const char *what);

  txrt_world &world;
  std::vector<char> scratch;          // what comes in before it is added
  std::vector<const void *> operands; // of each rank of a group
  std::vector<txrt_message> messages; // of the next exchange
  uint64_t runs = 0;                  // of launches
  OperationName operation;            // the one that runs
};

} // namespace txrt

#endif // TXRT_COMM_COLLECTIVES_H
