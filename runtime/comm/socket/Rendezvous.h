//===- Rendezvous.h - Ranks of several machines find each other -----------------------------------------*- C++ -*-===//
//
// Rank 0 listens at an address that all ranks know. The other ranks connect to it, say which rank they are and where
// they listen, and get a table of all ranks' addresses and a key of this run. Then each rank connects to the ranks 1 to
// its own number - 1. A connection with a wrong hello is closed, a connection that says nothing delays no other, and
// nothing waits for longer than the timeout.
//
// The key keeps runs apart that meet by mistake. It does not protect against somebody who reads the network: as with
// MPI and NCCL, the network must be trusted.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_COMM_SOCKET_RENDEZVOUS_H
#define TXRT_COMM_SOCKET_RENDEZVOUS_H

#include <cstdint>
#include <string>
#include <vector>

namespace txrt {

struct Rendezvous {
  int rank = 0, ranks = 1;
  std::string host; // rank 0's machine
  uint16_t port = 0;
  std::string run;                    // the name of this run, the same on all ranks
  double timeoutSeconds = 0;          // 0: wait without end
  int (*interrupted)(void) = nullptr; // returns 1 when somebody wants the process to end; null: never
};

/// Returns a connected socket to each other rank, by rank, and -1 at this rank's place. Fails with TXRT_PEER, and names
/// the ranks that have not come, or with TXRT_INTERRUPTED.
std::vector<int> meet(const Rendezvous &where);

} // namespace txrt

#endif // TXRT_COMM_SOCKET_RENDEZVOUS_H
