//===- Remarks.cpp - What rematerialization did, in numbers -------------------------------------------------------===//

#include "ApplyPlan.h"

#include "mlir/IR/Remarks.h"

#include <map>

using namespace mlir;
using namespace tx;

namespace {
struct Effect {
  int ops = 0;
  int64_t bytesFreed = 0, matrixFlops = 0, vectorFlops = 0;
};
} // namespace

static remark::RemarkOpts optionsFor(func::FuncOp function, StringRef name) {
  return remark::RemarkOpts::name(name).category("tx-rematerialize").function(function.getName());
}

void tx::remarkOnPlan(func::FuncOp function, const RematProblem &problem, const RematPlan &plan) {
  std::map<std::pair<int, int>, Effect> effects; // key: line of the plan, layer
  Effect all;
  auto effectOf = [&](int value) -> Effect & {
    return effects[{plan.choices[value].line, problem.ops[problem.values[value].producer].layer}];
  };

  RematPlan none(problem);
  for (int value : getSavedValues(problem, none))
    if (plan.choices[value].recompute)
      effectOf(value).bytesFreed += problem.values[value].bytes;
  for (const Recomputation &recomputation : plan.recomputations) {
    const RematOp &op = problem.ops[recomputation.op];
    int result = *llvm::find_if(op.results, [&](int result) { return plan.choices[result].recompute; });
    for (Effect *effect : {&effectOf(result), &all}) {
      ++effect->ops;
      effect->matrixFlops += op.matrixFlops;
      effect->vectorFlops += op.vectorFlops;
    }
  }

  for (const auto &[key, effect] : effects) {
    auto [line, layer] = key;
    remark::passed(function.getLoc(), optionsFor(function, "Rematerialized"))
        << remark::metric("Policy", plan.lines[line]) << remark::metric("Layer", layer)
        << remark::metric("Ops", effect.ops) << remark::metric("BytesFreed", effect.bytesFreed)
        << remark::metric("MatrixFlops", effect.matrixFlops) << remark::metric("VectorFlops", effect.vectorFlops);
  }
  remark::analysis(function.getLoc(), optionsFor(function, "SavedActivations"))
      << remark::metric("BytesWithout", getSavedBytes(problem, none))
      << remark::metric("Bytes", getSavedBytes(problem, plan)) << remark::metric("RecomputedOps", all.ops)
      << remark::metric("MatrixFlops", all.matrixFlops) << remark::metric("VectorFlops", all.vectorFlops);
}
