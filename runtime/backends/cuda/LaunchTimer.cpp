#include "backends/cuda/LaunchTimer.h"

#include <algorithm>

using namespace txrt;
using namespace txrt::cuda;

LaunchTimer::LaunchTimer(const txrt_program &program, const Driver &driver) : program(program), driver(driver) {
  uint32_t most = 0;
  for (uint32_t e = 0; e < program.entry_count; ++e)
    most = std::max(most, program.entries[e].launch_count);
  for (size_t i = 0; i < 1 + 2 * size_t(most); ++i) {
    events.emplace_back(driver);
    driver.check(driver.eventCreate(&events.back(), 0), "event");
  }
}

void LaunchTimer::begin(uint32_t entry, bool timed, Stream stream) {
  isOn = timed;
  first = program.entries[entry].first_launch;
  if (isOn)
    driver.check(driver.eventRecord(events[0], stream), "event");
}

void LaunchTimer::mark(uint32_t launch, size_t end, Stream stream) const {
  if (isOn)
    driver.check(driver.eventRecord(events[place(launch) + end], stream), "event");
}

double LaunchTimer::between(size_t from, size_t to) const {
  float milliseconds = 0;
  driver.check(driver.eventElapsedTime(&milliseconds, events[from], events[to]), "event");
  return double(milliseconds) * 1e-3;
}

void LaunchTimer::read(uint32_t launch, double &start, double &seconds) const {
  start = between(0, place(launch));
  seconds = between(place(launch), place(launch) + 1);
}
