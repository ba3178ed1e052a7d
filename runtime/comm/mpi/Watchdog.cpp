#include "comm/mpi/Watchdog.h"
#include "core/Failure.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <unistd.h>

using namespace txrt;

Watchdog::Watchdog(std::string what, const txrt_world_options &options) {
  // The watchdog's thread blocks all signals, so that they reach the thread that is inside of MPI.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread = std::thread([this, what = std::move(what), options] { watch(what, options); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Watchdog::~Watchdog() {
  {
    std::lock_guard<std::mutex> lock(mutex);
    isOver = true;
  }
  ended.notify_one();
  thread.join();
}

void Watchdog::watch(const std::string &what, const txrt_world_options &options) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  std::unique_lock<std::mutex> lock(mutex);
  while (!ended.wait_for(lock, std::chrono::milliseconds(100), [&] { return isOver; })) {
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    const bool stops = options.stopping && options.stopping();
    if (!stops && (options.timeout_seconds <= 0 || seconds < options.timeout_seconds))
      continue;
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    const std::string text = format("error: rank %s: %s after %.1f s%s\n", printable(rank ? rank : "?").c_str(),
                                    what.c_str(), seconds, stops ? ", and this run is being ended" : "");
    (void)!write(STDERR_FILENO, text.data(), text.size());
    _exit(TXRT_PEER);
  }
}
