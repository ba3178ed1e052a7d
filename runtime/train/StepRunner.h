//===- StepRunner.h - One iteration: microbatches, then the update --------------------------------------*- C++ -*-===//
//
// The only code that knows the entries of a training step. Training, benchmarks and comparisons all call it, so they
// run the same launches.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_STEPRUNNER_H
#define TXRT_TRAIN_STEPRUNNER_H

#include "train/Model.h"
#include "train/RunPosition.h"
#include "train/Samples.h"

#include <optional>

namespace txrt::train {

struct StepResult {
  double loss = 0;        // mean over the valid tokens of the global batch
  float gradientNorm = 0; // if it is not finite, the step has updated nothing
  uint64_t validCount = 0;
  uint64_t tokens = 0;
};

class StepRunner {
public:
  /// `globalBatch` is in samples, over all ranks; 0: one micro batch for each rank. Micro batch i of rank r is number
  /// i * ranks + r of the global batch. If each rank has a single micro batch, an iteration runs the fused entry
  /// `step`. With `guard`, a loss or gradient that is not finite throws TXRT_NUMERIC, after the micro batch was
  /// repeated once to see whether it happens again.
  StepRunner(const Model &model, uint64_t globalBatch, bool guard);

  uint64_t globalBatchSize() const { return micro * count * ranks; }
  /// How many micro batches each rank runs in an iteration.
  uint64_t microBatches() const { return count; }
  /// Whether an iteration runs `step`, and not `microbatch` and `apply`.
  bool fused() const { return fusedStep; }
  /// The entries that an iteration runs.
  std::vector<Entry> entries() const;

  /// Runs the iteration after `position`, on the source's samples from `position.samples` on. If a gradient is not
  /// finite, the iteration updates nothing, with or without the guard.
  StepResult run(SampleSource &source, const RunPosition &position, double lr);

private:
  /// Arguments and results of `microbatch` or `step`.
  struct Batch {
    Argument<int32_t> tokens, targets;
    std::optional<Argument<int32_t>> key;
    Argument<float> lossScale;
    Argument<bool> first;
    Result<float> lossSum, validCount;
  };
  struct Update {
    Argument<float> lr;
    Argument<int32_t> step;
    Result<float> gradientNorm;
  };
  void checkSizes(uint64_t globalBatch) const;
  Batch bindBatch(const Entry &entry) const;
  static Update bindUpdate(const Entry &entry);
  /// The data of one iteration.
  struct Data {
    SampleSource &source;
    uint64_t firstSample, seed;
    float lossScale;
  };
  float lossScaleOf(SampleSource &source, uint64_t firstSample) const;
  void fill(const Batch &batch, const Data &data, uint64_t index);
  /// An element of a gradient that is NaN or Inf.
  struct NonFinite {
    const GlobalSpec *gradient;
    uint64_t index;
    float value;
  };
  std::optional<NonFinite> findNonFinite(const GlobalSpec &gradient) const;
  std::optional<NonFinite> findNonFinite() const;
  [[noreturn]] void reportLoss(const Data &data, uint64_t index, int64_t step, float loss, bool updated);
  void reportGradient(const Data &data, int64_t step, float norm);

  const Model &model;
  uint64_t micro, sequence, ranks, count;
  bool guard, fusedStep;
  std::optional<Entry> batchEntry, applyEntry; // `microbatch` and `apply`; if fused, `step` alone
  std::optional<Entry> repeatEntry;            // `microbatch`, to repeat a micro batch for the guard
  Batch batch, repeat;
  Update update;
  std::vector<int32_t> tokens, targets; // of one micro batch
};

} // namespace txrt::train

#endif // TXRT_TRAIN_STEPRUNNER_H
