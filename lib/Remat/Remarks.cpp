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

void tx::remarkOnPlan(func::FuncOp function, const plan::Entry &entry, const RematPlan &plan) {
  std::map<std::pair<int, int>, Effect> effects; // key: line of the plan, layer
  Effect all;
  auto effectOf = [&](int value) -> Effect & {
    return effects[{plan.reasons[value], entry.ops[entry.values[value].producer].layer}];
  };

  RematPlan none(entry);
  for (int value : getSavedValues(entry, none))
    if (plan.isRecomputed(value))
      effectOf(value).bytesFreed += entry.values[value].bytes;
  for (const plan::Recomputation &recomputation : plan.recomputations) {
    const plan::Op &op = entry.ops[recomputation.op];
    int result = *llvm::find_if(op.results, [&](int result) { return plan.isRecomputed(result); });
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
      << remark::metric("BytesWithout", getSavedBytes(entry, none))
      << remark::metric("Bytes", getSavedBytes(entry, plan)) << remark::metric("RecomputedOps", all.ops)
      << remark::metric("MatrixFlops", all.matrixFlops) << remark::metric("VectorFlops", all.vectorFlops);
}
