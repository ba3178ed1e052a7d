//===- Verify.h - Does recomputation change a bit? ------------------------------------------------------*- C++ -*-===//
//
// Runs two artifacts of one model side by side, one compiled with a recompute policy and one without, from the same
// weights, on the same data, with the same dropout keys. After every step their losses, gradient norms, gradients,
// parameters and optimizer state must agree in every bit.
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

/// Both models must have their weights loaded. Throws a numeric error that names the first difference: tensor, index,
/// both values and their bits.
void verifyRecompute(const Model &policy, const Model &none, SampleSource &source, const VerifyOptions &options,
                     Console &console, Log &log);

/// Throws unless both artifacts have the same model, parameters and batch.
void checkTwins(const Model &policy, const Model &none);

} // namespace txrun

#endif // TXRUN_VERIFY_H
