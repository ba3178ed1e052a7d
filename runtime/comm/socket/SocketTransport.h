//===- SocketTransport.h - The table of functions over sockets ------------------------------------------*- C++ -*-===//
//
// The transports over sockets differ only in which launcher started the ranks and how their sockets were made. So each
// gives its name, `launched_ranks` and `create`, which makes a SocketRanks; the other functions are here.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_COMM_SOCKET_SOCKETTRANSPORT_H
#define TXRT_COMM_SOCKET_SOCKETTRANSPORT_H

#include "comm/socket/Sockets.h"
#include "core/Failure.h"

#include <cstdlib>

namespace txrt {

/// A transport's state.
struct SocketRanks {
  Sockets sockets;
  int localRanks, localRank;
};

inline SocketRanks &socketRanks(void *state) { return *static_cast<SocketRanks *>(state); }

constexpr txrt_transport socketTransport(const char *name, decltype(txrt_transport::launched_ranks) launched,
                                         decltype(txrt_transport::create) create) {
  return {
      name,
      launched,
      create,
      [](void *state) {
        (void)guarded(nullptr, [&] { socketRanks(state).sockets.finish(); });
        delete &socketRanks(state);
      },
      [](void *state) { return socketRanks(state).sockets.rank(); },
      [](void *state) { return socketRanks(state).sockets.size(); },
      [](void *state) { return socketRanks(state).localRanks; },
      [](void *state) { return socketRanks(state).localRank; },
      [](void *state) { return socketRanks(state).sockets.description().c_str(); },
      [](void *state, const txrt_message *messages, uint32_t count, const char *what, txrt_error *error) {
        return guarded(error, [&] { socketRanks(state).sockets.exchange(messages, count, what); });
      },
      [](void *) { return 1; }, // takes_threads
      [](void *state, const char *what, double seconds, txrt_error *error) {
        return guarded(error, [&] { socketRanks(state).sockets.watch(what, seconds); });
      },
      [](void *state, int code, const char *why) {
        socketRanks(state).sockets.sayFarewell(code, why);
        _Exit(code);
      },
  };
}

} // namespace txrt

#endif // TXRT_COMM_SOCKET_SOCKETTRANSPORT_H
