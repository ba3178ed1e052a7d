//===- CommunicationThread.h - Collectives beside the launches ------------------------------------------*- C++ -*-===//
//
//   thread.post(7);      // runs collective 7, behind those posted before
//   ... launches that do not touch its bytes ...
//   thread.waitFor(7);   // it and those before it are done, or it throws why not
//   thread.finish();     // all are
//
// Nothing is allocated after the constructor, unless one fails.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_HOST_COMMUNICATIONTHREAD_H
#define TXRT_BACKENDS_HOST_COMMUNICATIONTHREAD_H

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace txrt {

class CommunicationThread {
public:
  /// `work` runs the collective that is launch i of `launchCount`.
  CommunicationThread(uint32_t launchCount, std::function<void(uint32_t)> work);
  ~CommunicationThread();
  CommunicationThread(const CommunicationThread &) = delete;
  CommunicationThread &operator=(const CommunicationThread &) = delete;

  void post(uint32_t launch);
  void waitFor(uint32_t launch);
  void finish();

private:
  void loop();
  void waitUntil(uint64_t number, std::unique_lock<std::mutex> &lock);

  const std::function<void(uint32_t)> work;
  std::mutex mutex;
  std::condition_variable wake, progress;
  // Collectives are numbered in the order of their posting, from 1.
  std::vector<uint32_t> posted;    // since the last `finish`
  std::vector<uint64_t> numbers;   // of each launch, when it was posted last
  uint64_t done = 0, finished = 0; // up to here; when `finish` was called last
  std::exception_ptr failure;      // after which nothing runs
  bool stopping = false;
  std::thread thread;
};

} // namespace txrt

#endif // TXRT_BACKENDS_HOST_COMMUNICATIONTHREAD_H
