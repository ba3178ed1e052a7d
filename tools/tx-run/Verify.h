//===- Verify.h - Does recomputation change a bit? ------------------------------------------------------*- C++ -*-===//
//
// Two artifacts of one model, one with a policy and one without, run side by side from the same weights on the same
// data with the same dropout keys. After every step losses, gradient norms, gradients, parameters and optimizer state
// must agree in every bit.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_VERIFY_H
#define TXRUN_VERIFY_H

#include "Console.h"
#include "train/StepRunner.h"

namespace txrun {

struct VerifyOptions {
  int64_t iterations = 3;
  uint64_t seed = 0;
  uint64_t globalBatch = 0;
  double lr = 1e-3;
  bool guard = true;
};

/// Both models have their weights. Throws a numeric error with the first difference: name, index, both values and bits.
void verifyRecompute(const Model &policy, const Model &none, SampleSource &source, const VerifyOptions &options,
                     Console &console, Log &log);

/// Throws unless both artifacts have the same model, parameters and batch.
void checkTwins(const Model &policy, const Model &none);

} // namespace txrun

#endif // TXRUN_VERIFY_H
