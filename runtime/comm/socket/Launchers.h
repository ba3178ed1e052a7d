//===- Launchers.h - What torchrun and srun tell a process ----------------------------------------------*- C++ -*-===//
//
// The variables that these launchers set in the environment:
//
//   torchrun  RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE, MASTER_ADDR,
//             MASTER_PORT
//   srun      SLURM_PROCID, SLURM_NTASKS, SLURM_LOCALID,
//             SLURM_STEP_TASKS_PER_NODE; the master is the first node of
//             SLURM_STEP_NODELIST (or SLURM_JOB_NODELIST), its port one of
//             SLURM_JOB_ID's; MASTER_ADDR and MASTER_PORT, where they are set,
//             come first
//
// Torchrun's own store may already listen on MASTER_PORT. Torchrun then sets TORCHELASTIC_USE_AGENT_STORE, and the
// ranks meet on port MASTER_PORT + 1.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_COMM_SOCKET_LAUNCHERS_H
#define TXRT_COMM_SOCKET_LAUNCHERS_H

#include "comm/socket/Rendezvous.h"

namespace txrt {

struct TcpLaunch {
  const char *launcher;
  Rendezvous meeting; // the caller sets its timeout
  int localRanks = 1; // how many ranks share this machine
  int localRank = 0;  // this rank's place among them, from 0
};

/// How many ranks torchrun or srun has started; 0 if neither has started this process. If a launcher's variables do not
/// fit together, some number above 1: readTcpLaunch then fails.
int launchedOverTcp();

/// Reads a launcher's variables. Fails with TXRT_USAGE, and the variable's name, if one is wrong.
TcpLaunch readTcpLaunch();

/// The first host in a list of SLURM's: "gpu003" for "gpu[003-007,9],login". Empty if `list` is no such list.
std::string firstHost(const std::string &list);

} // namespace txrt

#endif // TXRT_COMM_SOCKET_LAUNCHERS_H
