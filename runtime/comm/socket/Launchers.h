//===- Launchers.h - What torchrun and srun tell a process ----------------------------------------------*- C++ -*-===//
//
//   torchrun  RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR,
//             MASTER_PORT
//   srun      SLURM_PROCID, SLURM_NTASKS, SLURM_LOCALID,
//             SLURM_STEP_TASKS_PER_NODE; the master is the first node of
//             SLURM_STEP_NODELIST (or SLURM_JOB_NODELIST), its port one of
//             SLURM_JOB_ID's; MASTER_ADDR and MASTER_PORT, where they are set,
//             come first
//
// Torchrun's own store may already listen on MASTER_PORT; it says so in TORCHELASTIC_USE_AGENT_STORE, and then ranks
// meet on the port after it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_COMM_SOCKET_LAUNCHERS_H
#define TXRT_COMM_SOCKET_LAUNCHERS_H

#include "comm/socket/Rendezvous.h"

namespace txrt {

struct TcpLaunch {
  const char *launcher;
  Rendezvous meeting; // without its timeout
  int localRanks = 1; // that share this machine
  int localRank = 0;  // this one's place among them
};

/// How many ranks one of them has started; 0 for none, some number above 1 where its variables do not fit together.
int launchedOverTcp();

/// Fails with TXRT_USAGE, and the variable's name, for what cannot be.
TcpLaunch readTcpLaunch();

/// The first host of SLURM's list: "gpu[003-007,9],login" is "gpu003". Empty if it is none.
std::string firstHost(const std::string &list);

} // namespace txrt

#endif // TXRT_COMM_SOCKET_LAUNCHERS_H
