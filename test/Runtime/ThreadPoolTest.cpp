#include "backends/host/ThreadPool.h"
#include "core/Cpus.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>

using namespace txrt;

namespace {
struct Counts {
  explicit Counts(uint64_t size) : of(new std::atomic<int>[size]()) {}
  std::unique_ptr<std::atomic<int>[]> of;
};

void count(void *context, uint64_t task) { static_cast<Counts *>(context)->of[task].fetch_add(1); }
} // namespace

TEST(ThreadPool, EveryTaskOnce) {
  for (unsigned threads = 1; threads <= 5; ++threads) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (uint64_t tasks : {0, 1, 2, 3, 17, 1000, 100000}) {
      Counts counts(tasks + 1);
      pool.run(tasks, count, &counts);
      for (uint64_t i = 0; i < tasks; ++i)
        ASSERT_EQ(counts.of[i], 1) << "task " << i << " of " << tasks;
      EXPECT_EQ(counts.of[tasks], 0);
    }
  }
}

// Runs of changing size right after each other: a worker that comes late to one run must not take tasks of the next
// with the old function.
TEST(ThreadPool, ManyShortRuns) {
  ThreadPool pool(4);
  Counts counts(8);
  uint64_t expected[8] = {};
  for (int run = 0; run < 200000; ++run) {
    uint64_t tasks = static_cast<uint64_t>(run % 8);
    pool.run(tasks, count, &counts);
    for (uint64_t i = 0; i < tasks; ++i)
      ++expected[i];
  }
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(static_cast<uint64_t>(counts.of[i]), expected[i]);
}

// After a pause the workers sleep; the next run wakes them.
TEST(ThreadPool, RunsAfterSleep) {
  ThreadPool pool(3);
  for (int i = 0; i < 20; ++i) {
    Counts counts(64);
    pool.run(64, count, &counts);
    for (int task = 0; task < 64; ++task)
      ASSERT_EQ(counts.of[task], 1);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

// A caller that waits for a slow task sleeps, and is woken.
TEST(ThreadPool, SlowTasks) {
  ThreadPool pool(3);
  for (int i = 0; i < 20; ++i) {
    std::atomic<int> done{0};
    pool.run(
        3,
        [](void *context, uint64_t task) {
          std::this_thread::sleep_for(std::chrono::microseconds(500 * task));
          static_cast<std::atomic<int> *>(context)->fetch_add(1);
        },
        &done);
    ASSERT_EQ(done, 3);
  }
}

TEST(ThreadPool, UsableCpus) {
  EXPECT_GE(usableCpus(), 1u);
  EXPECT_LE(usableCpus(), std::max(1u, std::thread::hardware_concurrency()));
}
