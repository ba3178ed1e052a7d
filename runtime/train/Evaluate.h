//===- Evaluate.h - The loss over a set of samples ------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_TRAIN_EVALUATE_H
#define TXRT_TRAIN_EVALUATE_H

#include "train/Model.h"
#include "train/Samples.h"

namespace txrt::train {

struct EvaluationResult {
  double loss = 0; // mean, nats per token
  double perplexity = 1;
  double bitsPerToken = 0; // bits per byte when a token is a byte
  uint64_t validCount = 0;
};

/// Turns a count that an entry returned as f32 into an integer: 0 if it is NaN, negative or too large.
uint64_t countOf(double sum);

class Evaluator {
public:
  /// `source` must have an end (SampleSource::size is not 0).
  Evaluator(const Model &model, SampleSource &source);

  /// Evaluates all samples, or those of the first `microBatches`. The ranks share the micro batches, and each returns
  /// the result over all. When the run is interrupted, stops early and returns the result so far.
  EvaluationResult run(int64_t microBatches = -1);

private:
  const Model &model;
  SampleSource &source;
  uint64_t micro, sequence;
  Entry entry;
  Argument<int32_t> tokens, targets;
  Result<float> lossSum, validCount;
};

} // namespace txrt::train

#endif // TXRT_TRAIN_EVALUATE_H
