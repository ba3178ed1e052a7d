//===- LocalTransport.cpp - Ranks that tx-run has started -----------------------------------------------*- C++ -*-===//
//
// `tx-run --ranks N` starts itself N times. Each process inherits one end of a socket pair for each other rank; the
// environment gives the descriptors:
//
//   TXRT_LOCAL_RANK=1  TXRT_LOCAL_RANKS=3  TXRT_LOCAL_SOCKETS=5,-,8
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "comm/Environment.h"
#include "comm/socket/SocketTransport.h"

#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>

using namespace txrt;

static std::vector<int> inheritedSockets(int ranks, int rank) {
  const char *list = getenv("TXRT_LOCAL_SOCKETS");
  auto refuse = [&] {
    fail(TXRT_USAGE,
         "the environment's TXRT_LOCAL_SOCKETS is '%s', not the "
         "sockets of %d ranks: only tx-run --ranks sets it",
         printable(list ? list : "").c_str(), ranks);
  };
  std::vector<int> descriptors;
  for (const char *text = list; text && *text;) {
    char *end = nullptr;
    const bool isOwn = *text == '-';
    const long value = isOwn ? -1 : strtol(text, &end, 10);
    if (isOwn)
      end = const_cast<char *>(text) + 1;
    struct stat info;
    if (end == text || (*end && *end != ',') || isOwn != (static_cast<int>(descriptors.size()) == rank) ||
        (!isOwn &&
         (value < 3 || value > INT32_MAX || fstat(static_cast<int>(value), &info) || !S_ISSOCK(info.st_mode))))
      refuse();
    if (!isOwn)
      fcntl(static_cast<int>(value), F_SETFD, FD_CLOEXEC);
    descriptors.push_back(static_cast<int>(value));
    text = *end ? end + 1 : end;
  }
  if (static_cast<int>(descriptors.size()) != ranks)
    refuse();
  return descriptors;
}

static int launchedRanks() { return ranksFromEnvironment("TXRT_LOCAL_RANKS"); }

static txrt_status create(const txrt_world_options *options, void **state, txrt_error *error) {
  return guarded(error, [&] {
    const int ranks = launchedRanks();
    const auto rank = static_cast<int>(numberFromEnvironment("TXRT_LOCAL_RANK", 0, ranks - 1, 0));
    *state = new SocketRanks{{rank, inheritedSockets(ranks, rank), options->timeout_seconds,
                              format("rank %d of %d on this machine", rank, ranks)},
                             ranks,
                             rank};
  });
}

extern "C" {
extern const txrt_transport txrt_local_transport;
const txrt_transport txrt_local_transport = socketTransport("local", launchedRanks, create);
}
