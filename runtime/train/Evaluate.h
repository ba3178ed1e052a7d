//===- Evaluate.h - The loss over a set of samples ------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_TRAIN_EVALUATE_H
#define TXRT_TRAIN_EVALUATE_H

#include "train/Model.h"
#include "train/Samples.h"

namespace txrt::train {

struct EvaluationResult {
  double loss = 0; // nats a token
  double perplexity = 1;
  double bitsPerToken = 0; // bits per byte when a token is a byte
  uint64_t validCount = 0;
};

/// A count that an entry gives, as f32: whatever it computed, a number.
uint64_t countOf(double sum);

class Evaluator {
public:
  /// `source` must have an end.
  Evaluator(const Model &model, SampleSource &source);

  /// All samples, or those of the first `microBatches`, dealt out to the ranks:
  /// each has the result for all. Stops early, with what
  /// it has, when the run is interrupted.
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
