//===- Bench.h - How long a step takes, and where -------------------------------------------------------*- C++ -*-===//

#ifndef TXRUN_BENCH_H
#define TXRUN_BENCH_H

#include "Console.h"
#include "train/StepRunner.h"

namespace txrun {

struct BenchOptions {
  int64_t iterations = 10, warmup = 2;
  uint64_t seed = 0;
  double lr = 1e-4;
  std::string trace;  // where a Chrome trace goes; empty: nowhere
  std::string device; // where the machine's times go; empty: nowhere
  bool mergesDevice = false;
};

/// First times whole iterations, without clocks inside. Then runs a few more iterations with a clock around each
/// launch, for the tables.
void bench(const Model &model, StepRunner &runner, SampleSource &source, const BenchOptions &options, Console &console,
           Log &log);

struct Spread {
  double median = 0, least = 0, most = 0;
};
Spread spreadOf(std::vector<double> values);

} // namespace txrun

#endif // TXRUN_BENCH_H
