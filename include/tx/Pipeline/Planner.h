//===- Planner.h - Many plans of one model --------------------------------------------------------------*- C++ -*-===//
//
// A planner reads a model once, up to where recomputation is decided, and says what any recompute policy costs. Nothing
// is generated and nothing runs, so the device need not be there.
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
#include "tx/Remat/Remat.h"

#include <memory>
#include <string>
#include <vector>

namespace tx {

/// What a step costs under one policy.
struct PlannedStep {
  int64_t peakBytes = 0;       ///< the arena, as placed: peak_bytes of a report
  int64_t persistentBytes = 0; ///< parameters, gradients and the optimizer's state, a part of the peak
  RematSummary summary;        ///< what is saved and what is recomputed
  plan::Seconds step;          ///< of the entry that does all of an iteration with one micro batch
  plan::Seconds microbatch;    ///< of the entry that adds one micro batch's gradients
  plan::Seconds apply;         ///< of the entry that then updates the parameters

  /// The time of an iteration with so many micro batches.
  plan::Seconds getSeconds(int64_t microbatches) const;
};

/// Whether a name, as --recompute-save-only takes it, stands for the value or for a module that contains it.
bool namesValue(llvm::StringRef name, llvm::StringRef value);
/// `layers 0-3,7`, `layer 2`.
std::string describeLayerList(const std::vector<int> &layers);

class Planner {
public:
  /// The options describe the model and the target; their recompute flags count as evaluate's first policy only. The
  /// device must outlive the planner.
  static llvm::Expected<std::unique_ptr<Planner>> create(const CompileOptions &options, const plan::Device &device);
  ~Planner();

  /// What the step costs under the policy. Errors say what is wrong with the policy.
  llvm::Expected<PlannedStep> evaluate(const RecomputeOptions &policy);

  /// The parts that the model has, in the order of RecomputeModule, and its number of layers.
  const std::vector<RecomputeModule> &getModules() const { return modules; }
  int getLayerCount() const { return layers; }
  /// What a micro batch of one rank is: samples, and tokens in each; the shape of the step's first matrix of ids.
  int64_t getSamples() const { return samples; }
  int64_t getTokens() const { return tokens; }
  /// The element type of the first matrix product's operands.
  plan::ElementType getProductType() const { return productType; }

private:
  class State;
  explicit Planner(std::unique_ptr<State> state);
  void describeBatch(const plan::Step &step, const plan::Entry &entry);

  std::unique_ptr<State> state;
  std::vector<RecomputeModule> modules;
  int layers = 0;
  int64_t samples = 1, tokens = 1;
  plan::ElementType productType = plan::ElementType::F32;
};

} // namespace tx

#endif // TX_PIPELINE_PLANNER_H
