//===- Plan.h - What is kept, what is recomputed, and where ---------------------------------------------*- C++ -*-===//
//
// A policy only fills `choices`, and says why in `lines`. placeRecomputations then places the clones where their
// results are needed. The verifier trusts neither of them.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_REMAT_PLAN_H
#define TX_REMAT_PLAN_H

#include "tx/Remat/Problem.h"

#include <optional>

namespace tx {

/// What becomes of a forward value that backward uses.
struct RematChoice {
  bool recompute = false;
  int line = -1; ///< index into RematPlan::lines: the line that asked for the recomputation
};

/// One forward op is cloned right before another op; both are numbers of ops in the problem.
struct Recomputation {
  int op;
  int before;
};

struct RematPlan {
  std::vector<std::string> lines;            ///< `selective core_attn`, `full uniform, layers 0-2`
  std::vector<RematChoice> choices;          ///< one for each value; a value that is not recomputed is kept
  std::vector<Recomputation> recomputations; ///< in the order of their execution

  /// A plan that keeps every value.
  explicit RematPlan(const RematProblem &problem) : choices(problem.values.size()) {}
  int addLine(std::string text) {
    lines.push_back(std::move(text));
    return static_cast<int>(lines.size()) - 1;
  }
};

/// Fills `recomputations` with the clones that the choices need. An op is cloned once, right before the first use of
/// one of its results that is not kept; the ops that compute its own operands are cloned before it. An op whose results
/// nobody uses in backward is not cloned: a full replay of a layer ends before the layer's last product.
void placeRecomputations(const RematProblem &problem, RematPlan &plan);

/// Returns a message about what is wrong with the plan; nothing if the step with the plan computes the same values as
/// the step without recomputation, and no clone is superfluous.
std::optional<std::string> verifyPlan(const RematProblem &problem, const RematPlan &plan);

/// The values that the step saves under the plan: forward results that are still alive in backward. Inputs, parameters
/// and views do not count.
std::vector<int> getSavedValues(const RematProblem &problem, const RematPlan &plan);
int64_t getSavedBytes(const RematProblem &problem, const RematPlan &plan);

} // namespace tx

#endif // TX_REMAT_PLAN_H
