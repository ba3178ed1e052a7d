//===- Score.h - What a choice costs --------------------------------------------------------------------*- C++ -*-===//
//
// The seconds and the bytes of a step under a choice, by the functions that the passes use too:
//
//   Scorer scorer(step, entry, timer);
//   Score score = scorer.score(choices);
//
// `score.bytes` counts live bytes, which is what nearly all placements reach; scorer.place(choices) has the bytes as
// they will be allocated.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_PLAN_SCORE_H
#define TX_PLAN_SCORE_H

#include "tx/Plan/Peak.h"
#include "tx/Plan/Replay.h"
#include "tx/Plan/Seconds.h"

namespace tx::plan {

struct Score {
  double seconds = 0; ///< of the entry that trains
  int64_t bytes = 0;  ///< of the whole arena
};

class Scorer {
public:
  /// Decides about entry number `main` and those that share its forward. `step` has no recomputations yet, and must
  /// outlive the scorer, as must `timer`.
  Scorer(const Step &step, int main, LaunchTimer &timer);

  /// The entry that is longest of those that train: `step` if there is one. -1: none trains.
  static int findMainEntry(const Step &step);

  const Entry &getEntry() const { return step.entries[main]; }
  const Step &getStep() const { return step; }
  LaunchTimer &getTimer() const { return timer; }
  const StateLayout &getLayout() const { return layout; }

  Score score(const Choices &choices);

  /// All entries under the choices, placed as tx-place-memory will.
  Peak place(const Choices &choices) const;
  /// The step with the recomputations that the choices need in all entries that share the main entry's forward.
  Step apply(const Choices &choices) const;

  /// Bytes of the arena that no choice changes: state, and the main entry's arguments.
  int64_t getFixedBytes() const { return fixedBytes; }

  /// How many choices were scored.
  int64_t getCount() const { return count; }

private:
  const Step &step;
  int main;
  LaunchTimer &timer;
  StateLayout layout;
  int64_t alignment, persistentBytes;
  int64_t otherArguments = 0, otherTransient = 0; // of entries that no choice changes
  int64_t fixedBytes = 0;
  int64_t count = 0;
};

/// The choices for entry number `to` that equal those for entry number `from`; nothing if their forwards differ.
std::optional<Choices> transferChoices(const Step &step, int from, const Choices &choices, int to);

} // namespace tx::plan

#endif // TX_PLAN_SCORE_H
