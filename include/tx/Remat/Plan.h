//===- Plan.h - What is kept, what is recomputed, and why -----------------------------------------------*- C++ -*-===//
//
// A policy only fills `choices`, and says why in `lines`. placeRecomputations then places the clones where their
// results are needed. The verifier trusts neither of them.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_REMAT_PLAN_H
#define TX_REMAT_PLAN_H

#include "tx/Plan/Search.h"

#include <optional>

namespace tx {

struct RematPlan {
  std::vector<std::string> lines; ///< `selective core_attn`, `full uniform, layers 0-2`
  plan::Choices choices;          ///< one for each value
  std::vector<int> reasons;       ///< for each value: the line that asked for its recomputation; -1: it is kept
  std::vector<plan::Recomputation> recomputations; ///< in the order of their execution
  std::string refusal;                             ///< why the policy has no plan; empty: it has one
  std::optional<plan::SearchResult> found;         ///< what policy `auto` has found

  /// A plan that keeps every value.
  explicit RematPlan(const plan::Entry &entry)
      : choices(entry.values.size(), plan::Choice::Keep), reasons(entry.values.size(), -1) {}
  int addLine(std::string text) {
    lines.push_back(std::move(text));
    return static_cast<int>(lines.size()) - 1;
  }

  bool isRecomputed(int value) const { return choices[value] == plan::Choice::Recompute; }
  /// `line`: the number of the line that asks for it.
  void recompute(int value, int line) {
    choices[value] = plan::Choice::Recompute;
    reasons[value] = line;
  }
  void keep(int value) {
    choices[value] = plan::Choice::Keep;
    reasons[value] = -1;
  }
};

/// Fills `recomputations` with the clones that the choices need.
void placeRecomputations(const plan::Entry &entry, RematPlan &plan);

/// Returns a message about what is wrong with the plan; nothing if the step with the plan computes the same values as
/// the step without recomputation, and no clone is superfluous.
std::optional<std::string> verifyPlan(const plan::Entry &entry, const RematPlan &plan);

/// The values that the step saves under the plan, and their bytes: see plan::getSavedValues.
std::vector<int> getSavedValues(const plan::Entry &entry, const RematPlan &plan);
int64_t getSavedBytes(const plan::Entry &entry, const RematPlan &plan);

} // namespace tx

#endif // TX_REMAT_PLAN_H
