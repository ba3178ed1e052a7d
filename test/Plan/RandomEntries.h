//===- RandomEntries.h - Small training steps at random, with few choices -----------------------------------------===//

#ifndef TX_TEST_PLAN_RANDOMENTRIES_H
#define TX_TEST_PLAN_RANDOMENTRIES_H

#include "TrainingSteps.h"

#include "tx/Plan/Replay.h"

namespace tx::plan {

/// A step of one entry.
struct RandomStep {
  Step step;
  std::vector<int> free; ///< the values that may be recomputed, views left out
};

/// Whether norms give their statistics, too.
enum class Results { One, Several };

/// Some layers of products, norms, dropouts, sums, activations and views, and their gradients in backward, which read
/// what a model's do. At most `most` values may be recomputed.
RandomStep drawStep(test::Random &random, size_t most = 12, Results results = Results::Several);

/// Decides about a value and its views.
void choose(const Entry &entry, Choices &choices, int value, Choice choice);

} // namespace tx::plan

#endif // TX_TEST_PLAN_RANDOMENTRIES_H
