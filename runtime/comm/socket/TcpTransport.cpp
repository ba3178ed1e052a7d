//===- TcpTransport.cpp - Ranks over TCP, found in the environment --------------------------------------*- C++ -*-===//
//
// Joins ranks that torchrun or SLURM's srun has started, by the variables that these set (Launchers.h). It needs
// neither a library nor a launcher of this project.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "comm/socket/Launchers.h"
#include "comm/socket/SocketTransport.h"

using namespace txrt;

static txrt_status create(const txrt_world_options *options, void **state, txrt_error *error) {
  return guarded(error, [&] {
    TcpLaunch launch = readTcpLaunch();
    launch.meeting.timeoutSeconds = options->timeout_seconds;
    launch.meeting.interrupted = options->interrupted;
    std::vector<int> sockets = meet(launch.meeting);
    *state = new SocketRanks{
        {launch.meeting.rank, std::move(sockets), options->timeout_seconds,
         format("rank %d of %d over TCP (%s)", launch.meeting.rank, launch.meeting.ranks, launch.launcher)},
        launch.localRanks,
        launch.localRank};
  });
}

extern "C" {
extern const txrt_transport txrt_tcp_transport;
const txrt_transport txrt_tcp_transport = socketTransport("tcp", launchedOverTcp, create);
}
