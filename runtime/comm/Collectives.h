//===- Collectives.h - What ranks do together -----------------------------------------------------------*- C++ -*-===//
//
// The collectives of abi.h over any transport, on host memory. A transport only carries bytes. This code adds, in the
// order of ranks and in f32, so a sum depends on neither the transport nor the machine, and has the same bits on all
// ranks.
//
// After the constructor a collective allocates only if it needs more messages than the constructor made room for.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_COMM_COLLECTIVES_H
#define TXRT_COMM_COLLECTIVES_H

#include "comm/Positions.h"
#include "txrt/comm.h"

#include <vector>

namespace txrt {

/// The ranks that differ in their place on one axis of the mesh only: `ranks` ranks, `stride` apart.
struct Group {
  int first, stride, ranks;
  int index; // this rank's place in the group
  int member(int i) const { return first + i * stride; }
};

/// The group of `ranks` ranks, `stride` apart, that `rank` is in.
Group groupOf(int rank, int ranks, int stride);

/// The place in the group that is `shift` after this rank's; -1 if there is none. With `wraps` the group is a ring.
int neighbor(const Group &group, int64_t shift, bool wraps);

class Collectives {
public:
  explicit Collectives(txrt_world &world);

  /// Runs a collective launch (abi.h). Messages call it `name`, with the number of collectives run so far.
  void run(const txrt_collective_launch &launch, txrt_dtype dtype, const void *from, void *to, const char *name);

  /// `to` = the sum of all ranks' `from`, `count` elements; `from` and `to` may be the same.
  void allReduce(Group group, const void *from, void *to, uint64_t count, txrt_dtype dtype, const char *what);
  /// Each of the `outer` blocks of `from` has one part of `count` elements for each rank; `to` = the sums over all
  /// ranks of this rank's parts.
  void reduceScatter(Group group, const void *from, void *to, uint64_t outer, uint64_t count, txrt_dtype dtype,
                     const char *what);
  /// `from` has `outer` blocks of `bytes` bytes; each block of `to` = the same block of every rank's `from`, in the
  /// order of ranks.
  void allGather(Group group, const void *from, void *to, uint64_t outer, uint64_t bytes, const char *what);
  /// Each of the `outer` blocks of `from` has one part of `bytes` bytes for each rank; the same block of `to` has the
  /// part that each rank had for this one.
  void allToAll(Group group, const void *from, void *to, uint64_t outer, uint64_t bytes, const char *what);
  /// `to` = the `from` of the rank at place `root`; `from` and `to` may be the same.
  void broadcast(Group group, const void *from, void *to, uint64_t bytes, int root, const char *what);
  /// On the rank at place `root`, `to` = the sum of all ranks' `from`; on the other ranks, `to` = 0.
  void reduce(Group group, const void *from, void *to, uint64_t count, txrt_dtype dtype, int root, const char *what);
  /// `to` = the `from` of the rank `shift` places before this one; 0 if there is none. With `wraps` the group is a
  /// ring: the last rank is before the first.
  void sendReceive(Group group, const void *from, void *to, uint64_t bytes, int shift, bool wraps, const char *what);

private:
  void send(int peer, const void *data, uint64_t bytes);
  void receive(int peer, void *data, uint64_t bytes);
  void exchange(const char *what);
  void reducePiece(Group group, char *piece, uint64_t count, txrt_dtype dtype, const char *what);
  void reduceSmall(Group group, char *values, uint64_t count, txrt_dtype dtype, const char *what);

  txrt_world &world;
  std::vector<char> scratch;          // the other ranks' operands, before they are added
  std::vector<const void *> operands; // where the operand of each rank of a group is
  std::vector<txrt_message> messages; // messages of the next exchange
  uint64_t runs = 0;                  // how many collective launches have run
  OperationName operation;            // the collective that runs now
};

} // namespace txrt

#endif // TXRT_COMM_COLLECTIVES_H
