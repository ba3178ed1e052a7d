//===- Phases.cpp - The list of phases and their passes -------------------===//

#include "Phases.h"

#include "tx/Autodiff/Passes.h"
#include "tx/Conversion/TxToStep/Passes.h"
#include "tx/Memory/Passes.h"
#include "tx/Pipeline/Pipelines.h"
#include "tx/Schedule/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace tx;

llvm::ArrayRef<PhaseInfo> tx::getPhases() {
  static constexpr PhaseInfo kPhases[] = {
      {"model", "the loss of a batch over named parameters, in tx ops"},
      {"joint", "forward and backward in one function"},
      {"remat", "the same with recompute clones in backward, and all entries"},
      {"step", "launches of kernels and library calls on arena addresses"},
  };
  return kPhases;
}

llvm::SmallVector<llvm::StringRef> tx::getPhaseNames() {
  return llvm::map_to_vector(getPhases(), [](const PhaseInfo &phase) { return phase.name; });
}

void tx::addJointPasses(OpPassManager &manager) {
  manager.addPass(createTxAutodiffPass());
  manager.addPass(createTxVerifyJointPass());
}

void tx::addEntryPasses(OpPassManager &manager, const TxMakeEntriesPassOptions &optimizer) {
  manager.addPass(createTxMakeEntriesPass(optimizer));
  manager.addPass(createTxVerifyJointPass());
}

void tx::addStepPasses(OpPassManager &manager) {
  manager.addNestedPass<func::FuncOp>(createFuseKernelsPass());
  manager.addPass(createPlaceMemoryPass());
  manager.addPass(createVerifyPlacementPass());
  manager.addPass(createLowerToStepPass());
}

void tx::registerPipelines() {
  PassPipelineRegistration<>("tx-to-joint", "from the model to the joint phase", addJointPasses);
  PassPipelineRegistration<>("tx-to-step", "from the remat phase (all entries there) to the step phase",
                             [](OpPassManager &manager) { addStepPasses(manager); });
  PassPipelineRegistration<>("tx-make-all", "from the model to the step phase, saving everything",
                             [](OpPassManager &manager) {
                               addJointPasses(manager);
                               addEntryPasses(manager, {});
                               addStepPasses(manager);
                             });
}
