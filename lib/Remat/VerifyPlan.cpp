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
  Verifier(const plan::Entry &entry, const RematPlan &plan) : entry(entry), plan(plan) {}

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
    if (plan.choices.size() != entry.values.size())
      return "the plan decides about " + std::to_string(plan.choices.size()) + " values of " +
             std::to_string(entry.values.size());
    for (int value = 0, e = plan.choices.size(); value < e; ++value) {
      bool isRecomputed = plan.isRecomputed(value);
      int line = plan.reasons[value];
      if (isRecomputed && !entry.isForwardResult(value))
        return nameOf(value) + " is to be recomputed, but no forward op computes it";
      if (isRecomputed && (line < 0 || line >= static_cast<int>(plan.lines.size())))
        return nameOf(value) + " is to be recomputed, but no line of the policy says so";
      int storage = entry.values[value].storage;
      if (entry.isForwardResult(value) && entry.isForwardResult(storage) && isRecomputed != plan.isRecomputed(storage))
        return nameOf(value) + " is a view of " + nameOf(storage) + ", but only one of them is kept";
    }
    return std::nullopt;
  }

  std::optional<std::string> checkRecomputations() {
    int opCount = entry.ops.size(), last = 0;
    place.assign(opCount, -1);
    for (auto [op, before] : plan.recomputations) {
      if (op < 0 || op >= opCount || !entry.ops[op].isForward())
        return std::string("a recomputation names no forward op");
      const plan::Op &forward = entry.ops[op];
      if (before < 0 || before >= opCount || entry.ops[before].isForward())
        return forward.name + " is to be recomputed before an op that is not of backward";
      if (before < last)
        return forward.name + " is to be recomputed out of order";
      last = before;
      if (place[op] >= 0)
        return forward.name + " is to be recomputed twice";
      if (std::optional<std::string> fault = checkReplay(forward))
        return fault;
      for (const plan::Operand &operand : forward.operands)
        if (!isAvailable(operand.value, before))
          return forward.name + " is to be recomputed from " + nameOf(operand.value) +
                 ", which is neither kept nor recomputed by then";
      place[op] = before;
    }
    return std::nullopt;
  }

  std::optional<std::string> checkReplay(const plan::Op &op) {
    switch (op.replay) {
    case ReplayKind::Exact:
      return std::nullopt;
    case ReplayKind::Keyed:
      if (op.replayKey < 0 || !op.reads(op.replayKey))
        return op.name + " cannot be recomputed: it draws random numbers, and no operand holds its key";
      return std::nullopt;
    case ReplayKind::Never:
      break;
    }
    return op.name + " cannot be recomputed: it has an effect or must happen once; keep what it computes";
  }

  std::optional<std::string> checkBackward() {
    for (int op = 0, e = entry.ops.size(); op < e; ++op)
      if (!entry.ops[op].isForward())
        for (const plan::Operand &operand : entry.ops[op].operands)
          if (!isAvailable(operand.value, op))
            return entry.ops[op].name + " of backward uses " + nameOf(operand.value) +
                   ", which is neither kept nor recomputed by then";
    return std::nullopt;
  }

  // Goes from the last recomputation to the first: a recomputation is used by ops or by later recomputations, so its
  // first use is known when it is reached.
  std::optional<std::string> checkPlaces() {
    constexpr int kNoUse = 1 << 30;
    std::vector<int> firstUse(entry.values.size(), kNoUse);
    auto use = [&](const plan::Op &op, int at) {
      for (const plan::Operand &operand : op.operands)
        if (plan.isRecomputed(operand.value))
          firstUse[operand.value] = std::min(firstUse[operand.value], at);
    };
    for (int op = 0, e = entry.ops.size(); op < e; ++op)
      if (!entry.ops[op].isForward())
        use(entry.ops[op], op);
    for (auto [op, before] : llvm::reverse(plan.recomputations)) {
      int first = kNoUse;
      for (int result : entry.ops[op].results)
        first = std::min(first, firstUse[result]);
      if (first == kNoUse)
        return entry.ops[op].name + " is to be recomputed for no use";
      if (first != before)
        return entry.ops[op].name + " is to be recomputed away from its first use";
      use(entry.ops[op], before);
    }
    return std::nullopt;
  }

  bool isAvailable(int value, int at) const {
    if (!plan.isRecomputed(value))
      return true;
    int recomputedAt = place[entry.values[value].producer];
    return recomputedAt >= 0 && recomputedAt <= at;
  }

  std::string nameOf(int value) const { return "'" + entry.values[value].name + "'"; }

  const plan::Entry &entry;
  const RematPlan &plan;
  std::vector<int> place; // for each op: where it is recomputed
};

} // namespace

std::optional<std::string> tx::verifyPlan(const plan::Entry &entry, const RematPlan &plan) {
  return Verifier(entry, plan).run();
}
