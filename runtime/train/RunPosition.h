//===- RunPosition.h - Where a run stands ---------------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_TRAIN_RUNPOSITION_H
#define TXRT_TRAIN_RUNPOSITION_H

#include <cstdint>
#include <map>
#include <string>

namespace txrt::train {

/// The most iterations of a run: a step takes its number as i32, and the number of the next step must fit too.
constexpr int64_t mostIterations = 2147483646;

/// The settings that a run is trained with, by the names of tx-run's flags. A safetensors file stores them as metadata:
/// `tx.lr` for "lr".
using RunSettings = std::map<std::string, std::string>;

/// Where a run stands between two iterations.
struct RunPosition {
  int64_t iteration = 0; // how many iterations are done
  uint64_t samples = 0;  // how many samples they consumed
  uint64_t seed = 0;     // of the data's order and of dropout
  RunSettings settings;  // with which these iterations were trained; empty: not known
};

} // namespace txrt::train

#endif // TXRT_TRAIN_RUNPOSITION_H
