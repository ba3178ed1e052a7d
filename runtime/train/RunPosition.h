//===- RunPosition.h - Where a run stands ---------------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_TRAIN_RUNPOSITION_H
#define TXRT_TRAIN_RUNPOSITION_H

#include <cstdint>
#include <map>
#include <string>

namespace txrt::train {

/// A step takes its number as i32, and that of the next one must fit too.
constexpr int64_t mostIterations = 2147483646;

/// How a run is trained: values by the names of tx-run's flags. In a file they are metadata, `tx.lr` for "lr".
using RunSettings = std::map<std::string, std::string>;

/// Where a run stands between two iterations.
struct RunPosition {
  int64_t iteration = 0; // done
  uint64_t samples = 0;  // consumed
  uint64_t seed = 0;     // of data order and dropout
  RunSettings settings;  // of the iterations done; empty: not known
};

} // namespace txrt::train

#endif // TXRT_TRAIN_RUNPOSITION_H
