#include "backends/host/CommunicationThread.h"
#include "core/Failure.h"

#include <system_error>

using namespace txrt;

using Lock = std::unique_lock<std::mutex>;

CommunicationThread::CommunicationThread(uint32_t launchCount, std::function<void(uint32_t)> work)
    : work(std::move(work)), numbers(launchCount) {
  posted.reserve(launchCount);
  try {
    thread = std::thread([this] { loop(); });
  } catch (const std::system_error &error) {
    fail(TXRT_USAGE, "the system gives no thread for collectives: %s", error.what());
  }
}

CommunicationThread::~CommunicationThread() {
  {
    Lock lock(mutex);
    stopping = true;
  }
  wake.notify_one();
  thread.join();
}

void CommunicationThread::loop() {
  Lock lock(mutex);
  for (;;) {
    wake.wait(lock, [&] { return stopping || (!failure && done < finished + posted.size()); });
    if (stopping)
      return;
    const uint32_t launch = posted[done - finished];
    lock.unlock();
    std::exception_ptr thrown;
    try {
      work(launch);
    } catch (...) {
      thrown = std::current_exception();
    }
    lock.lock();
    if (thrown)
      failure = thrown;
    else
      ++done;
    progress.notify_one();
  }
}

void CommunicationThread::post(uint32_t launch) {
  {
    Lock lock(mutex);
    posted.push_back(launch);
    numbers[launch] = finished + posted.size();
  }
  wake.notify_one();
}

void CommunicationThread::waitUntil(uint64_t number, Lock &lock) {
  progress.wait(lock, [&] { return failure || done >= number; });
  if (done < number)
    std::rethrow_exception(failure);
}

void CommunicationThread::waitFor(uint32_t launch) {
  Lock lock(mutex);
  waitUntil(numbers[launch], lock);
}

void CommunicationThread::finish() {
  Lock lock(mutex);
  waitUntil(finished + posted.size(), lock);
  posted.clear();
  finished = done;
}
