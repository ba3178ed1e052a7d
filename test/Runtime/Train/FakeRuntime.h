//===- FakeRuntime.h - A bigram model in place of an artifact -------------------------------------------*- C++ -*-===//
//
// The test program links these functions instead of the runtime's: an "artifact" is then a file with a manifest, the
// model is logits = w[token], and AdamW is plain SGD with momentum. Faults are asked for by fields of the manifest's
// object "fake":
//
//   nan_loss_at: N       the N-th microbatch (from 1) has a NaN loss ...
//   nan_loss_alone_at: N ... and finite gradients
//   nan_gradient_at: N   ... or a NaN in its gradient
//   transient: true      and its repetition has not
//   flip_at: N           the N-th microbatch's gradient has one wrong bit
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TEST_FAKERUNTIME_H
#define TXRT_TEST_FAKERUNTIME_H

#include <string>

struct FakeModel {
  int vocabulary = 256, sequence = 16, microBatch = 2;
  bool tied = true;
  bool narrow = false;       ///< a bf16 parameter with its master; it cannot run
  bool secondMoment = false; ///< of the optimizer too, which leaves it alone
  bool fused = true;         ///< has the entry `step`
  std::string policy = "none";
  std::string faults = "{}"; // JSON
};

/// The file's content.
std::string fakeArtifact(const FakeModel &model);

#endif // TXRT_TEST_FAKERUNTIME_H
