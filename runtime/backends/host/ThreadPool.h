//===- ThreadPool.h - The process's only threads --------------------------------------------------------*- C++ -*-===//
//
//   pool.run(taskCount, [](void *context, uint64_t task) { ... }, &context);
//
// The workers and the caller claim tasks one by one from an atomic counter, so a slow core takes fewer. Which thread
// runs a task never changes its result. `run` allocates nothing. Only one thread may call `run` at a time.
//
// A launch takes tens of microseconds. So a worker that runs out of tasks first watches for the next launch, and sleeps
// after a while: if it watched for ever, it would take its core from other processes; if it slept at once, every launch
// would cost a wake-up (docs/Rationale/cpu-gemm.md has the measurements).
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

  /// Starts `threads` - 1 workers: the caller is a thread of the pool too. Fails if the system does not start them.
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

  // The ticket is (run << 32 | next task), or (run << 32 | 2^32 - 1) while the fields below it change. A thread claims
  // a task with a compare-exchange on the whole ticket. It succeeds only if this task of this run is still unclaimed,
  // so the three fields that the thread has read before belong to this run.
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
