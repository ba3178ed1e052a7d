//===- Seconds.h - How long a step takes on a device ----------------------------------------------------*- C++ -*-===//
//
//   LaunchTimer timer(step, device);
//   double seconds = timer.secondsOf(entry, launch);         // one launch
//   Seconds seconds = computeSeconds(entry, schedule, timer); // all of an entry
//
// A launch takes the time that was measured of its shape on the device; else the work of it at the rate that was
// measured of similar shapes; else what the device's rates say, of arithmetic or of memory, whichever is slower.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_PLAN_SECONDS_H
#define TX_PLAN_SECONDS_H

#include "tx/Plan/Device.h"
#include "tx/Plan/Schedule.h"

#include <map>
#include <string>
#include <utility>

namespace tx::plan {

/// Where a time comes from: the launch's own shape was measured on the device, similar ones were, or neither.
enum class TimeSource { Measured, Between, Rates };

class LaunchTimer {
public:
  /// Both must outlive the timer.
  LaunchTimer(const Step &step, const Device &device) : step(step), device(device) {}

  /// The seconds that the launch takes alone. A view takes none.
  double secondsOf(const Entry &entry, const Launch &launch);

  /// How many shapes of products were met so far, by where their times come from.
  int countProducts(TimeSource source) const;

  const Device &getDevice() const { return device; }

private:
  double secondsOfProduct(const Entry &entry, const Op &op);
  double secondsOfKernel(const Entry &entry, const Launch &launch) const;
  double secondsOfCollective(const Op &op) const;
  double secondsOfBias(const Entry &entry, const Product &product) const;
  std::optional<double> findKernel(const std::string &kind, double amount, double buffers) const;
  ElementType getType(const Entry &entry, int value) const { return step.types[entry.values[value].type].element; }

  const Step &step;
  const Device &device;
  /// By kind and m, n, k, batch.
  std::map<std::pair<ProductKind, Samples::Sizes>, std::pair<double, TimeSource>> products;
};

/// What a device file calls a kernel: how it loops, the op with most work, and bf16 if it touches such a tensor:
/// `row gelu`, `row gelu bf16`. tx-run --write-device names what it measures in the same way.
std::string getKernelKind(const Step &step, const Entry &entry, const Launch &launch);

/// The bytes that a kernel moves if caches hold what it needs twice. Of a tensor that has more rows than the kernel,
/// such as a table of embeddings, it takes as many rows as it has itself.
int64_t getMovedBytes(const Entry &entry, const Launch &launch);

/// Seconds by the part of the step that the work is for. Work for gradients counts as backward, wherever it runs.
struct Seconds {
  double forward = 0, backward = 0, recompute = 0, optimizer = 0;

  double getTotal() const { return forward + backward + recompute + optimizer; }
  Seconds &operator+=(const Seconds &other);
};

/// How long the entry takes. Launches of a lane run one after another; lanes run side by side, and a launch waits for
/// what it reads. A collective so costs what no computation hides.
Seconds computeSeconds(const Entry &entry, const Schedule &schedule, LaunchTimer &timer);

} // namespace tx::plan

#endif // TX_PLAN_SECONDS_H
