//===- Search.h - The quickest choice within a budget ---------------------------------------------------*- C++ -*-===//
//
//   Search search(step, main, timer);
//   SearchResult best = search.run(budget, seeds);
//
// A cut (Bound.h) gives the best choice for each price of memory. Prices order these choices from all kept to as much
// as possible computed again; between two neighbours the ops change one by one, the last layers' first, since heavy
// recomputation is best where backward comes last. On this one line of choices the search finds the lightest one that
// stays within the budget: exactly, by schedule, lifetimes and seconds of the whole step. So a larger budget finds a
// choice further along the line. What room is left then goes to single ops.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_PLAN_SEARCH_H
#define TX_PLAN_SEARCH_H

#include "tx/Plan/Bound.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace tx::plan {

struct SearchResult {
  Choices choices;
  Score score; ///< `bytes` as placed
  int64_t budget = 0;
  double boundSeconds = 0; ///< no choice within the budget takes less
  bool fits = false;       ///< else `choices` are those with the fewest bytes that were found
  int64_t fullBytes = 0;   ///< with all kept
  int64_t scored = 0;      ///< how many choices were looked at

  double getGap() const { return score.seconds > 0 ? (score.seconds - boundSeconds) / score.seconds : 0; }
};

class Search {
public:
  /// Decides about entry number `main` of `step`, see Scorer. Both must outlive the search.
  Search(const Step &step, int main, LaunchTimer &timer) : scorer(step, main, timer), problem(scorer) {}

  /// The quickest choice found whose arena, as placed, has at most `budget` bytes. `seeds`: other choices to consider,
  /// those of policies.
  SearchResult run(int64_t budget, const std::vector<Choices> &seeds = {});

  Scorer &getScorer() { return scorer; }
  const KeepProblem &getProblem() const { return problem; }

private:
  struct Candidate {
    Choices choices;
    Score score;
  };
  Candidate weigh(Choices choices);
  Candidate solve(int64_t budget, const std::vector<Choices> &seeds);
  Candidate walkLine(Candidate heavy, Candidate light, int64_t budget);
  Candidate fill(Candidate plan, int64_t budget);
  Candidate squeeze(Candidate plan);
  int64_t getTries(int64_t work) const;
  void sampleLine(const Choices &heavy, const Choices &light, llvm::function_ref<void(Candidate)> take);
  std::optional<Candidate> walkHull(const MemoryPoint &point, const std::vector<bool> &kept, int64_t budget);
  std::vector<int> listFlips(const Choices &heavy, const Choices &light) const;
  void flip(Choices &choices, int op, const Choices &to) const;

  Scorer scorer;
  KeepProblem problem;
};

} // namespace tx::plan

#endif // TX_PLAN_SEARCH_H
