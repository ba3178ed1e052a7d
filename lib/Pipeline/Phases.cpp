//===- Phases.cpp - The list of phases and their passes -----------------------------------------------------------===//

#include "Phases.h"

#include "tx/Autodiff/Passes.h"
#include "tx/Conversion/TxToStep/Passes.h"
#include "tx/Memory/Passes.h"
#include "tx/Pipeline/Pipelines.h"
#include "tx/Remat/Passes.h"
#include "tx/Schedule/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace tx;

llvm::ArrayRef<PhaseInfo> tx::getPhases() {
  static constexpr PhaseInfo kPhases[] = {
      {"model", "the loss of a batch over named parameters, in tx ops",
       [](OpPassManager &, std::unique_ptr<Pass> &) {}},
      {"parallel", "the program of one rank, which has its part of the batch",
       [](OpPassManager &manager, std::unique_ptr<Pass> &) { addParallelPasses(manager, {}); }},
      {"joint", "forward and backward in one function",
       [](OpPassManager &manager, std::unique_ptr<Pass> &) { addJointPasses(manager); }},
      {"remat", "the same with recompute clones in backward, and all entries",
       [](OpPassManager &manager, std::unique_ptr<Pass> &rematerialize) {
         manager.addNestedPass<func::FuncOp>(std::move(rematerialize));
         addEntryPasses(manager, {});
       }},
      {"step", "launches of kernels and library calls on arena addresses",
       [](OpPassManager &manager, std::unique_ptr<Pass> &) { addStepPasses(manager); }},
  };
  return kPhases;
}

llvm::SmallVector<llvm::StringRef> tx::getPhaseNames() {
  return llvm::map_to_vector(getPhases(), [](const PhaseInfo &phase) { return phase.name; });
}

void tx::addParallelPasses(OpPassManager &manager, const TxDataParallelPassOptions &data) {
  manager.addPass(createTxDataParallelPass(data));
}

void tx::addJointPasses(OpPassManager &manager) {
  manager.addPass(createTxAutodiffPass());
  manager.addPass(createTxVerifyJointPass());
}

void tx::addJointVerifier(OpPassManager &manager) { manager.addPass(createTxVerifyJointPass()); }

void tx::addEntryPasses(OpPassManager &manager, const TxMakeEntriesPassOptions &optimizer) {
  manager.addPass(createTxMakeEntriesPass(optimizer));
  manager.addPass(createTxVerifyJointPass());
}

void tx::addPlacementPasses(OpPassManager &manager, const std::function<void(OpPassManager &)> &planLibraries) {
  manager.addNestedPass<func::FuncOp>(createCopyViewsPass());
  manager.addNestedPass<func::FuncOp>(createFuseKernelsPass());
  if (planLibraries)
    planLibraries(manager);
  manager.addPass(createPlaceMemoryPass());
}

void tx::addPlacementVerifier(OpPassManager &manager) { manager.addPass(createVerifyPlacementPass()); }

void tx::addLaunchPasses(OpPassManager &manager) { manager.addPass(createLowerToStepPass()); }

void tx::addStepPasses(OpPassManager &manager) {
  addPlacementPasses(manager);
  addPlacementVerifier(manager);
  addLaunchPasses(manager);
}

/// All phases up to the last one of the list. What is left of `rematerialize` says whether they have a policy.
static void addPhases(ArrayRef<PhaseInfo> phases, OpPassManager &manager, std::unique_ptr<Pass> &rematerialize) {
  for (const PhaseInfo &phase : phases)
    phase.addPasses(manager, rematerialize);
}

static bool hasPolicy(ArrayRef<PhaseInfo> phases) {
  OpPassManager unused(ModuleOp::getOperationName());
  std::unique_ptr<Pass> rematerialize = createRematerialize();
  addPhases(phases, unused, rematerialize);
  return !rematerialize;
}

void tx::registerPipelines() {
  ArrayRef<PhaseInfo> all = getPhases();
  for (size_t count = 2; count <= all.size(); ++count) {
    ArrayRef<PhaseInfo> phases = all.take_front(count);
    std::string name = ("tx-to-" + phases.back().name).str();
    std::string summary = ("from the model to the " + phases.back().name + " phase").str();
    bool takesOptions = hasPolicy(phases);
    if (takesOptions)
      summary += "; takes the options of tx-rematerialize";
    auto build = [=](OpPassManager &manager, StringRef options,
                     llvm::function_ref<LogicalResult(const Twine &)> emitError) -> LogicalResult {
      if (!takesOptions && !options.empty())
        return emitError("--" + name + " takes no options; found '" + options + "'");
      std::unique_ptr<Pass> rematerialize = createRematerialize();
      if (failed(rematerialize->initializeOptions(options, emitError)))
        return failure();
      addPhases(phases, manager, rematerialize);
      return success();
    };
    registerPassPipeline(name, summary, build, /*optHandler=*/[](auto) {});
  }
}
