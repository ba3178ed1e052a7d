//===- StepRunner.h - One iteration: microbatches, then the update --------------------------------------*- C++ -*-===//
//
// The one place that knows the entries of a training step. Training, timing and comparing all go through it, so they
// run the same thing.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_STEPRUNNER_H
#define TXRUN_STEPRUNNER_H

#include "Model.h"
#include "TokenData.h"

#include <optional>

namespace txrun {

struct StepResult {
  double loss = 0;        // mean over the valid tokens of the global batch
  float gradientNorm = 0; // not finite: nothing was updated
  uint64_t validCount = 0;
  uint64_t tokens = 0;
};

class StepRunner {
public:
  /// `globalBatch` of 0 means one micro batch for each rank; micro batch i of rank r is number i * ranks + r of the
  /// global batch. A single micro batch runs through the fused entry `step`. With `guard` a loss or gradient that is
  /// not finite ends the run, after one repeat that tells whether it comes again.
  StepRunner(const Model &model, SampleSource &source, uint64_t globalBatch, uint64_t seed, bool guard);

  uint64_t globalBatchSize() const { return micro * count * ranks; }
  /// Of each rank.
  uint64_t microBatches() const { return count; }
  /// Whether this runs `step` and not `microbatch` and `apply`.
  bool fused() const { return fusedStep; }
  /// The entries that an iteration runs.
  std::vector<Entry> entries() const;

  /// `firstSample` is the number of samples consumed by the run so far, `step` the number of this iteration, from 1. A
  /// gradient that is not finite updates nothing, with the guard or without.
  StepResult run(uint64_t firstSample, int64_t step, double lr);

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
  float lossScaleOf(uint64_t firstSample) const;
  void fill(const Batch &batch, uint64_t firstSample, uint64_t index, float lossScale);
  /// An element that is NaN or Inf.
  struct NonFinite {
    const GlobalSpec *gradient;
    uint64_t index;
    float value;
  };
  std::optional<NonFinite> findNonFinite(const GlobalSpec &gradient) const;
  std::optional<NonFinite> findNonFinite() const;
  [[noreturn]] void reportLoss(uint64_t firstSample, uint64_t index, int64_t step, float loss, bool updated);
  void reportGradient(uint64_t firstSample, int64_t step, float norm);

  const Model &model;
  SampleSource &source;
  uint64_t micro, sequence, ranks, count, seed;
  bool guard, fusedStep;
  std::optional<Entry> batchEntry, applyEntry; // or batchEntry alone, fused
  std::optional<Entry> repeatEntry;            // `microbatch`
  Batch batch, repeat;
  Update update;
  std::vector<int32_t> tokens, targets; // of one micro batch
};

} // namespace txrun

#endif // TXRUN_STEPRUNNER_H
