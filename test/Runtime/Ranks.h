//===- Ranks.h - Several ranks in one test process ------------------------------------------------------*- C++ -*-===//

#ifndef TEST_RUNTIME_RANKS_H
#define TEST_RUNTIME_RANKS_H

#include "comm/World.h"
#include "comm/socket/SocketTransport.h"
#include "core/Failure.h"

#include <functional>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <vector>

extern "C" {
extern const txrt_transport txrt_local_transport;
}

/// Runs `work` on `ranks` threads, each with a world over socket pairs; a world ends before its thread does. Gives what
/// each threw, empty for nothing.
inline std::vector<std::string> runRanks(int ranks, const std::function<void(txrt_world &)> &work,
                                         double timeoutSeconds = 10) {
  std::vector<std::vector<int>> sockets(ranks, std::vector<int>(ranks, -1));
  for (int i = 0; i < ranks; ++i)
    for (int j = i + 1; j < ranks; ++j) {
      int ends[2];
      if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return {"no sockets"};
      sockets[i][j] = ends[0];
      sockets[j][i] = ends[1];
    }
  std::vector<std::string> errors(ranks);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank)
    threads.emplace_back([&, rank] {
      auto *state = new txrt::SocketRanks{{rank, sockets[rank], timeoutSeconds, "test"}, ranks, rank};
      txrt_error error = {};
      if (txrt::guarded(&error, [&] {
            txrt_world world(txrt_local_transport, state);
            try {
              work(world);
            } catch (...) {
              // The world's end would wait for the others.
              state->sockets.sayFarewell(txrt::statusOfException(&error), error.message);
              world.transport = nullptr;
              delete state;
              throw;
            }
          }))
        errors[rank] = error.message;
    });
  for (std::thread &thread : threads)
    thread.join();
  return errors;
}

#endif // TEST_RUNTIME_RANKS_H
