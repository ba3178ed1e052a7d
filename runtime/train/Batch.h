//===- Batch.h - What data a training step takes --------------------------------------------------------*- C++ -*-===//
//
// Sizes and ids are read from the artifact's entries, so that they are the same whether a config or IR was compiled.
//
//   const BatchSpec &batch = model.batch(); // throws, and says why, if data cannot feed the step
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
  /// Tokens and targets are ids below this number.
  uint64_t vocabulary = 0;
  /// The target id that the loss leaves out; none if the step's loss ops leave out different ones.
  std::optional<int32_t> ignored;

  /// Whether an id may be a token or, with `mayIgnore`, a target, which may also be the ignored id.
  bool takes(int64_t id, bool mayIgnore) const {
    return (id >= 0 && uint64_t(id) < vocabulary) || (mayIgnore && ignored && id == *ignored);
  }
  /// Whether a token of the data may be the ignored target.
  bool ignoresId() const { return ignored && *ignored >= 0 && uint64_t(*ignored) < vocabulary; }
};

/// Reads the batch from the entries `microbatch`, `step` and `evaluate`. Nothing, with a sentence in `reason`, if one
/// of them has arguments or results that tx-run does not know.
std::optional<BatchSpec> findBatch(const Manifest &manifest, std::string &reason);

} // namespace txrt::train

#endif // TXRT_TRAIN_BATCH_H
