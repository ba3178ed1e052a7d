//===- Interrupt.cpp - Ctrl-C finishes the step ---------------------------===//

#include "Interrupt.h"
#include "txrt/runtime.h"

#include <csignal>
#include <unistd.h>

namespace txrun {

static volatile std::sig_atomic_t seen = 0;

static void onSignal(int signal) {
  if (seen)
    ::_exit(TXRT_INTERRUPTED);
  seen = signal;
}

void catchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = onSignal;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN); // a file size limit is an error of write too
}

bool interrupted() { return seen != 0; }
bool terminated() { return seen == SIGTERM; }

} // namespace txrun
