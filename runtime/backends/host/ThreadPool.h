//===- ThreadPool.h - The process's only threads --------------------------------------------------------*- C++ -*-===//
//
//   pool.run(taskCount, [](void *context, uint64_t task) { ... }, &context);
//
// Tasks are claimed one by one from an atomic counter, by the caller too, so a slow core takes fewer. Which thread runs
// a task never changes its result. Nothing is allocated by `run`. One `run` at a time.
//
// A launch is tens of microseconds, so a worker that runs out of tasks first watches for the next launch, then sleeps:
// idle spinning takes the core from whoever competes, sleeping at once costs a wake-up for every launch
// (docs/Rationale/cpu-gemm.md has the measurements).
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_HOST_THREADPOOL_H
#define TXRT_BACKENDS_HOST_THREADPOOL_H

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace txrt {

class ThreadPool {
public:
  using Task = void (*)(void *context, uint64_t task);

  /// `threads` counts the caller; fails when the system gives fewer.
  explicit ThreadPool(unsigned threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool &) = delete;
  ThreadPool &operator=(const ThreadPool &) = delete;

  unsigned threads() const { return static_cast<unsigned>(workers.size()) + 1; }

  /// Runs task(context, i) for every i < count and returns when all are done. `count` is below 2^32.
  void run(uint64_t count, Task task, void *context);

private:
  void work();
  void runTasks(uint64_t ticket);
  void stop();

  // The ticket is (run << 32 | next task), or (run << 32 | 2^32 - 1) while the
  // fields below it change. A claim is a compare-exchange on the whole of it:
  // it succeeds only while that very task of that very run is unclaimed, so
  // the three fields read before it belong to that run.
  alignas(64) std::atomic<uint64_t> ticket{0};
  std::atomic<uint64_t> count{0};
  std::atomic<Task> task{nullptr};
  std::atomic<void *> context{nullptr};
  alignas(64) std::atomic<uint64_t> done{0};
  alignas(64) std::atomic<uint32_t> wake{0}; // futex: changes with each run
  std::atomic<uint32_t> sleepers{0};
  std::atomic<uint32_t> finished{0}; // futex: the caller sleeps on it
  std::atomic<bool> callerSleeps{false};
  std::atomic<bool> stopping{false};
  std::vector<std::thread> workers;
};

} // namespace txrt

#endif // TXRT_BACKENDS_HOST_THREADPOOL_H
