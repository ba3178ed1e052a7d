//===- Planner.h - Many plans of one model --------------------------------------------------------------*- C++ -*-===//
//
// A planner reads a model once, up to where recomputation is decided, and says what any recompute policy costs: on
// plain data, by the functions that the passes call, so that its numbers are those of a compilation. Nothing is
// generated and nothing runs, so the device need not be there.
//
//   llvm::Expected<std::unique_ptr<Planner>> planner = Planner::create(options, device);
//   llvm::Expected<PlannedStep> step = (*planner)->evaluate(policy);
//   step->peakBytes;                 // what the runtime would allocate for its arena
//   step->getSeconds(/*microbatches=*/4);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_PIPELINE_PLANNER_H
#define TX_PIPELINE_PLANNER_H

#include "tx/Frontend/CompileOptions.h"
#include "tx/Plan/Seconds.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tx {

/// A value that forward keeps for backward.
struct KeptValue {
  std::string name; ///< `layers.3.mlp.fc1`
  int layer = -1;   ///< -1: outside of the layers
  int64_t bytes = 0;
};

/// What a step costs under one policy.
struct PlannedStep {
  std::string refusal;         ///< why there is no plan, as of `auto` with too small a budget; then nothing else is set
  int64_t peakBytes = 0;       ///< the arena, as placed: peak_bytes of a report
  int64_t persistentBytes = 0; ///< parameters, gradients and the optimizer's state, a part of the peak
  int64_t savedBytes = 0;      ///< what forward keeps for backward
  std::vector<KeptValue> saved;
  int64_t forwardFlops = 0, backwardFlops = 0, recomputeFlops = 0; ///< of a micro batch's matrix products
  plan::Seconds step;       ///< of the entry that does all of an iteration with one micro batch
  plan::Seconds microbatch; ///< of the entry that adds one micro batch's gradients
  plan::Seconds apply;      ///< of the entry that then updates the parameters
  /// Of `auto`: no legal choice within its budget takes less for an iteration with one micro batch.
  std::optional<double> boundSeconds;

  /// The share of that time that a better choice could save at most.
  double getGap() const { return boundSeconds ? (step.getTotal() - *boundSeconds) / step.getTotal() : 0; }

  /// The time of an iteration with so many micro batches.
  plan::Seconds getSeconds(int64_t microbatches) const;
};

/// Whether a name, as --recompute-save-only takes it, stands for the value or for a module that contains it.
bool namesValue(llvm::StringRef name, llvm::StringRef value);
/// `layers 0-3,7`, `layer 2`.
std::string describeLayerList(const std::vector<int> &layers);

class PlainPlans;

class Planner {
public:
  /// The options describe the model and the target; their recompute flags do not count. The device must outlive the
  /// planner.
  static llvm::Expected<std::unique_ptr<Planner>> create(const CompileOptions &options, const plan::Device &device);
  ~Planner();

  /// What the step costs under the policy. Errors say what is wrong with the policy.
  llvm::Expected<PlannedStep> evaluate(const RecomputeOptions &policy) const;

  /// The parts that the model has, in the order of RecomputeModule, and its number of layers.
  const std::vector<RecomputeModule> &getModules() const { return modules; }
  int getLayerCount() const { return layers; }
  /// What a micro batch of one rank is: samples, and tokens in each; the shape of the step's first matrix of ids.
  int64_t getSamples() const { return samples; }
  int64_t getTokens() const { return tokens; }
  /// The element type of the first matrix product's operands.
  plan::ElementType getProductType() const { return productType; }

private:
  Planner();
  void describe(const plan::Step &step, const plan::Entry &entry);

  std::unique_ptr<PlainPlans> plans;
  std::vector<RecomputeModule> modules;
  int layers = 0;
  int64_t samples = 1, tokens = 1;
  plan::ElementType productType = plan::ElementType::F32;
};

} // namespace tx

#endif // TX_PIPELINE_PLANNER_H
