//===- StepRunner.cpp - One iteration: microbatches, then the update ----------------------------------------------===//

#include "train/StepRunner.h"
#include "core/Failure.h"
#include "train/Evaluate.h"
#include "train/Finite.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace txrt::train {

StepRunner::StepRunner(const Model &model, uint64_t globalBatch, bool guard)
    : model(model), micro(model.batch().microBatch), sequence(model.batch().sequence),
      ranks(static_cast<uint64_t>(model.ranks().size())), count(1), guard(guard), tokens(micro * sequence),
      targets(micro * sequence) {
  // All ranks find the same error; `together` makes them report it once.
  model.ranks().together([&] { checkSizes(globalBatch); });
  if (globalBatch > 0)
    count = globalBatch / (micro * ranks);
  fusedStep = count == 1 && model.hasEntry("step");
  repeatEntry = model.entry("microbatch");
  repeat = bindBatch(*repeatEntry);
  batchEntry = model.entry(fusedStep ? "step" : "microbatch");
  batch = bindBatch(*batchEntry);
  if (!fusedStep)
    applyEntry = model.entry("apply");
  update = bindUpdate(fusedStep ? *batchEntry : *applyEntry);
}

void StepRunner::checkSizes(uint64_t globalBatch) const {
  if (globalBatch % (micro * ranks))
    fail(TXRT_BAD_INPUT,
         "--global-batch-size %llu is no multiple of the artifact's micro batch "
         "of %llu%s",
         (unsigned long long)globalBatch, (unsigned long long)micro,
         ranks > 1 ? format(" times %llu ranks", (unsigned long long)ranks).c_str() : "");
}

StepRunner::Batch StepRunner::bindBatch(const Entry &entry) const {
  Batch result;
  result.tokens = entry.argument<int32_t>("tokens", {micro, sequence});
  result.targets = entry.argument<int32_t>("targets", {micro, sequence});
  if (entry.hasArgument("key")) // only a step with dropout takes a key
    result.key = entry.argument<int32_t>("key", {4});
  result.lossScale = entry.argument<float>("loss_scale", {});
  result.first = entry.argument<bool>("first", {});
  result.lossSum = entry.result<float>("loss_sum", {});
  result.validCount = entry.result<float>("valid_count", {});
  return result;
}

StepRunner::Update StepRunner::bindUpdate(const Entry &entry) {
  return {entry.argument<float>("lr", {}), entry.argument<int32_t>("step", {}), entry.result<float>("grad_norm", {})};
}

std::vector<Entry> StepRunner::entries() const {
  std::vector<Entry> result = {*batchEntry};
  if (applyEntry)
    result.push_back(*applyEntry);
  return result;
}

/// 1 / (valid targets of the global batch): the loss scale of all its micro batches.
float StepRunner::lossScaleOf(SampleSource &source, uint64_t firstSample) const {
  uint64_t valid = 0;
  for (uint64_t i = 0; i < globalBatchSize(); ++i)
    valid += source.valid(firstSample + i);
  // No valid target at all: loss and gradients are 0, not NaN.
  return valid ? float(1.0 / double(valid)) : 0.0f;
}

void StepRunner::fill(const Batch &batch, const Data &data, uint64_t index) {
  const auto rank = static_cast<uint64_t>(model.ranks().rank());
  uint64_t sample = data.firstSample + (index * ranks + rank) * micro;
  for (uint64_t row = 0; row < micro; ++row)
    data.source.sample(sample + row, tokens.data() + row * sequence, targets.data() + row * sequence);
  batch.tokens.set(tokens);
  batch.targets.set(targets);
  if (batch.key)
    batch.key->set({int32_t(data.seed), int32_t(data.seed >> 32), int32_t(sample), int32_t(0)});
  batch.lossScale.set(data.lossScale);
  batch.first.set(index == 0);
}

StepResult StepRunner::run(SampleSource &source, const RunPosition &position, double lr) {
  const int64_t step = position.iteration + 1;
  StepResult result;
  double lossSum = 0, valid = 0;
  const Data data = {source, position.samples, position.seed, lossScaleOf(source, position.samples)};
  // Entries share the argument segment: the arguments of one entry may lie at the bytes of another entry's. So each
  // entry's arguments are written right before it runs.
  auto fillUpdate = [&] {
    update.lr.set(float(lr));
    update.step.set(static_cast<int32_t>(step));
  };
  for (uint64_t i = 0; i < count; ++i) {
    fill(batch, data, i);
    if (fusedStep)
      fillUpdate();
    batchEntry->run();
    const float loss = batch.lossSum.get();
    if (fusedStep)
      result.gradientNorm = update.gradientNorm.get();
    if (guard && !std::isfinite(loss))
      reportLoss(data, i, step, loss, fusedStep && std::isfinite(result.gradientNorm));
    lossSum += loss;
    valid += batch.validCount.get();
  }
  if (applyEntry) {
    fillUpdate();
    applyEntry->run();
    result.gradientNorm = update.gradientNorm.get();
  }
  if (guard && !std::isfinite(result.gradientNorm))
    reportGradient(data, step, result.gradientNorm);
  // The entries have already summed loss and count over the ranks.
  result.validCount = countOf(valid);
  result.loss = valid > 0 ? lossSum / valid : 0.0;
  result.tokens = globalBatchSize() * sequence;
  return result;
}

static const char *verdict(bool reproduced) {
  return reproduced ? "reproduced, so lower --lr, lengthen --lr-warmup-iters or look "
                      "at the data"
                    : "transient, so suspect this machine's memory or processor";
}

void StepRunner::reportLoss(const Data &data, uint64_t index, int64_t step, float loss, bool updated) {
  if (updated)
    fail(TXRT_NUMERIC,
         "iteration %lld: the loss is %g, yet its gradients are finite and were "
         "applied: load the last checkpoint",
         (long long)step, shown(loss));
  fill(repeat, data, index);
  repeatEntry->run();
  const float again = repeat.lossSum.get();
  const bool reproduced = std::memcmp(&loss, &again, sizeof loss) == 0 || (std::isnan(loss) && std::isnan(again));
  fail(TXRT_NUMERIC,
       "iteration %lld, micro batch %llu: the loss is %g; an exact repeat gave "
       "%g: %s; the parameters were not updated",
       (long long)step, (unsigned long long)index, shown(loss), shown(again), verdict(reproduced));
}

/// The first element of a gradient that is NaN or Inf, if there is any.
std::optional<StepRunner::NonFinite> StepRunner::findNonFinite(const GlobalSpec &gradient) const {
  std::vector<float> values(copyBytes / sizeof(float));
  for (uint64_t at = 0; at < gradient.bytes; at += copyBytes) {
    const uint64_t bytes = std::min(copyBytes, gradient.bytes - at);
    model.read(gradient, at, bytes, values.data());
    if (auto found = txrt::train::findNonFinite(gradient.dtype, values.data(), bytes))
      return NonFinite{&gradient, at / sizeof(float) + found->index, found->value};
  }
  return std::nullopt;
}

std::optional<StepRunner::NonFinite> StepRunner::findNonFinite() const {
  for (const GlobalSpec &global : model.manifest().globals)
    if (global.role == Role::Gradient && global.dtype == TXRT_DTYPE_F32)
      if (std::optional<NonFinite> found = findNonFinite(global))
        return found;
  return std::nullopt;
}

/// The gradients in the arena are still the sums over all ranks, which do not tell which rank is the cause. The repeat
/// computes each rank's own part, so that the rank whose part is not finite reports the error.
void StepRunner::reportGradient(const Data &data, int64_t step, float norm) {
  const std::optional<NonFinite> found = findNonFinite();
  if (!found)
    fail(TXRT_NUMERIC,
         "iteration %lld: the gradient norm is %g although every gradient is "
         "finite: its square overflows; the parameters were not updated; lower "
         "--lr",
         (long long)step, shown(norm));
  for (uint64_t i = 0; i < count; ++i) {
    fill(repeat, data, i);
    repeatEntry->run();
  }
  const std::optional<NonFinite> again = findNonFinite();
  const bool reproduced = model.ranks().any(again.has_value());
  float value = 0;
  model.read(*found->gradient, found->index * sizeof value, sizeof value, &value);
  model.ranks().together([&] {
    if (reproduced && !again)
      return;
    fail(TXRT_NUMERIC,
         "iteration %lld: the gradient of %s has %g at index %llu; an exact "
         "repeat gave %g: %s; the parameters were not updated",
         (long long)step, printable(found->gradient->of, 120).c_str(), shown(found->value),
         (unsigned long long)found->index, shown(value), verdict(reproduced));
  }); // throws on every rank, since the work fails on at least one
}

} // namespace txrt::train
