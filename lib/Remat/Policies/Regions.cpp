//===- Regions.cpp - Recompute what a part of the model computes ----------===//

#include "Regions.h"

#include "llvm/ADT/STLExtras.h"

using namespace tx;

RegionChooser::RegionChooser(const RematProblem &problem, RematPlan &plan)
    : problem(problem), plan(plan), users(problem.computeUsers()), opsOfLayer(problem.layerCount) {
  for (int op = 0, e = problem.ops.size(); op < e; ++op)
    if (problem.ops[op].isForward() && problem.ops[op].layer >= 0)
      opsOfLayer[problem.ops[op].layer].push_back(op);
}

void RegionChooser::recompute(std::string line, int first, int end, IsInside isInside, RegionOutput output) {
  auto isInRegion = [&](const RematOp &op) { return op.layer >= first && op.layer < end && isInside(op); };
  int lineNumber = plan.addLine(std::move(line));
  for (int layer = first; layer < end; ++layer)
    for (int op : opsOfLayer[layer]) {
      if (!isInside(problem.ops[op]))
        continue;
      for (int result : problem.ops[op].results) {
        RematChoice &choice = plan.choices[result];
        if (problem.isView(result) || choice.recompute)
          continue;
        if (output == RegionOutput::Discarded || !leavesRegion(result, isInRegion))
          choice = {true, lineNumber};
      }
    }
}

void tx::followViews(const RematProblem &problem, RematPlan &plan) {
  for (int value = 0, e = problem.values.size(); value < e; ++value)
    if (problem.isView(value) && problem.isForwardResult(value))
      plan.choices[value] = plan.choices[problem.values[value].storage];
}

// Through views too: a slice inside of the region does not keep the whole inside.
bool RegionChooser::leavesRegion(int value, IsInside isInside) const {
  return llvm::any_of(users[value], [&](int user) {
    const RematOp &op = problem.ops[user];
    if (!op.isForward())
      return false;
    if (!isInside(op))
      return true;
    return llvm::any_of(op.results, [&](int result) {
      return problem.isView(result) && problem.values[result].storage == problem.values[value].storage &&
             leavesRegion(result, isInside);
    });
  });
}

std::string tx::describeLayers(const std::vector<int> &layers) {
  std::string text = layers.size() == 1 ? "layer " : "layers ";
  for (size_t first = 0; first < layers.size();) {
    size_t last = first;
    while (last + 1 < layers.size() && layers[last + 1] == layers[last] + 1)
      ++last;
    text += (first == 0 ? "" : ",") + std::to_string(layers[first]);
    if (last > first)
      text += "-" + std::to_string(layers[last]);
    first = last + 1;
  }
  return text;
}
