//===- LaunchTimer.h - The device's clock around each launch --------------------------------------------*- C++ -*-===//
//
// Times launches by events: one before and one after each launch, on the stream that it runs on, and one at the start
// of the entry.
//
// Never executed on a device.
//
//===--------------------------------------------------------------------------------------------------------------===//

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

  /// An entry begins. If it is not `timed`, markStart and markEnd do nothing until the next entry.
  void begin(uint32_t entry, bool timed, Stream stream);
  void markStart(uint32_t launch, Stream stream) const { mark(launch, 0, stream); }
  void markEnd(uint32_t launch, Stream stream) const { mark(launch, 1, stream); }
  /// When a launch began, in seconds after its entry, and how many seconds it took. Call it when both streams are done.
  void read(uint32_t launch, double &start, double &seconds) const;

private:
  void mark(uint32_t launch, size_t end, Stream stream) const;
  size_t place(uint32_t launch) const { return 1 + 2 * size_t(launch - first); }
  double between(size_t from, size_t to) const;

  const txrt_program &program;
  const Driver &driver;
  std::vector<OwnedEvent> events; // the entry's start; then two for each launch
  bool isOn = false;
  uint32_t first = 0; // the entry's first launch
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_LAUNCHTIMER_H
