//===- DeviceFile.h - A machine's times as a file for tx-compile's --device -----------------------------*- C++ -*-===//
//
//   DeviceTimes times;
//   times.add(launches);                          // of each profiled iteration, in the order in which they ran
//   writeDevice(times, machine, "machine.json", /*merge=*/false);
//
// docs/Devices.md describes the file.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_DEVICEFILE_H
#define TXRUN_DEVICEFILE_H

#include "txrt/runtime.h"

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace txrun {

/// The times of launches by their shapes.
class DeviceTimes {
public:
  /// dtype, transpose_a, transpose_b, m, n, k, batch
  using ProductKey = std::tuple<std::string, bool, bool, uint64_t, uint64_t, uint64_t, uint64_t>;
  /// kind, flops, buffers
  using KernelKey = std::tuple<std::string, uint64_t, uint64_t>;

  struct Kernel {
    uint64_t bytes = 0;
    std::vector<double> seconds;
  };

  /// Adds the launches of one run of an entry.
  void add(const std::vector<txrt_launch_info> &launches);

  std::map<ProductKey, std::vector<double>> products;
  std::map<KernelKey, Kernel> kernels;
  std::vector<double> gaps; // seconds between the end of a launch and the begin of the next
};

/// What the runtime knows of the machine beside times.
struct Machine {
  std::string description; // of the session
  txrt_device_memory memory = {};
};

/// Replaces the file by what was measured. With `merge` keeps what the old file has of other shapes; fails if the old
/// one is of another machine.
void writeDevice(const DeviceTimes &times, const Machine &machine, const std::string &path, bool merge);

} // namespace txrun

#endif // TXRUN_DEVICEFILE_H
