//===- Watchdog.h - A timeout for a wait inside of MPI --------------------------------------------------*- C++ -*-===//

#ifndef TXRT_COMM_MPI_WATCHDOG_H
#define TXRT_COMM_MPI_WATCHDOG_H

#include "txrt/runtime.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace txrt {

/// While this object lives, its thread waits for the options' timeout, or until somebody ends the run. Then it prints
/// an error with `what` to stderr and ends the process with exit code TXRT_PEER.
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
