//===- Batch.h - What a training step takes of data -----------------------------------------------------*- C++ -*-===//
//
// Sizes and ids come from the entries themselves: a step has the same ones whether a config or IR was compiled.
//
//   const BatchSpec &batch = model.batch(); // or an error that says why none
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_BATCH_H
#define TXRT_TRAIN_BATCH_H

#include <cstdint>
#include <optional>
#include <string>

namespace txrt {
struct Manifest;
}

namespace txrt::train {

struct BatchSpec {
  uint64_t microBatch = 0, sequence = 0; // tokens and targets are [b, s]
  /// Ids below it may be tokens and targets.
  uint64_t vocabulary = 0;
  /// The target that the loss leaves out; none if its ops do not agree.
  std::optional<int32_t> ignored;

  /// Whether an id may be a token, or a target, which `mayIgnore`.
  bool takes(int64_t id, bool mayIgnore) const {
    return (id >= 0 && uint64_t(id) < vocabulary) || (mayIgnore && ignored && id == *ignored);
  }
  /// Whether a token of the data may be the ignored target.
  bool ignoresId() const { return ignored && *ignored >= 0 && uint64_t(*ignored) < vocabulary; }
};

/// Of the entries `microbatch`, `step` and `evaluate`. None, with a sentence in `reason`, where these take or give what
/// tx-run does not know.
std::optional<BatchSpec> findBatch(const Manifest &manifest, std::string &reason);

} // namespace txrt::train

#endif // TXRT_TRAIN_BATCH_H
