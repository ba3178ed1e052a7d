//===- TcpTransport.cpp - Ranks over TCP, found in the environment -*- C++ -*-===//
//
// Torchrun's variables, and SLURM's. No library is needed, and no launcher of
// this project.
//
//===----------------------------------------------------------------------===//

#include "comm/Environment.h"
#include "comm/socket/Launchers.h"
#include "comm/socket/Sockets.h"
#include "core/Failure.h"

#include <cstdlib>

using namespace txrt;

namespace {

struct Tcp {
  Sockets sockets;
  int localRanks, localRank;
};

Sockets &self(void *state) { return static_cast<Tcp *>(state)->sockets; }

} // namespace

extern "C" {
extern const txrt_transport txrt_tcp_transport;
const txrt_transport txrt_tcp_transport = {
    "tcp",
    [] { return launchedOverTcp(); },
    [](const txrt_world_options *options, void **state, txrt_error *error) {
      return guarded(error, [&] {
        TcpLaunch launch = readTcpLaunch();
        launch.meeting.timeoutSeconds = options->timeout_seconds;
        std::vector<int> sockets = meet(launch.meeting);
        *state = new Tcp{
            {launch.meeting.rank, std::move(sockets), options->timeout_seconds,
             format("rank %d of %d over TCP (%s)", launch.meeting.rank,
                    launch.meeting.ranks, launch.launcher)},
            launch.localRanks, launch.localRank};
      });
    },
    [](void *state) {
      (void)guarded(nullptr, [&] { self(state).finish(); });
      delete static_cast<Tcp *>(state);
    },
    [](void *state) { return self(state).rank(); },
    [](void *state) { return self(state).size(); },
    [](void *state) { return static_cast<Tcp *>(state)->localRanks; },
    [](void *state) { return static_cast<Tcp *>(state)->localRank; },
    [](void *state) { return self(state).description().c_str(); },
    [](void *state, const txrt_message *messages, uint32_t count,
       const char *what, txrt_error *error) {
      return guarded(error,
                     [&] { self(state).exchange(messages, count, what); });
    },
    [](void *) { return 1; }, // takes threads
    [](void *state, const char *what, double seconds, txrt_error *error) {
      return guarded(error, [&] { self(state).watch(what, seconds); });
    },
    [](void *state, int code, const char *why) {
      self(state).sayFarewell(code, why);
      _Exit(code);
    },
};
}
