//===- PlanTable.h - What each policy costs at each size ----------------------------------------------------*- C++
//-*-===//
//
//   llvm::Expected<PlanTable> table = makePlanTable(options, progress);
//   for (const PlanRow &row : table->rows)
//     ... row.policy, row.microBatchSize, row.step.peakBytes, row.seconds ...
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXPLAN_PLANTABLE_H
#define TXPLAN_PLANTABLE_H

#include "PlanOptions.h"

#include "tx/Pipeline/Planner.h"

#include <functional>
#include <string>
#include <vector>

namespace tx {

/// A recompute policy, and what people call it.
struct NamedPolicy {
  std::string name; ///< `none`, `selective mlp_act,layernorm`, `block 8`, `full`
  RecomputeOptions options;
};

/// The flags that ask for a policy, as Megatron spells them.
std::string getMegatronFlags(const RecomputeOptions &options);

/// A policy at a size of micro batch.
struct PlanRow {
  NamedPolicy policy;
  int64_t microBatchSize = 1;
  PlannedStep step;

  bool fits = false;
  int64_t headroom = 0;       ///< bytes of the device that stay free; below 0: so many are missing
  double seconds = 0;         ///< between two updates
  double tokensPerSecond = 0; ///< on all ranks
  double flopsShare = 0;      ///< MFU: the model's FLOPs over what the device's matrix units could do meanwhile
  int dominatedBy = -1;       ///< a row of the same size that takes no more bytes and no more time, and less of one
};

/// A module that is not worth a row: recomputing it frees next to nothing.
struct UselessModule {
  std::string name;
  int64_t freedBytes = 0; ///< of the saved activations
  double slowdown = 0;    ///< the share by which a micro batch takes longer
};

struct PlanTable {
  std::vector<PlanRow> rows;   ///< by size, then from most bytes to least
  int best = -1;               ///< the row that fits and has most tokens a second; -1: none fits
  int64_t memoryBytes = 0;     ///< of the device
  int64_t outsideBytes = 0;    ///< of them what lies outside the arena
  int64_t globalBatchSize = 1; ///< samples between two updates
  int64_t tokens = 1;          ///< of a sample
  double matrixRate = 0;       ///< FLOPs a second that the device has for the model's products
  std::vector<UselessModule> useless;
  std::vector<RecomputeModule> modules; ///< the parts that the model has

  /// What the arena may have.
  int64_t getBudget() const { return memoryBytes - outsideBytes; }
  const PlanRow *getBest() const { return best < 0 ? nullptr : &rows[best]; }
  /// The row without recomputation that fits and has most tokens a second; null if none fits.
  const PlanRow *getBestNone() const;
  /// The row that needs fewest bytes.
  const PlanRow &getLeast() const;
};

/// Called before each plan with what it is.
using PlanProgress = std::function<void(llvm::StringRef)>;

llvm::Expected<PlanTable> makePlanTable(const PlanOptions &options, const PlanProgress &progress);

/// The options of the model at a size of micro batch.
CompileOptions withMicroBatch(const CompileOptions &options, int64_t size);

} // namespace tx

#endif // TXPLAN_PLANTABLE_H
