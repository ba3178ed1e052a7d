//===- MpiTransport.cpp - Ranks over MPI ----------------------------------------------------------------*- C++ -*-===//
//
// MPI carries bytes from one rank to another. Every wait of this transport has a timeout, and its error names the rank
// that is gone or stuck. A watchdog limits the waits inside of MPI, at the start and at the end of a run.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "comm/Environment.h"
#include "comm/Positions.h"
#include "comm/mpi/MpiApi.h"
#include "comm/mpi/Watchdog.h"
#include "core/Cpus.h"
#include "core/Failure.h"
#include "txrt/comm.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>
#include <vector>

using namespace txrt;
using namespace txrt::mpi;

namespace {

constexpr int messageTag = 0, positionTag = 1;
// How long a rank waits for answers to the question where the others are, and how often a rank that waits looks for
// such questions.
constexpr double secondsToAnswer = 1, secondsToListen = 0.01;
const char *const endOfRun = ", and this run is being ended: a rank was lost, or a signal came";
const char *const slowRank = ": stuck, or much slower (see "
                             "--distributed-timeout-minutes); ";

int launchedRanks() { return ranksFromEnvironment("OMPI_COMM_WORLD_SIZE"); }

/// How many seconds a rank still waits for other ranks once mpirun ends the run: much less than the time that mpirun
/// leaves before it sends SIGKILL.
double secondsToStop() {
  const int64_t left = numberFromEnvironment("OMPI_MCA_odls_base_sigkill_timeout", 0, 1 << 20, 1);
  return 0.5 * static_cast<double>(left);
}

void *symbol(void *library, const char *name) {
  void *address = dlsym(library, name);
  if (!address)
    fail(TXRT_PEER, "libmpi.so.40 has no %s: it is not Open MPI", name);
  return address;
}

Mpi open() {
  // RTLD_GLOBAL, because Open MPI's plugins look for the library's symbols among the global ones.
  void *library = dlopen("libmpi.so.40", RTLD_NOW | RTLD_GLOBAL);
  if (!library)
    fail(TXRT_PEER,
         "this is one of %d ranks, and there is no MPI: %s (Debian: "
         "libopenmpi3)",
         launchedRanks(), printable(dlerror()).c_str());
  Mpi mpi;
#define TXRT_LOAD(member, function, ...)                                                                               \
  mpi.member = reinterpret_cast<int (*)(__VA_ARGS__)>(symbol(library, #function));
  TXRT_MPI_FUNCTIONS(TXRT_LOAD)
#undef TXRT_LOAD
#define TXRT_LOAD(member, type, name, object) mpi.member = static_cast<type>(symbol(library, #object));
  TXRT_MPI_HANDLES(TXRT_LOAD)
#undef TXRT_LOAD
  return mpi;
}

double secondsSince(std::chrono::steady_clock::time_point then) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
}

class MpiTransport {
public:
  explicit MpiTransport(const txrt_world_options &options);

  void exchange(const txrt_message *list, uint32_t count, const char *what);
  void watch(const char *what, double seconds);
  void finish();

  const Mpi mpi = open();
  int rank = 0, size = 1;
  std::string description;
  bool takesThreads = false;

private:
  using Clock = std::chrono::steady_clock;
  struct Message {
    int peer;
    Request request;
  };

  void check(int result, const char *what) const;
  void waitForAll(const char *what);
  bool isDone(Message &message, const char *what) const;
  [[noreturn]] void giveUp(const char *what, double seconds, bool stopped);

  bool isStopped();
  void tell(int peer, bool asks);
  void listen(const char *what);
  std::string askAll(const char *what);

  const txrt_world_options options;
  std::vector<Message> messages;     // of this exchange, not yet done
  Clock::time_point stopSeen = {};   // when this rank saw that the launcher ends the run
  std::vector<PositionMessage> told; // the last position message to each rank; MPI may still be sending it
  Positions positions{0, 0};
  const char *doing = "";
  Clock::time_point listened = {};
};

MpiTransport::MpiTransport(const txrt_world_options &options) : options(options) {
  int level = 0;
  {
    Watchdog watchdog("MPI_Init: not all ranks have come", options);
    check(mpi.initThread(nullptr, nullptr, ThreadSerialized, &level), "MPI_Init");
  }
  takesThreads = level >= ThreadSerialized;
  check(mpi.setErrorHandler(mpi.world, mpi.errorsReturn), "MPI_Init");
  check(mpi.rank(mpi.world, &rank), "MPI_Init");
  check(mpi.size(mpi.world, &size), "MPI_Init");
  char version[MaxVersion] = "";
  int length = 0;
  check(mpi.libraryVersion(version, &length), "MPI_Init");
  std::string text(version);
  description = format("rank %d of %d, %s", rank, size, printable(text.substr(0, text.find(','))).c_str());
  messages.reserve(2 * static_cast<size_t>(size));
  told.resize(static_cast<size_t>(size));
  positions = Positions(rank, size);
}

void MpiTransport::check(int result, const char *what) const {
  if (result == Success)
    return;
  char text[MaxErrorString] = "unknown error";
  int length = 0;
  mpi.errorString(result, text, &length);
  fail(TXRT_PEER, "rank %d of %d: %s: %s", rank, size, printable(what).c_str(), printable(text).c_str());
}

void MpiTransport::exchange(const txrt_message *list, uint32_t count, const char *what) {
  positions.clear();
  // Start the receives first, so that incoming messages have their memory.
  for (int sends = 0; sends < 2; ++sends)
    for (uint32_t i = 0; i < count; ++i) {
      const txrt_message &message = list[i];
      if (message.sends != sends)
        continue;
      messages.push_back({message.peer, nullptr});
      Request *request = &messages.back().request;
      const int bytes = static_cast<int>(message.bytes);
      check(sends ? mpi.send(message.data, bytes, mpi.byte, message.peer, messageTag, mpi.world, request)
                  : mpi.receive(message.data, bytes, mpi.byte, message.peer, messageTag, mpi.world, request),
            what);
    }
  waitForAll(what);
}

void MpiTransport::finish() {
  Watchdog watchdog("MPI_Finalize: not all ranks have come", options);
  mpi.finalize();
}

bool MpiTransport::isDone(Message &message, const char *what) const {
  int done = 0;
  check(mpi.test(&message.request, &done, nullptr), what);
  return done;
}

void MpiTransport::waitForAll(const char *what) {
  const Clock::time_point start = Clock::now();
  stopSeen = {};
  for (uint64_t round = 0;; ++round) {
    messages.erase(std::remove_if(messages.begin(), messages.end(), [&](Message &m) { return isDone(m, what); }),
                   messages.end());
    if (messages.empty())
      return;
    // Ranks may share a CPU: give it to the rank that this one waits for.
    if (round < 1000) {
      sched_yield();
      continue;
    }
    const timespec pause = {0, 50000};
    nanosleep(&pause, nullptr);
    listen(what);
    const double seconds = secondsSince(start);
    if (options.timeout_seconds > 0 && seconds > options.timeout_seconds)
      giveUp(what, seconds, false);
    if (isStopped())
      giveUp(what, seconds, true);
  }
}

/// Whether somebody ends the run, and the time that ranks still have to answer is over.
bool MpiTransport::isStopped() {
  if (!options.stopping || !options.stopping())
    return false;
  if (stopSeen == Clock::time_point())
    stopSeen = Clock::now();
  return secondsSince(stopSeen) > secondsToStop();
}

/// MPI does not tell when a rank is gone: mpirun then ends the run. So this only looks at that and at the timeout.
void MpiTransport::watch(const char *what, double seconds) {
  listen(what);
  const bool stopped = isStopped();
  if (stopped || (options.timeout_seconds > 0 && seconds > options.timeout_seconds))
    fail(TXRT_PEER, "rank %d of %d: %s: not done after %.1f s%s%s", rank, size, printable(what, 120).c_str(), seconds,
         stopped ? endOfRun : slowRank, stopped ? "" : askAll(what).c_str());
}

/// Sends a position message. It is so small that MPI takes it at once, so the send needs no wait.
void MpiTransport::tell(int peer, bool asks) {
  PositionMessage &message = told[static_cast<size_t>(peer)];
  message = {asks, doing};
  Request request = nullptr;
  int done = 0;
  if (mpi.send(&message, sizeof message, mpi.byte, peer, positionTag, mpi.world, &request) == Success)
    (void)mpi.test(&request, &done, nullptr);
}

/// Receives the position messages of other ranks, and answers those who ask.
void MpiTransport::listen(const char *what) {
  if (secondsSince(listened) < secondsToListen)
    return;
  listened = Clock::now();
  doing = what;
  for (int peer = 0; peer < size; ++peer)
    for (int is = 1; peer != rank && is;) {
      PositionMessage message;
      if (mpi.probe(peer, positionTag, mpi.world, &is, nullptr) != Success || !is ||
          mpi.receiveNow(&message, sizeof message, mpi.byte, peer, positionTag, mpi.world, nullptr) != Success)
        break;
      positions.hear(peer, message);
      if (message.asks)
        tell(peer, false);
    }
}

/// Asks all ranks where they are, waits secondsToAnswer for their answers, and returns the report.
std::string MpiTransport::askAll(const char *what) {
  doing = what;
  for (int peer = 0; peer < size; ++peer)
    if (peer != rank && !positions.isKnown(peer))
      tell(peer, true);
  for (const auto start = Clock::now(); secondsSince(start) < secondsToAnswer;) {
    bool isAwaited = false;
    for (int peer = 0; peer < size; ++peer)
      isAwaited |= peer != rank && !positions.isKnown(peer);
    if (!isAwaited)
      break;
    const timespec pause = {0, 10000000};
    nanosleep(&pause, nullptr);
    listen(what);
  }
  return positions.report(what);
}

void MpiTransport::giveUp(const char *what, double seconds, bool stopped) {
  std::string missing;
  for (int peer = 0; peer < size; ++peer)
    if (std::any_of(messages.begin(), messages.end(), [&](const Message &m) { return m.peer == peer; }))
      missing += (missing.empty() ? "" : ", ") + std::to_string(peer);
  fail(TXRT_PEER, "rank %d of %d: %s: no answer from rank %s for %.1f s%s%s", rank, size, printable(what, 120).c_str(),
       missing.c_str(), seconds, stopped ? endOfRun : slowRank, stopped ? "" : askAll(what).c_str());
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
      self(state).finish();
      delete &self(state);
    },
    [](void *state) { return self(state).rank; },
    [](void *state) { return self(state).size; },
    [](void *) {
      // mpirun binds each rank to CPUs of its own, unless the user forbids it.
      return isBoundToCpus() ? 1 : std::max(1, ranksFromEnvironment("OMPI_COMM_WORLD_LOCAL_SIZE"));
    },
    [](void *state) {
      const int ranks = self(state).size;
      return static_cast<int>(numberFromEnvironment("OMPI_COMM_WORLD_LOCAL_RANK", 0, ranks - 1, 0));
    },
    [](void *state) { return self(state).description.c_str(); },
    [](void *state, const txrt_message *messages, uint32_t count, const char *what, txrt_error *error) {
      return guarded(error, [&] { self(state).exchange(messages, count, what); });
    },
    [](void *state) { return int(self(state).takesThreads); },
    [](void *state, const char *what, double seconds, txrt_error *error) {
      return guarded(error, [&] { self(state).watch(what, seconds); });
    },
    [](void *state, int code, const char *) {
      // MPI_Abort takes a while to end the other ranks, and might never return.
      alarm(5);
      self(state).mpi.abort(self(state).mpi.world, code);
      _Exit(code);
    },
};
}
