//===- Replay.h - What backward computes again ----------------------------------------------------------*- C++ -*-===//
//
// A choice for each forward value decides what a step saves. Which ops have to be computed again, and where, follows:
//
//   std::vector<Recomputation> recomputations = placeRecomputations(entry, choices);
//   Entry replayed = applyRecomputations(entry, choices, recomputations);
//
// `replayed` is the entry with clones of forward ops in backward, as data. Passes clone ops of IR by the same lists.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_PLAN_REPLAY_H
#define TX_PLAN_REPLAY_H

#include "tx/Plan/Step.h"

namespace tx::plan {

/// What becomes of a forward value that backward uses.
enum class Choice { Keep, Recompute };

/// One choice for each value of an entry; all values that no forward op computes are kept.
using Choices = std::vector<Choice>;

/// One forward op is cloned right before another op; both are numbers of ops in the entry.
struct Recomputation {
  int op;
  int before;
};

/// The clones that the choices need, in the order of their execution. An op is cloned once, right before the first use
/// of one of its results that is not kept; the ops that compute its own operands are cloned before it. An op whose
/// results nobody uses in backward is not cloned: a full replay of a layer ends before the layer's last product.
std::vector<Recomputation> placeRecomputations(const Entry &entry, const Choices &choices);

/// The entry with the clones. Ops and values of `entry` come in their order, clones and their results between them.
Entry applyRecomputations(const Entry &entry, const Choices &choices, const std::vector<Recomputation> &recomputations);

/// The values that the entry saves: forward results that are still alive in backward. Inputs, parameters and views do
/// not count.
std::vector<int> getSavedValues(const Entry &entry, const Choices &choices,
                                const std::vector<Recomputation> &recomputations);

/// Two entries whose forward is the same (`microbatch`, and `step`, which updates too) take one decision: for each
/// value of `to` that forward computes, the value of `from` that equals it; -1 for all others. Nothing if the forward
/// ops of the two differ.
std::optional<std::vector<int>> matchForward(const Entry &from, const Entry &to);

} // namespace tx::plan

#endif // TX_PLAN_REPLAY_H
