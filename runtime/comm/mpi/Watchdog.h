//===- Watchdog.h - An end to a wait in somebody else's code --------------------------------------------*- C++ -*-===//

#ifndef TXRT_COMM_MPI_WATCHDOG_H
#define TXRT_COMM_MPI_WATCHDOG_H

#include "txrt/runtime.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace txrt {

/// While it lives: after the options' timeout, or when the run is being ended, it says `what` on stderr and ends the
/// process with TXRT_PEER.
class Watchdog {
public:
  Watchdog(std::string what, const txrt_world_options &options);
  ~Watchdog();

private:
  void watch(const std::string &what, const txrt_world_options &options);

  std::mutex mutex;
  std::condition_variable ended;
  bool isOver = false;
  std::thread thread;
};

} // namespace txrt

#endif // TXRT_COMM_MPI_WATCHDOG_H
