//===- Problem.cpp - What rematerialization decides about ---------------------------------------------------------===//

#include "tx/Remat/Problem.h"

#include "llvm/ADT/STLExtras.h"

using namespace tx;

bool RematOp::isInside(RecomputeModule module) const {
  return llvm::is_contained(path, stringifyRecomputeModule(module));
}

std::optional<int> RematProblem::findLayer(int number) const {
  auto found = llvm::lower_bound(layers, number);
  if (found == layers.end() || *found != number)
    return std::nullopt;
  return static_cast<int>(found - layers.begin());
}

void RematProblem::addLayer(int number) {
  auto place = llvm::lower_bound(layers, number);
  if (number >= 0 && (place == layers.end() || *place != number))
    layers.insert(place, number);
}

std::vector<std::vector<int>> RematProblem::computeUsers() const {
  std::vector<std::vector<int>> users(values.size());
  for (int op = 0, e = ops.size(); op < e; ++op)
    for (int operand : ops[op].operands)
      if (users[operand].empty() || users[operand].back() != op)
        users[operand].push_back(op);
  return users;
}

std::vector<RecomputeModule> RematProblem::getModulesPresent() const {
  std::vector<RecomputeModule> present;
  for (unsigned value = 0; value <= getMaxEnumValForRecomputeModule(); ++value) {
    auto module = static_cast<RecomputeModule>(value);
    if (llvm::any_of(ops, [&](const RematOp &op) { return op.isForward() && op.layer >= 0 && op.isInside(module); }))
      present.push_back(module);
  }
  return present;
}
