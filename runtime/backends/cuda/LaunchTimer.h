//===- LaunchTimer.h - The device's clock around each launch ---*- C++ -*-===//
//
// One event before the first launch of an entry and one behind each: a launch
// takes from the event before it to its own, with what it waits for in between.
//
// Never executed on a device.
//
//===----------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_LAUNCHTIMER_H
#define TXRT_BACKENDS_CUDA_LAUNCHTIMER_H

#include "backends/cuda/Device.h"
#include "txrt/backend.h"

#include <vector>

namespace txrt::cuda {

class LaunchTimer {
public:
  /// Makes as many events as the largest entry needs.
  LaunchTimer(const txrt_program &program, const Driver &driver);

  void begin(uint32_t entry, Stream stream);
  /// Behind launch `index`, the next one of the entry.
  void mark(Stream stream);
  /// After the stream was waited for.
  void read(uint32_t index, double &start, double &seconds) const;

private:
  double between(size_t from, size_t to) const;

  const txrt_program &program;
  const Driver &driver;
  std::vector<OwnedEvent> events;
  size_t marked = 0;
  uint32_t first = 0; // launch of the entry
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_LAUNCHTIMER_H
