//===- MpiTransport.cpp - Ranks over MPI -----------------------*- C++ -*-===//
//
// MPI carries bytes, from one rank to another; the sums are taken here, so that
// their order is the ranks' and not the library's. Every wait has an end: a
// rank that is gone or stuck is named.
//
// Rank r owns share r of a tensor. In a piece at a time, each rank sends to each
// other the share that is the other's, adds the shares that it has got to its own
// in the order of ranks, and sends the finished share to all. A rank so sends
// 2 (n-1)/n of the tensor, the least there is.
//
//===----------------------------------------------------------------------===//

#include "comm/RankSum.h"
#include "comm/mpi/MpiApi.h"
#include "core/Failure.h"
#include "core/Manifest.h"
#include "txrt/comm.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sched.h>
#include <time.h>
#include <vector>

using namespace txrt;
using namespace txrt::mpi;

namespace {

// A rank's scratch: what it gets from the others before it adds.
constexpr uint64_t scratchBytes = uint64_t(4) << 20;
constexpr int messageTag = 0;
// How long to wait for ranks that may still answer when the run is being ended.
constexpr double secondsToStop = 0.3;

int launchedRanks() {
  const char *text = getenv("OMPI_COMM_WORLD_SIZE");
  return text ? atoi(text) : 0;
}

void *symbol(void *library, const char *name) {
  void *address = dlsym(library, name);
  if (!address)
    fail(TXRT_PEER, "libmpi.so.40 has no %s: it is not Open MPI", name);
  return address;
}

Mpi open() {
  // Global: Open MPI's own plugins look for its symbols there.
  void *library = dlopen("libmpi.so.40", RTLD_NOW | RTLD_GLOBAL);
  if (!library)
    fail(TXRT_PEER,
         "this is one of %d ranks, and there is no MPI: %s (Debian: "
         "libopenmpi3)",
         launchedRanks(), printable(dlerror()).c_str());
  Mpi mpi;
#define TXRT_LOAD(member, function, ...)                                      \
  mpi.member =                                                                \
      reinterpret_cast<int (*)(__VA_ARGS__)>(symbol(library, #function));
  TXRT_MPI_FUNCTIONS(TXRT_LOAD)
#undef TXRT_LOAD
#define TXRT_LOAD(member, type, name, object)                                 \
  mpi.member = static_cast<type>(symbol(library, #object));
  TXRT_MPI_HANDLES(TXRT_LOAD)
#undef TXRT_LOAD
  return mpi;
}

class MpiTransport {
public:
  explicit MpiTransport(const txrt_world_options &options);

  void allReduce(const char *from, char *to, uint64_t count, txrt_dtype dtype,
                 const char *what);

  const Mpi mpi = open();
  int rank = 0, size = 1;
  std::string description;

private:
  using Clock = std::chrono::steady_clock;
  struct Message {
    int peer;
    Request request;
  };

  void check(int result, const char *what) const;
  void send(const char *from, uint64_t bytes, int peer, const char *what);
  void receive(char *to, uint64_t bytes, int peer, const char *what);
  void waitForAll(const char *what);
  bool isDone(Message &message, const char *what) const;
  [[noreturn]] void giveUp(const char *what, double seconds, bool stopped);
  void reducePiece(char *piece, uint64_t count, txrt_dtype dtype,
                   const char *what);

  const txrt_world_options options;
  std::vector<char> scratch;
  std::vector<const void *> operands; // of each rank
  std::vector<Message> messages;      // on their way
};

MpiTransport::MpiTransport(const txrt_world_options &options)
    : options(options), scratch(scratchBytes) {
  int level = 0;
  check(mpi.initThread(nullptr, nullptr, ThreadFunneled, &level), "MPI_Init");
  check(mpi.setErrorHandler(mpi.world, mpi.errorsReturn), "MPI_Init");
  check(mpi.rank(mpi.world, &rank), "MPI_Init");
  check(mpi.size(mpi.world, &size), "MPI_Init");
  char version[MaxVersion] = "";
  int length = 0;
  check(mpi.libraryVersion(version, &length), "MPI_Init");
  std::string text(version);
  description = format("rank %d of %d, %s", rank, size,
                       printable(text.substr(0, text.find(','))).c_str());
  operands.resize(size);
  messages.reserve(2 * size);
}

void MpiTransport::check(int result, const char *what) const {
  if (result == Success)
    return;
  char text[MaxErrorString] = "unknown error";
  int length = 0;
  mpi.errorString(result, text, &length);
  fail(TXRT_PEER, "rank %d of %d: %s: %s", rank, size,
       printable(what).c_str(), printable(text).c_str());
}

void MpiTransport::send(const char *from, uint64_t bytes, int peer,
                        const char *what) {
  if (!bytes)
    return;
  messages.push_back({peer, nullptr});
  check(mpi.send(from, static_cast<int>(bytes), mpi.byte, peer, messageTag,
                 mpi.world, &messages.back().request),
        what);
}

void MpiTransport::receive(char *to, uint64_t bytes, int peer,
                           const char *what) {
  if (!bytes)
    return;
  messages.push_back({peer, nullptr});
  check(mpi.receive(to, static_cast<int>(bytes), mpi.byte, peer, messageTag,
                    mpi.world, &messages.back().request),
        what);
}

bool MpiTransport::isDone(Message &message, const char *what) const {
  int done = 0;
  check(mpi.test(&message.request, &done, nullptr), what);
  return done;
}

void MpiTransport::waitForAll(const char *what) {
  const Clock::time_point start = Clock::now();
  Clock::time_point stopSeen = {};
  for (uint64_t round = 0;; ++round) {
    messages.erase(std::remove_if(messages.begin(), messages.end(),
                                  [&](Message &m) { return isDone(m, what); }),
                   messages.end());
    if (messages.empty())
      return;
    // Ranks may share a CPU: the one that is waited for needs it.
    if (round < 1000) {
      sched_yield();
      continue;
    }
    const timespec pause = {0, 50000};
    nanosleep(&pause, nullptr);
    const Clock::time_point now = Clock::now();
    auto secondsSince = [&](Clock::time_point then) {
      return std::chrono::duration<double>(now - then).count();
    };
    if (options.timeout_seconds > 0 &&
        secondsSince(start) > options.timeout_seconds)
      giveUp(what, secondsSince(start), false);
    if (!options.stopping || !options.stopping())
      continue;
    if (stopSeen == Clock::time_point())
      stopSeen = now;
    if (secondsSince(stopSeen) > secondsToStop)
      giveUp(what, secondsSince(start), true);
  }
}

void MpiTransport::giveUp(const char *what, double seconds, bool stopped) {
  std::string missing;
  for (int peer = 0; peer < size; ++peer)
    if (std::any_of(messages.begin(), messages.end(),
                    [&](const Message &m) { return m.peer == peer; }))
      missing += (missing.empty() ? "" : ", ") + std::to_string(peer);
  fail(TXRT_PEER, "rank %d of %d: %s: no answer from rank %s for %.1f s%s",
       rank, size, printable(what).c_str(), missing.c_str(), seconds,
       stopped ? ", and this run is being ended: a rank was lost, or a signal "
                 "came"
               : ": it is stuck or much slower (see "
                 "--distributed-timeout-minutes)");
}

void MpiTransport::reducePiece(char *piece, uint64_t count, txrt_dtype dtype,
                               const char *what) {
  const uint64_t element = dtypeBytes(dtype);
  auto begin = [&](int owner) {
    return piece + count * uint64_t(owner) / uint64_t(size) * element;
  };
  auto bytes = [&](int owner) {
    return static_cast<uint64_t>(begin(owner + 1) - begin(owner));
  };
  char *room = scratch.data();
  for (int peer = 0; peer < size; ++peer) {
    operands[peer] = peer == rank ? begin(rank) : room;
    if (peer == rank)
      continue;
    receive(room, bytes(rank), peer, what);
    room += bytes(rank);
  }
  for (int peer = 0; peer < size; ++peer)
    if (peer != rank)
      send(begin(peer), bytes(peer), peer, what);
  waitForAll(what);
  sumInOrder(operands.data(), static_cast<unsigned>(size), begin(rank),
             bytes(rank) / element, dtype);
  for (int peer = 0; peer < size; ++peer)
    if (peer != rank)
      receive(begin(peer), bytes(peer), peer, what);
  for (int peer = 0; peer < size; ++peer)
    if (peer != rank)
      send(begin(rank), bytes(rank), peer, what);
  waitForAll(what);
}

void MpiTransport::allReduce(const char *from, char *to, uint64_t count,
                             txrt_dtype dtype, const char *what) {
  const uint64_t element = dtypeBytes(dtype);
  if (from != to)
    memmove(to, from, count * element);
  // All but its own share of a piece come into the scratch.
  const uint64_t most = scratchBytes / element;
  for (uint64_t at = 0; at < count; at += most)
    reducePiece(to + at * element, std::min(most, count - at), dtype, what);
}

MpiTransport &self(void *state) { return *static_cast<MpiTransport *>(state); }

} // namespace

extern "C" {
extern const txrt_transport txrt_mpi_transport;
const txrt_transport txrt_mpi_transport = {
    "mpi",
    launchedRanks,
    [](const txrt_world_options *options, void **state, txrt_error *error) {
      return guarded(error, [&] { *state = new MpiTransport(*options); });
    },
    [](void *state) {
      self(state).mpi.finalize();
      delete &self(state);
    },
    [](void *state) { return self(state).rank; },
    [](void *state) { return self(state).size; },
    [](void *state) { return self(state).description.c_str(); },
    [](void *state, const void *from, void *to, uint64_t count,
       txrt_dtype dtype, const char *what, txrt_error *error) {
      return guarded(error, [&] {
        self(state).allReduce(static_cast<const char *>(from),
                              static_cast<char *>(to), count, dtype, what);
      });
    },
    [](void *state, int code) { self(state).mpi.abort(self(state).mpi.world, code); },
};
}
