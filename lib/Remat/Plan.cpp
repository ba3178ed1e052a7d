//===- Plan.cpp - From choices to recomputations ------------------------------------------------------------------===//

#include "tx/Remat/Plan.h"

using namespace tx;

namespace {

/// Walks the backward ops in program order. The first op that needs a recomputed value decides where it is recomputed.
class Placement {
public:
  Placement(const RematProblem &problem, RematPlan &plan)
      : problem(problem), plan(plan), placed(problem.ops.size(), false) {}

  void run() {
    plan.recomputations.clear();
    for (int op = 0, e = problem.ops.size(); op < e; ++op)
      if (!problem.ops[op].isForward())
        for (int operand : problem.ops[op].operands)
          demand(operand, op);
  }

private:
  // A chain of recomputations can be of any length (about twenty ops for each layer of a chunk), so this uses an
  // explicit stack and does not recurse.
  void demand(int value, int before) {
    std::vector<std::pair<int, size_t>> stack; // op, and the index of its operand to visit next
    auto push = [&](int wanted) {
      int producer = problem.values[wanted].producer;
      if (producer < 0 || !plan.choices[wanted].recompute || placed[producer])
        return;
      placed[producer] = true;
      stack.push_back({producer, 0});
    };
    push(value);
    while (!stack.empty()) {
      int op = stack.back().first;
      const std::vector<int> &operands = problem.ops[op].operands;
      if (stack.back().second < operands.size()) {
        push(operands[stack.back().second++]);
        continue;
      }
      plan.recomputations.push_back({op, before});
      stack.pop_back();
    }
  }

  const RematProblem &problem;
  RematPlan &plan;
  std::vector<bool> placed;
};

} // namespace

void tx::placeRecomputations(const RematProblem &problem, RematPlan &plan) { Placement(problem, plan).run(); }

std::vector<int> tx::getSavedValues(const RematProblem &problem, const RematPlan &plan) {
  std::vector<bool> saved(problem.values.size(), false);
  auto use = [&](const RematOp &op) {
    for (int operand : op.operands)
      if (problem.isForwardResult(operand) && !plan.choices[operand].recompute)
        saved[problem.values[operand].storage] = true;
  };
  for (const RematOp &op : problem.ops)
    if (!op.isForward())
      use(op);
  for (const Recomputation &recomputation : plan.recomputations)
    use(problem.ops[recomputation.op]);

  std::vector<int> list;
  for (int value = 0, e = saved.size(); value < e; ++value)
    if (saved[value] && problem.isForwardResult(value)) // a view of a parameter is no forward result and saves nothing
      list.push_back(value);
  return list;
}

int64_t tx::getSavedBytes(const RematProblem &problem, const RematPlan &plan) {
  int64_t bytes = 0;
  for (int value : getSavedValues(problem, plan))
    bytes += problem.values[value].bytes;
  return bytes;
}
