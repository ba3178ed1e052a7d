//===- CommunicationThread.h - Collectives beside the launches ------------------------------------------*- C++ -*-===//
//
//   thread.post(7);      // runs the collective of launch 7, after those posted before
//   ... launches that do not touch its bytes ...
//   thread.waitFor(7);   // waits until it and those before it are done; throws if one has failed
//   thread.finish();     // waits for all
//
// After the constructor it allocates nothing, unless a collective fails.
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
  /// `work(i)` must run the collective of launch i, i < launchCount. The thread calls it.
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
  std::vector<uint32_t> posted;    // the launches posted since the last `finish`
  std::vector<uint64_t> numbers;   // for each launch, its number when it was posted last
  uint64_t done = 0, finished = 0; // the number of the last collective that is done, now and at the last `finish`
  std::exception_ptr failure;      // a collective's failure; after it nothing runs
  bool stopping = false;
  std::thread thread;
};

} // namespace txrt

#endif // TXRT_BACKENDS_HOST_COMMUNICATIONTHREAD_H
