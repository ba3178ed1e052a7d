//===- Rendezvous.h - Ranks of several machines find each other -----------------------------------------*- C++ -*-===//
//
// Rank 0 listens where everybody knows; the others come there, say who they are and where they listen, and get a table
// of all and a key of this run. Then each connects to those before it. Who comes without the right hello is sent away,
// who comes and says nothing is left standing, and nothing waits for longer than the timeout.
//
// The key tells runs apart that meet by mistake. It is no protection against somebody who reads the network: as for MPI
// and NCCL, that must be trusted.
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
  std::string run;                    // what this run is called; the same for all of it
  double timeoutSeconds = 0;          // 0: no end
  int (*interrupted)(void) = nullptr; // null: never
};

/// Connected sockets to each other rank, -1 at the own place. Fails with TXRT_PEER, and names the ranks that have not
/// come, or with TXRT_INTERRUPTED.
std::vector<int> meet(const Rendezvous &where);

} // namespace txrt

#endif // TXRT_COMM_SOCKET_RENDEZVOUS_H
