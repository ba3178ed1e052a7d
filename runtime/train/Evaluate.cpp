//===- Evaluate.cpp - The loss over a set of samples --------------------------------------------------------------===//

#include "train/Evaluate.h"
#include "core/Failure.h"

#include <algorithm>
#include <cmath>

namespace txrt::train {

uint64_t countOf(double sum) { return sum >= 0 && sum < 0x1p63 ? static_cast<uint64_t>(sum) : 0; }

Evaluator::Evaluator(const Model &model, SampleSource &source)
    : model(model), source(source), micro(model.batch().microBatch), sequence(model.batch().sequence),
      entry(model.entry("evaluate")) {
  if (!model.batch().ignored)
    fail(TXRT_BAD_INPUT,
         "%s: entry 'evaluate' takes no target to be left out, and what is "
         "missing in the last window is one; in IR, give tx.cross_entropy and "
         "tx.reduce_loss the same ignored id",
         printable(model.path(), 200).c_str());
  tokens = entry.argument<int32_t>("tokens", {micro, sequence});
  targets = entry.argument<int32_t>("targets", {micro, sequence});
  lossSum = entry.result<float>("loss_sum", {});
  validCount = entry.result<float>("valid_count", {});
}

EvaluationResult Evaluator::run(int64_t microBatches) {
  uint64_t samples = source.size();
  uint64_t batches = (samples + micro - 1) / micro;
  if (microBatches > 0)
    batches = std::min<uint64_t>(batches, static_cast<uint64_t>(microBatches));
  std::vector<int32_t> batchTokens(micro * sequence);
  std::vector<int32_t> batchTargets(micro * sequence);
  double sum = 0, valid = 0;
  Ranks &ranks = model.ranks();
  const auto size = static_cast<uint64_t>(ranks.size());
  const auto own = static_cast<uint64_t>(ranks.rank());
  // The entry sums over the ranks, so all must run it: a rank that has no micro batch left runs one whose targets are
  // all ignored.
  for (uint64_t begin = 0; begin < batches && !ranks.interrupted(); begin += size) {
    const uint64_t batch = begin + own;
    for (uint64_t row = 0; row < micro; ++row) {
      uint64_t index = batch < batches ? batch * micro + row : samples;
      int32_t *rowTokens = batchTokens.data() + row * sequence;
      int32_t *rowTargets = batchTargets.data() + row * sequence;
      if (index < samples) {
        source.sample(index, rowTokens, rowTargets);
        continue;
      }
      std::fill_n(rowTokens, sequence, 0);
      std::fill_n(rowTargets, sequence, *model.batch().ignored);
    }
    tokens.set(batchTokens);
    targets.set(batchTargets);
    entry.run();
    sum += lossSum.get();
    valid += validCount.get();
  }
  EvaluationResult result;
  result.validCount = countOf(valid);
  result.loss = valid > 0 ? sum / valid : 0.0;
  result.perplexity = std::exp(result.loss);
  result.bitsPerToken = result.loss / std::log(2.0);
  if (!std::isfinite(result.loss))
    fail(TXRT_NUMERIC, "the evaluation's loss is %g: are the weights finite?", result.loss);
  return result;
}

} // namespace txrt::train
