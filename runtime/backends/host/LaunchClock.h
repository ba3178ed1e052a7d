//===- LaunchClock.h - When each launch ran -------------------------------------------------------------*- C++ -*-===//
//
// The thread that runs a launch also times it; launches may run beside each other. After the constructor it allocates
// nothing.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_HOST_LAUNCHCLOCK_H
#define TXRT_BACKENDS_HOST_LAUNCHCLOCK_H

#include <chrono>
#include <cstdint>
#include <vector>

namespace txrt {

class LaunchClock {
public:
  explicit LaunchClock(uint32_t launchCount) : spans(launchCount) {}

  /// An entry begins.
  void begin(bool timed) {
    isOn = timed;
    began = Clock::now();
  }
  template <typename Work> void around(uint32_t launch, Work work) {
    if (!isOn)
      return work();
    const Clock::time_point start = Clock::now();
    work();
    spans[launch] = {start, Clock::now()};
  }
  /// When a launch began, in seconds after its entry, and how many seconds it took. Call them after all launches of a
  /// timed entry.
  double start(uint32_t launch) const { return seconds(spans[launch].start - began); }
  double taken(uint32_t launch) const { return seconds(spans[launch].end - spans[launch].start); }

private:
  using Clock = std::chrono::steady_clock;
  struct Span {
    Clock::time_point start, end;
  };
  static double seconds(Clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

  std::vector<Span> spans; // of each launch
  Clock::time_point began;
  bool isOn = false;
};

} // namespace txrt

#endif // TXRT_BACKENDS_HOST_LAUNCHCLOCK_H
