//===- Interrupt.cpp - Ctrl-C finishes the step -------------------------------------------------------------------===//

#include "Interrupt.h"
#include "txrt/runtime.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>
#include <unistd.h>

namespace txrun {

// Seconds to wait after a signal while no work is under way that would be lost.
static constexpr unsigned moment = 2;

static volatile std::sig_atomic_t seen = 0;
// A signal handler reads it, so it must not take a lock.
static std::atomic<unsigned> patience{moment};
static_assert(std::atomic<unsigned>::is_always_lock_free);

static void onSignal(int signal) {
  if (seen)
    ::_exit(TXRT_INTERRUPTED);
  seen = signal;
  ::alarm(patience);
}

/// The work did not look in time. A signal handler must not throw, and the main thread may hold any lock, so it only
/// writes a message and ends the process.
static void onAlarm(int) {
  static const char text[] = "tx-run: error: interrupted, and what ran did not come to an end in time: "
                             "left; files are as they were saved last\n";
  (void)!::write(STDERR_FILENO, text, sizeof text - 1);
  ::_exit(TXRT_INTERRUPTED);
}

static void handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  ::sigaction(signal, &action, nullptr);
}

void catchInterrupts() {
  handle(SIGALRM, onAlarm);
  handle(SIGINT, onSignal);
  handle(SIGTERM, onSignal);
  struct sigaction before = {};
  ::sigaction(SIGHUP, nullptr, &before);
  if (before.sa_handler != SIG_IGN)
    handle(SIGHUP, onSignal);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN); // write() then returns an error at a file size limit too
  // The process that started this one may have blocked the signals.
  sigset_t ours;
  sigemptyset(&ours);
  for (int signal : {SIGALRM, SIGINT, SIGTERM, SIGHUP})
    sigaddset(&ours, signal);
  ::sigprocmask(SIG_UNBLOCK, &ours, nullptr);
}

/// If a signal has come, starts the waiting time anew.
static void restart() {
  if (seen)
    ::alarm(patience);
}

bool interrupted() {
  restart();
  return seen != 0;
}

bool terminated() { return seen == SIGTERM; }

static unsigned wholeSeconds(double seconds) { return static_cast<unsigned>(std::ceil(std::clamp(seconds, 0.0, 1e9))); }

Patience::Patience(double seconds) : before(patience.exchange(wholeSeconds(seconds))) { restart(); }

Patience::~Patience() {
  patience = before;
  restart();
}

void Patience::set(double seconds) {
  patience = wholeSeconds(seconds);
  restart();
}

} // namespace txrun
