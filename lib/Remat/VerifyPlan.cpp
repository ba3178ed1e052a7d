//===- VerifyPlan.cpp - A plan is correct, whoever made it --------------------------------------------------------===//
//
// Reads choices and recomputations as applyRematPlan will, and trusts neither the policy nor placeRecomputations. What
// holds for a plan that passes:
//
//  - each recomputed op gives the same bits again: exact, or keyed with its key;
//  - where a value is used it is there: kept, or recomputed at or before that place;
//  - each recomputation has a use, and stands right before the first one.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Remat/Plan.h"

#include "llvm/ADT/STLExtras.h"

using namespace tx;

namespace {

class Verifier {
public:
  Verifier(const RematProblem &problem, const RematPlan &plan) : problem(problem), plan(plan) {}

  std::optional<std::string> run() {
    using Check = std::optional<std::string> (Verifier::*)();
    for (Check check :
         {&Verifier::checkChoices, &Verifier::checkRecomputations, &Verifier::checkBackward, &Verifier::checkPlaces})
      if (std::optional<std::string> fault = (this->*check)())
        return fault;
    return std::nullopt;
  }

private:
  std::optional<std::string> checkChoices() {
    if (plan.choices.size() != problem.values.size())
      return "the plan decides about " + std::to_string(plan.choices.size()) + " values of " +
             std::to_string(problem.values.size());
    for (int value = 0, e = plan.choices.size(); value < e; ++value) {
      const RematChoice &choice = plan.choices[value];
      if (choice.recompute && !problem.isForwardResult(value))
        return nameOf(value) + " is to be recomputed, but no forward op computes it";
      if (choice.recompute && (choice.line < 0 || choice.line >= static_cast<int>(plan.lines.size())))
        return nameOf(value) + " is to be recomputed, but no line of the policy says so";
      int storage = problem.values[value].storage;
      if (problem.isForwardResult(value) && problem.isForwardResult(storage) &&
          choice.recompute != plan.choices[storage].recompute)
        return nameOf(value) + " is a view of " + nameOf(storage) + ", but only one of them is kept";
    }
    return std::nullopt;
  }

  std::optional<std::string> checkRecomputations() {
    int opCount = problem.ops.size(), last = 0;
    place.assign(opCount, -1);
    for (auto [op, before] : plan.recomputations) {
      if (op < 0 || op >= opCount || !problem.ops[op].isForward())
        return std::string("a recomputation names no forward op");
      const RematOp &forward = problem.ops[op];
      if (before < 0 || before >= opCount || problem.ops[before].isForward())
        return forward.name + " is to be recomputed before an op that is not of backward";
      if (before < last)
        return forward.name + " is to be recomputed out of order";
      last = before;
      if (place[op] >= 0)
        return forward.name + " is to be recomputed twice";
      if (std::optional<std::string> fault = checkReplay(forward))
        return fault;
      for (int operand : forward.operands)
        if (!isAvailable(operand, before))
          return forward.name + " is to be recomputed from " + nameOf(operand) +
                 ", which is neither kept nor recomputed by then";
      place[op] = before;
    }
    return std::nullopt;
  }

  std::optional<std::string> checkReplay(const RematOp &op) {
    switch (op.replay) {
    case ReplayKind::Exact:
      return std::nullopt;
    case ReplayKind::Keyed:
      if (op.replayKey < 0 || !llvm::is_contained(op.operands, op.replayKey))
        return op.name + " cannot be recomputed: it draws random numbers, and no operand holds its key";
      return std::nullopt;
    case ReplayKind::Never:
      break;
    }
    return op.name + " cannot be recomputed: it has an effect or must happen once; keep what it computes";
  }

  std::optional<std::string> checkBackward() {
    for (int op = 0, e = problem.ops.size(); op < e; ++op)
      if (!problem.ops[op].isForward())
        for (int operand : problem.ops[op].operands)
          if (!isAvailable(operand, op))
            return problem.ops[op].name + " of backward uses " + nameOf(operand) +
                   ", which is neither kept nor recomputed by then";
    return std::nullopt;
  }

  // Goes from the last recomputation to the first: a recomputation is used by ops or by later recomputations, so its
  // first use is known when it is reached.
  std::optional<std::string> checkPlaces() {
    constexpr int kNoUse = 1 << 30;
    std::vector<int> firstUse(problem.values.size(), kNoUse);
    auto use = [&](const RematOp &op, int at) {
      for (int operand : op.operands)
        if (plan.choices[operand].recompute)
          firstUse[operand] = std::min(firstUse[operand], at);
    };
    for (int op = 0, e = problem.ops.size(); op < e; ++op)
      if (!problem.ops[op].isForward())
        use(problem.ops[op], op);
    for (auto [op, before] : llvm::reverse(plan.recomputations)) {
      int first = kNoUse;
      for (int result : problem.ops[op].results)
        first = std::min(first, firstUse[result]);
      if (first == kNoUse)
        return problem.ops[op].name + " is to be recomputed for no use";
      if (first != before)
        return problem.ops[op].name + " is to be recomputed away from its first use";
      use(problem.ops[op], before);
    }
    return std::nullopt;
  }

  bool isAvailable(int value, int at) const {
    if (!plan.choices[value].recompute)
      return true;
    int recomputedAt = place[problem.values[value].producer];
    return recomputedAt >= 0 && recomputedAt <= at;
  }

  std::string nameOf(int value) const { return "'" + problem.values[value].name + "'"; }

  const RematProblem &problem;
  const RematPlan &plan;
  std::vector<int> place; // for each op: where it is recomputed
};

} // namespace

std::optional<std::string> tx::verifyPlan(const RematProblem &problem, const RematPlan &plan) {
  return Verifier(problem, plan).run();
}
