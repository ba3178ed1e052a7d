//===- Results.h - What the runs left in their files ----------------------------------------------------*- C++ -*-===//

#ifndef TXDEMO_RESULTS_H
#define TXDEMO_RESULTS_H

#include <cstdint>
#include <string>
#include <vector>

namespace txdemo {

/// What the demo reads from the file of tx-compile --report.
struct Plan {
  uint64_t peakBytes = 0, parameterBytes = 0;
  double forwardFlops = 0, backwardFlops = 0, recomputeFlops = 0;
};
Plan readPlan(const std::string &path);

/// What the demo reads from the file of tx-run --log.
struct Run {
  uint64_t allocatedBytes = 0;
  std::vector<double> losses, gradientNorms; ///< one for each training step
  double medianStepMs = 0;
  struct Evaluation {
    uint64_t step;
    double loss;
  };
  std::vector<Evaluation> evaluations;
};
Run readRun(const std::string &path);

/// Whether the two files have the same bytes.
bool sameBytes(const std::string &a, const std::string &b);

/// 1234567890 -> "1177.38 MiB"
std::string mebibytes(uint64_t bytes);

/// Formats rows of equal length as a table. The first row is the heading; the first column is left-aligned.
std::string table(const std::vector<std::vector<std::string>> &rows);

} // namespace txdemo

#endif // TXDEMO_RESULTS_H
