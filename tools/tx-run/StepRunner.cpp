//===- StepRunner.cpp - One iteration: microbatches, then the update ----------------------------------------------===//

#include "StepRunner.h"
#include "Error.h"
#include "Evaluate.h"
#include "Finite.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace txrun {

StepRunner::StepRunner(const Model &model, SampleSource &source, uint64_t globalBatch, uint64_t seed, bool guard)
    : model(model), source(source), micro(model.batch().microBatch), sequence(model.batch().sequence),
      ranks(static_cast<uint64_t>(model.ranks().size())), count(1), seed(seed), guard(guard), tokens(micro * sequence),
      targets(micro * sequence) {
  // What is wrong on all ranks is said once.
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
    fail(ExitCode::BadInput,
         "--global-batch-size %llu is no multiple of the artifact's micro batch "
         "of %llu%s",
         (unsigned long long)globalBatch, (unsigned long long)micro,
         ranks > 1 ? format(" times %llu ranks", (unsigned long long)ranks).c_str() : "");
}

StepRunner::Batch StepRunner::bindBatch(const Entry &entry) const {
  Batch result;
  result.tokens = entry.argument<int32_t>("tokens", {micro, sequence});
  result.targets = entry.argument<int32_t>("targets", {micro, sequence});
  if (entry.hasArgument("key")) // where something is random
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

/// 1 / (valid targets of the global batch), which all its micro batches share.
float StepRunner::lossScaleOf(uint64_t firstSample) const {
  uint64_t valid = 0;
  for (uint64_t i = 0; i < globalBatchSize(); ++i)
    valid += source.valid(firstSample + i);
  // No valid target at all: loss and gradients are 0, not NaN.
  return valid ? float(1.0 / double(valid)) : 0.0f;
}

void StepRunner::fill(const Batch &batch, uint64_t firstSample, uint64_t index, float lossScale) {
  const auto rank = static_cast<uint64_t>(model.ranks().rank());
  uint64_t sample = firstSample + (index * ranks + rank) * micro;
  for (uint64_t row = 0; row < micro; ++row)
    source.sample(sample + row, tokens.data() + row * sequence, targets.data() + row * sequence);
  batch.tokens.set(tokens);
  batch.targets.set(targets);
  if (batch.key)
    batch.key->set({int32_t(seed), int32_t(seed >> 32), int32_t(sample), int32_t(0)});
  batch.lossScale.set(lossScale);
  batch.first.set(index == 0);
}

StepResult StepRunner::run(uint64_t firstSample, int64_t step, double lr) {
  StepResult result;
  double lossSum = 0, valid = 0;
  const float lossScale = lossScaleOf(firstSample);
  // Entries share the argument segment: what one entry is given may lie where another one's arguments were, so each is
  // filled right before it runs.
  auto fillUpdate = [&] {
    update.lr.set(float(lr));
    update.step.set(static_cast<int32_t>(step));
  };
  for (uint64_t i = 0; i < count; ++i) {
    fill(batch, firstSample, i, lossScale);
    if (fusedStep)
      fillUpdate();
    batchEntry->run();
    const float loss = batch.lossSum.get();
    if (fusedStep)
      result.gradientNorm = update.gradientNorm.get();
    if (guard && !std::isfinite(loss))
      reportLoss(firstSample, i, step, loss, fusedStep && std::isfinite(result.gradientNorm));
    lossSum += loss;
    valid += batch.validCount.get();
  }
  if (applyEntry) {
    fillUpdate();
    applyEntry->run();
    result.gradientNorm = update.gradientNorm.get();
  }
  if (guard && !std::isfinite(result.gradientNorm))
    reportGradient(firstSample, step, result.gradientNorm);
  // Loss and count are the entries' sums over the ranks.
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

void StepRunner::reportLoss(uint64_t firstSample, uint64_t index, int64_t step, float loss, bool updated) {
  if (updated)
    fail(ExitCode::Numeric,
         "iteration %lld: the loss is %g, yet its gradients are finite and were "
         "applied: load the last checkpoint",
         (long long)step, shown(loss));
  fill(repeat, firstSample, index, lossScaleOf(firstSample));
  repeatEntry->run();
  const float again = repeat.lossSum.get();
  const bool reproduced = std::memcmp(&loss, &again, sizeof loss) == 0 || (std::isnan(loss) && std::isnan(again));
  fail(ExitCode::Numeric,
       "iteration %lld, micro batch %llu: the loss is %g; an exact repeat gave "
       "%g: %s; the parameters were not updated",
       (long long)step, (unsigned long long)index, shown(loss), shown(again), verdict(reproduced));
}

/// The first one of a tensor, if there is any.
std::optional<StepRunner::NonFinite> StepRunner::findNonFinite(const GlobalSpec &gradient) const {
  std::vector<float> values(copyBytes / sizeof(float));
  for (uint64_t at = 0; at < gradient.bytes; at += copyBytes) {
    const uint64_t bytes = std::min(copyBytes, gradient.bytes - at);
    model.read(gradient, at, bytes, values.data());
    if (auto found = txrun::findNonFinite(gradient.dtype, values.data(), bytes))
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

/// Gradients are still there: the sums over all ranks. The repeat gives each rank's own part, so that the rank with the
/// culprit is who speaks.
void StepRunner::reportGradient(uint64_t firstSample, int64_t step, float norm) {
  const std::optional<NonFinite> found = findNonFinite();
  if (!found)
    fail(ExitCode::Numeric,
         "iteration %lld: the gradient norm is %g although every gradient is "
         "finite: its square overflows; the parameters were not updated; lower "
         "--lr",
         (long long)step, shown(norm));
  const float lossScale = lossScaleOf(firstSample);
  for (uint64_t i = 0; i < count; ++i) {
    fill(repeat, firstSample, i, lossScale);
    repeatEntry->run();
  }
  const std::optional<NonFinite> again = findNonFinite();
  const bool reproduced = model.ranks().any(again.has_value());
  float value = 0;
  model.read(*found->gradient, found->index * sizeof value, sizeof value, &value);
  model.ranks().together([&] {
    if (reproduced && !again)
      return;
    fail(ExitCode::Numeric,
         "iteration %lld: the gradient of %s has %g at index %llu; an exact "
         "repeat gave %g: %s; the parameters were not updated",
         (long long)step, printable(found->gradient->of, 120).c_str(), shown(found->value),
         (unsigned long long)found->index, shown(value), verdict(reproduced));
  }); // throws on every rank: one at least has failed
}

} // namespace txrun
