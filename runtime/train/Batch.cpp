//===- Batch.cpp - What data a training step takes ----------------------------------------------------------------===//

#include "train/Batch.h"
#include "core/Failure.h"
#include "core/Manifest.h"

#include <algorithm>
#include <limits>

namespace txrt::train {

namespace {

constexpr const char *trainable = "tx-run trains what takes tokens i32[b, s], targets i32[b, s] and, for "
                                  "random numbers, key i32[4]";

/// Why data cannot feed an entry; empty if it can.
std::string findObstacle(const EntrySpec &entry, const EntrySpec &microbatch) {
  const std::string place = "entry '" + printable(entry.name) + "' ";
  static const char *const known[] = {"key", "loss_scale", "first", "lr", "step"};
  for (const TensorSpec &argument : entry.arguments) {
    if (argument.name == "tokens" || argument.name == "targets") {
      if (argument.dtype != TXRT_DTYPE_I32 || argument.shape.size() != 2 || argument.elements() == 0)
        return place + "takes " + describeTensor(argument) + "; " + trainable;
      const TensorSpec *tokens = microbatch.argument("tokens");
      if (tokens && tokens->shape != argument.shape)
        return place + "takes " + describeTensor(argument) + " beside " + describeTensor(*tokens) +
               "; a target belongs to each token";
    } else if (argument.name == "key" &&
               (argument.dtype != TXRT_DTYPE_I32 || argument.shape != std::vector<uint64_t>{4})) {
      return place + "takes " + describeTensor(argument) + "; " + trainable;
    } else if (std::none_of(std::begin(known), std::end(known),
                            [&](const char *name) { return argument.name == name; })) {
      return place + "takes " + describeTensor(argument) + ", which no data gives: " + trainable + "; --function " +
             printable(entry.name) + " runs it once, with --input " + printable(argument.name) + "=FILE.npy";
    }
  }
  return "";
}

} // namespace

std::optional<BatchSpec> findBatch(const Manifest &manifest, std::string &reason) {
  const EntrySpec *microbatch = manifest.findEntry("microbatch");
  if (!microbatch) {
    reason = "is no training step: it has no entry 'microbatch', which "
             "tx-compile makes of a function marked tx.train; --function runs "
             "its entries: " +
             manifest.entryNames();
    return std::nullopt;
  }
  // Every rank trains on its own samples, so the mesh may only have axes of kind batch.
  for (const AxisSpec &axis : manifest.mesh)
    if (axis.kind != AxisKind::Batch && axis.size > 1) {
      reason = "has the mesh axis '" + printable(axis.name) +
               "', which is no batch axis: its ranks would need the same "
               "samples, and tx-run gives each its own; --function runs its "
               "entries: " +
               manifest.entryNames();
      return std::nullopt;
    }
  for (const char *name : {"microbatch", "step", "evaluate"})
    if (const EntrySpec *entry = manifest.findEntry(name)) {
      reason = findObstacle(*entry, *microbatch);
      if (!reason.empty())
        return std::nullopt;
    }
  BatchSpec batch;
  constexpr uint64_t unknown = std::numeric_limits<uint64_t>::max();
  batch.vocabulary = unknown;
  for (const char *name : {"tokens", "targets"}) {
    const TensorSpec *argument = microbatch->argument(name);
    if (!argument) {
      reason = format("entry 'microbatch' takes no '%s'; %s", name, trainable);
      return std::nullopt;
    }
    batch.microBatch = argument->shape[0];
    batch.sequence = argument->shape[1];
    batch.vocabulary = std::min(batch.vocabulary, argument->ids.below);
    batch.ignored = argument->ids.ignored; // the targets' in the end
  }
  if (batch.vocabulary == unknown) {
    reason = "no op of entry 'microbatch' takes 'tokens' or 'targets' as ids, "
             "so nothing says how large the vocabulary is; tx.embedding does, "
             "or tx.cross_entropy";
    return std::nullopt;
  }
  // Ids are i32, however many rows the embedding table has.
  batch.vocabulary = std::min<uint64_t>(batch.vocabulary, uint64_t(1) << 31);
  return batch;
}

} // namespace txrt::train
