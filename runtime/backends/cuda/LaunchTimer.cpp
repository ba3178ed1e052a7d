#include "backends/cuda/LaunchTimer.h"

#include <algorithm>

using namespace txrt;
using namespace txrt::cuda;

LaunchTimer::LaunchTimer(const txrt_program &program, const Driver &driver)
    : program(program), driver(driver) {
  uint32_t most = 0;
  for (uint32_t e = 0; e < program.entry_count; ++e)
    most = std::max(most, program.entries[e].launch_count);
  for (uint32_t i = 0; i <= most; ++i) {
    events.emplace_back(driver);
    driver.check(driver.eventCreate(&events.back(), 0), "event");
  }
}

void LaunchTimer::begin(uint32_t entry, Stream stream) {
  first = program.entries[entry].first_launch;
  marked = 0;
  mark(stream);
}

void LaunchTimer::mark(Stream stream) {
  driver.check(driver.eventRecord(events[marked++], stream), "event");
}

double LaunchTimer::between(size_t from, size_t to) const {
  float milliseconds = 0;
  driver.check(
      driver.eventElapsedTime(&milliseconds, events[from], events[to]),
      "event");
  return double(milliseconds) * 1e-3;
}

void LaunchTimer::read(uint32_t index, double &start, double &seconds) const {
  const size_t at = index - first;
  start = between(0, at);
  seconds = between(at, at + 1);
}
