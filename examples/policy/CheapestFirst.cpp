//===- CheapestFirst.cpp - A recompute policy of one's own, as a plug-in of tx-opt and tx-compile -----------------===//
//
//   --recompute-policy cheapest-first:50
//
// computes in each layer again what takes fewest FLOPs for each byte, until half of what the layer saves is freed. A
// policy reads the plain step (tx/Plan/Step.h) and fills choices. Where the recomputations stand follows from them, and
// verifyPlan checks the whole, whoever made it.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Remat/Policies.h"

#include "mlir/Tools/Plugins/PassPlugin.h"
#include "llvm/ADT/StringRef.h"

#include <algorithm>
#include <map>

using namespace tx;

/// What an op saves for backward; 0 if it must not run again.
static int64_t countSavedBytes(const plan::Entry &entry, const plan::Op &op, const std::vector<int> &saved) {
  int64_t bytes = 0;
  for (int result : op.results)
    if (op.replay != ReplayKind::Never && std::binary_search(saved.begin(), saved.end(), result))
      bytes += entry.values[result].bytes;
  return bytes;
}

static void chooseCheapestFirst(const RematInput &input, const RematPolicy &policy, RematPlan &plan) {
  int64_t percent = 0;
  if (llvm::StringRef(policy.argument).getAsInteger(10, percent) || percent < 0 || percent > 100) {
    plan.refusal = "takes a share from 0 to 100 percent, as in cheapest-first:50; found '" + policy.argument + "'";
    return;
  }
  const plan::Entry &entry = input.entry;
  const std::vector<int> saved = getSavedValues(entry, plan); // by a plan that keeps all
  struct Candidate {
    double flopsPerByte;
    int op;
    int64_t bytes;
    bool operator<(const Candidate &other) const {
      return std::pair(flopsPerByte, op) < std::pair(other.flopsPerByte, other.op);
    }
  };
  std::map<int, std::vector<Candidate>> layers;
  for (int number = 0, e = entry.ops.size(); number < e; ++number) {
    const plan::Op &op = entry.ops[number];
    int64_t bytes = op.isForward() && op.layer >= 0 ? countSavedBytes(entry, op, saved) : 0;
    if (bytes > 0)
      layers[op.layer].push_back({double(op.matrixFlops + op.vectorFlops) / double(bytes), number, bytes});
  }
  int line = plan.addLine("cheapest-first " + std::to_string(percent) + " %");
  for (auto &[layer, candidates] : layers) {
    std::sort(candidates.begin(), candidates.end());
    int64_t left = 0;
    for (const Candidate &candidate : candidates)
      left += candidate.bytes * percent;
    for (const Candidate &candidate : candidates) {
      if (left <= 0)
        break;
      left -= candidate.bytes * 100;
      for (int result : entry.ops[candidate.op].results)
        plan.recompute(result, line);
    }
  }
}

/// What tx-opt and tx-compile look for in a plug-in.
extern "C" mlir::PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "cheapest-first", "0.1", [] {
            registerRematPolicy({"cheapest-first", "what takes fewest FLOPs for each byte, up to a share of a layer",
                                 /*applies=*/nullptr, chooseCheapestFirst});
          }};
}
