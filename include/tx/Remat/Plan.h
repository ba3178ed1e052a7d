//===- Plan.h - What is kept, what is recomputed, and where ---------------------------------------------*- C++ -*-===//
//
// A policy only fills `choices` and says why in `lines`; placement follows from demand. The verifier trusts neither.
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
  int line = -1; ///< the line of the policy that said so
};

/// The clone of one forward op, right before another op.
struct Recomputation {
  int op;
  int before;
};

struct RematPlan {
  std::vector<std::string> lines;            ///< `selective core_attn`, `full uniform, layers 0-2`
  std::vector<RematChoice> choices;          ///< by value; what is not recomputed is kept
  std::vector<Recomputation> recomputations; ///< in the order of their execution

  /// Keeps everything.
  explicit RematPlan(const RematProblem &problem) : choices(problem.values.size()) {}
  int addLine(std::string text) {
    lines.push_back(std::move(text));
    return static_cast<int>(lines.size()) - 1;
  }
};

/// Finds the recomputations that the choices need, on demand: an op is cloned once, right before the first use of a
/// result that is not kept, with what it needs itself before it. What nobody needs is not cloned: a full replay of a
/// layer ends before its last product.
void placeRecomputations(const RematProblem &problem, RematPlan &plan);

/// What is wrong with the plan, for people; nothing if it computes the values of the step without any recomputation,
/// with no clone too many.
std::optional<std::string> verifyPlan(const RematProblem &problem, const RematPlan &plan);

/// The values that live from forward into backward under the plan, without inputs, parameters and views: what the step
/// saves.
std::vector<int> getSavedValues(const RematProblem &problem, const RematPlan &plan);
int64_t getSavedBytes(const RematProblem &problem, const RematPlan &plan);

} // namespace tx

#endif // TX_REMAT_PLAN_H
