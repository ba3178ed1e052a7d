#include "backends/host/ThreadPool.h"
#include "core/Failure.h"

#include <chrono>
#include <climits>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <system_error>
#include <unistd.h>

using namespace txrt;

// How long a thread watches for the next launch before it sleeps. The time between two launches is a few microseconds
// at most.
static constexpr std::chrono::microseconds watchTime{30};

static void futexWait(std::atomic<uint32_t> &word, uint32_t expected) {
  syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

static void futexWake(std::atomic<uint32_t> &word, int count) {
  syscall(SYS_futex, reinterpret_cast<uint32_t *>(&word), FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

static void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Watches for watchTime at most; returns true as soon as `condition` holds.
template <typename Condition> static bool watch(Condition condition) {
  using clock = std::chrono::steady_clock;
  const clock::time_point end = clock::now() + watchTime;
  do {
    for (int i = 0; i < 32; ++i) {
      if (condition())
        return true;
      relax();
    }
  } while (clock::now() < end);
  return condition();
}

ThreadPool::ThreadPool(unsigned threads) {
  try {
    for (unsigned i = 1; i < threads; ++i)
      workers.emplace_back([this] { work(); });
  } catch (const std::system_error &error) {
    size_t got = workers.size() + 1;
    stop();
    fail(TXRT_USAGE, "asked for %u threads, the system gives %zu: %s", threads, got, error.what());
  }
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  stopping.store(true);
  wake.fetch_add(1);
  futexWake(wake, INT_MAX);
  for (std::thread &worker : workers)
    worker.join();
  workers.clear();
}

void ThreadPool::run(uint64_t tasks, Task function, void *argument) {
  if (workers.empty() || tasks <= 1) {
    for (uint64_t i = 0; i < tasks; ++i)
      function(argument, i);
    return;
  }
  // Close the last run's ticket before the fields change. Otherwise a late worker that still sees the exhausted ticket
  // of the last run could compare it with the new count and take it for a task.
  const uint64_t last = ticket.load(std::memory_order_relaxed) >> 32;
  ticket.store(last << 32 | UINT32_MAX, std::memory_order_relaxed);
  count.store(tasks, std::memory_order_release);
  task.store(function, std::memory_order_release);
  context.store(argument, std::memory_order_release);
  done.store(0, std::memory_order_relaxed);
  const uint64_t current = (last + 1) << 32;
  ticket.store(current, std::memory_order_release);
  wake.fetch_add(1);
  if (sleepers.load())
    futexWake(wake, INT_MAX);

  runTasks(current);
  auto complete = [&] { return done.load(std::memory_order_acquire) == tasks; };
  while (!watch(complete)) {
    uint32_t seen = finished.load();
    callerSleeps.store(true);
    if (!complete())
      futexWait(finished, seen);
    callerSleeps.store(false);
  }
}

/// Claims and runs tasks of the run that the ticket `seen` belongs to, until there are none.
void ThreadPool::runTasks(uint64_t seen) {
  const uint64_t run = seen >> 32;
  while (seen >> 32 == run) {
    const uint64_t tasks = count.load(std::memory_order_acquire);
    const Task function = task.load(std::memory_order_acquire);
    void *const argument = context.load(std::memory_order_acquire);
    const uint64_t index = seen & UINT32_MAX;
    if (index >= tasks)
      return;
    if (!ticket.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel, std::memory_order_acquire))
      continue;
    function(argument, index);
    if (done.fetch_add(1, std::memory_order_acq_rel) + 1 == tasks) {
      finished.fetch_add(1);
      if (callerSleeps.load())
        futexWake(finished, 1);
      return;
    }
    seen = ticket.load(std::memory_order_acquire);
  }
}

void ThreadPool::work() {
  uint64_t lastRun = 0;
  for (;;) {
    uint32_t seenWake = wake.load();
    auto news = [&] {
      return ticket.load(std::memory_order_acquire) >> 32 != lastRun || stopping.load(std::memory_order_relaxed);
    };
    if (!watch(news)) {
      sleepers.fetch_add(1);
      if (!news())
        futexWait(wake, seenWake);
      sleepers.fetch_sub(1);
    }
    if (stopping.load())
      return;
    uint64_t current = ticket.load(std::memory_order_acquire);
    lastRun = current >> 32;
    runTasks(current);
  }
}
