//===- StepRunner.cpp - One iteration: microbatches, then the update ------===//

#include "StepRunner.h"
#include "Error.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace txrun {

StepRunner::StepRunner(const Model &model, SampleSource &source,
                       uint64_t globalBatch, uint64_t seed, bool guard)
    : model(model), source(source),
      micro(model.manifest().model.microBatchSize),
      sequence(model.manifest().model.seqLength),
      ranks(static_cast<uint64_t>(model.ranks().size())), count(1), seed(seed),
      guard(guard), tokens(micro * sequence), targets(micro * sequence) {
  if (micro == 0 || sequence == 0)
    fail(ExitCode::BadInput,
         "%s: its manifest names no micro_batch_size and seq_length: it is no "
         "training step; --function runs its entries",
         printable(model.path(), 200).c_str());
  if (globalBatch > 0) {
    if (globalBatch % (micro * ranks))
      fail(ExitCode::BadInput,
           "--global-batch-size %llu is no multiple of the artifact's micro "
           "batch of %llu%s",
           (unsigned long long)globalBatch, (unsigned long long)micro,
           ranks > 1 ? format(" times %llu ranks", (unsigned long long)ranks)
                           .c_str()
                     : "");
    count = globalBatch / (micro * ranks);
  }
  fusedStep = count == 1 && !guard && model.hasEntry("step");
  if (fusedStep) {
    batchEntry = model.entry("step");
    batch = bindBatch(*batchEntry);
    update = bindUpdate(*batchEntry);
    return;
  }
  batchEntry = model.entry("microbatch");
  applyEntry = model.entry("apply");
  batch = bindBatch(*batchEntry);
  update = bindUpdate(*applyEntry);
}

StepRunner::Batch StepRunner::bindBatch(const Entry &entry) const {
  Batch result;
  result.tokens = entry.argument<int32_t>("tokens", {micro, sequence});
  result.targets = entry.argument<int32_t>("targets", {micro, sequence});
  result.key = entry.argument<int32_t>("key", {4});
  result.lossScale = entry.argument<float>("loss_scale", {});
  result.first = entry.argument<bool>("first", {});
  result.lossSum = entry.result<float>("loss_sum", {});
  result.validCount = entry.result<float>("valid_count", {});
  return result;
}

StepRunner::Update StepRunner::bindUpdate(const Entry &entry) {
  return {entry.argument<float>("lr", {}), entry.argument<int32_t>("step", {}),
          entry.result<float>("grad_norm", {})};
}

std::vector<Entry> StepRunner::entries() const {
  std::vector<Entry> result = {*batchEntry};
  if (applyEntry)
    result.push_back(*applyEntry);
  return result;
}

void StepRunner::fill(uint64_t firstSample, uint64_t index) {
  const auto rank = static_cast<uint64_t>(model.ranks().rank());
  uint64_t sample = firstSample + (index * ranks + rank) * micro;
  for (uint64_t row = 0; row < micro; ++row)
    source.sample(sample + row, tokens.data() + row * sequence,
                  targets.data() + row * sequence);
  batch.tokens.set(tokens);
  batch.targets.set(targets);
  batch.key.set(
      {int32_t(seed), int32_t(seed >> 32), int32_t(sample), int32_t(0)});
  uint64_t valid = 0;
  for (uint64_t i = 0; i < globalBatchSize(); ++i)
    valid += source.valid(firstSample + i);
  // No valid target at all: loss and gradients are 0, not NaN.
  batch.lossScale.set(valid ? float(1.0 / double(valid)) : 0.0f);
  batch.first.set(index == 0);
}

StepResult StepRunner::run(uint64_t firstSample, int64_t step, double lr) {
  StepResult result;
  double lossSum = 0, valid = 0;
  // Entries share the argument segment: what one entry is given may lie where
  // another one's arguments were, so each is filled right before it runs.
  auto fillUpdate = [&] {
    update.lr.set(float(lr));
    update.step.set(static_cast<int32_t>(step));
  };
  for (uint64_t i = 0; i < count; ++i) {
    fill(firstSample, i);
    if (fusedStep)
      fillUpdate();
    batchEntry->run();
    checkLoss(i, step);
    lossSum += batch.lossSum.get();
    valid += batch.validCount.get();
  }
  if (guard)
    checkGradients(firstSample, step);
  if (applyEntry) {
    fillUpdate();
    applyEntry->run();
  }
  result.gradientNorm = update.gradientNorm.get();
  checkNorm(result.gradientNorm, step);
  // Loss and count are the entries' sums over the ranks.
  result.validCount = static_cast<uint64_t>(valid);
  result.loss = valid > 0 ? lossSum / valid : 0.0;
  result.tokens = globalBatchSize() * sequence;
  return result;
}

/// For messages: the sign of a NaN is of no interest, and printf shows it.
static double shown(float value) { return std::isnan(value) ? NAN : value; }

void StepRunner::checkLoss(uint64_t index, int64_t step) {
  float loss = batch.lossSum.get();
  if (std::isfinite(loss))
    return;
  if (fusedStep)
    fail(ExitCode::Numeric,
         "iteration %lld: the loss is %g, and the fused step has already "
         "updated the parameters; load the last checkpoint and run without "
         "--no-check-for-nan-in-loss-and-grad to see whether it is "
         "reproduced",
         (long long)step, shown(loss));
  batchEntry->run();
  float again = batch.lossSum.get();
  bool reproduced = std::memcmp(&loss, &again, sizeof loss) == 0 ||
                    (std::isnan(loss) && std::isnan(again));
  fail(ExitCode::Numeric,
       "iteration %lld, micro batch %llu: the loss is %g; an exact repeat gave "
       "%g: %s",
       (long long)step, (unsigned long long)index, shown(loss), shown(again),
       reproduced ? "reproduced, so lower --lr, lengthen --lr-warmup-iters or "
                    "look at the data"
                  : "transient, so suspect this machine's memory or processor");
}

/// The first one of a tensor, if there is any.
std::optional<StepRunner::NonFinite>
StepRunner::findNonFinite(const Model &model, const TensorSpec &tensor) {
  std::vector<float> values(copyBytes / sizeof(float));
  for (uint64_t at = 0; at < tensor.bytes; at += copyBytes) {
    uint64_t bytes = std::min(copyBytes, tensor.bytes - at);
    model.read(tensor, at, bytes, values.data());
    const uint64_t count = bytes / sizeof(float);
    // Without a branch in it this loop runs at the speed of memory.
    uint32_t bad = 0;
    for (uint64_t i = 0; i < count; ++i) {
      uint32_t bits;
      std::memcpy(&bits, &values[i], sizeof bits);
      bad |= (bits & 0x7f800000u) == 0x7f800000u;
    }
    for (uint64_t i = 0; bad && i < count; ++i)
      if (!std::isfinite(values[i]))
        return NonFinite{at / sizeof(float) + i, values[i]};
  }
  return std::nullopt;
}

void StepRunner::checkGradients(uint64_t firstSample, int64_t step) {
  // Of each rank alone: they are summed when they are applied.
  const GlobalSpec *bad = nullptr;
  std::optional<NonFinite> found;
  for (const GlobalSpec &gradient : model.manifest().globals) {
    if (gradient.role != Role::Gradient || gradient.dtype != TXRT_DTYPE_F32)
      continue;
    found = findNonFinite(model, gradient);
    bad = &gradient;
    if (found)
      break;
  }
  if (!model.ranks().any(found.has_value()))
    return;
  for (uint64_t i = 0; i < count; ++i) {
    fill(firstSample, i);
    batchEntry->run();
  }
  model.ranks().together([&] {
    if (found)
      reportGradient(*bad, *found, step);
  });
}

void StepRunner::reportGradient(const GlobalSpec &gradient,
                                const NonFinite &found, int64_t step) const {
  std::optional<NonFinite> again = findNonFinite(model, gradient);
  bool reproduced = again && again->index == found.index;
  float value = 0;
  model.read(gradient, found.index * sizeof value, sizeof value, &value);
  fail(ExitCode::Numeric,
       "iteration %lld: the gradient of %s has %g at index %llu; an exact "
       "repeat gave %g: %s; the parameters were not updated",
       (long long)step, printable(gradient.of, 120).c_str(),
       shown(found.value), (unsigned long long)found.index, shown(value),
       reproduced
           ? "reproduced, so lower --lr or look at the data"
           : "transient, so suspect this machine's memory or processor");
}

void StepRunner::checkNorm(float norm, int64_t step) const {
  if (std::isfinite(norm))
    return;
  // With the guard on every gradient was finite: their squares overflowed.
  fail(ExitCode::Numeric,
       "iteration %lld: the gradient norm is %g%s", (long long)step,
       shown(norm),
       guard ? " although every gradient is finite: its square overflows; "
               "lower --lr"
             : "; the parameters are spoilt: load the last checkpoint and run "
               "without --no-check-for-nan-in-loss-and-grad to see which "
               "gradient it is");
}

} // namespace txrun
