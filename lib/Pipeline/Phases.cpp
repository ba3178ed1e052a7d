//===- Phases.cpp - The list of stages, their passes and verifiers ------------------------------------------------===//

#include "InputPhase.h"
#include "Report.h"
#include "Targets.h"

#include "tx/Autodiff/Passes.h"
#include "tx/Conversion/TxToStep/Passes.h"
#include "tx/Frontend/Flags.h"
#include "tx/Memory/Passes.h"
#include "tx/Parallel/Passes.h"
#include "tx/Pipeline/Pipelines.h"
#include "tx/Remat/Passes.h"
#include "tx/Schedule/Passes.h"

#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace tx;

static bool takesNoFlag(const Flag &) { return false; }
static void addNothing(OpPassManager &, const CompileOptions &, const Target &) {}
static void addInputVerifier(OpPassManager &manager) { manager.addPass(createVerifyInputPass()); }
static void addJointVerifier(OpPassManager &manager) { manager.addPass(createTxVerifyJointPass()); }
static void addPlacementVerifier(OpPassManager &manager) { manager.addPass(createVerifyPlacementPass()); }

//===--------------------------------------------------------------------------------------------------------------===//
// parallel, joint
//===--------------------------------------------------------------------------------------------------------------===//

static bool takesParallelFlag(const Flag &flag) { return flag.name == "--data-parallel-size"; }

static void addParallelPasses(OpPassManager &manager, const CompileOptions &options, const Target &) {
  TxDataParallelPassOptions data;
  data.size = options.parallel.dataParallelSize;
  manager.addPass(createTxDataParallelPass(data));
}

static void addJointPasses(OpPassManager &manager, const CompileOptions &, const Target &) {
  manager.addPass(createTxJoinHeadPass());
  manager.addPass(createTxAutodiffPass());
}

//===--------------------------------------------------------------------------------------------------------------===//
// entries: all functions of a step, in the forms of the target
//===--------------------------------------------------------------------------------------------------------------===//

static bool takesEntriesFlag(const Flag &flag) {
  return flag.group == FlagGroup::Optimizer || flag.name == "--target" || flag.name == "--no-bias-gradient-fusion";
}

/// Ops that the target has. They are made before anything is decided about recomputation, so that it is decided about
/// what will run; and again for a person's IR of phase remat, where nothing is left to do if tx-compile made it.
static void addFormPasses(OpPassManager &manager, const Target &target) {
  manager.addNestedPass<func::FuncOp>(createExpandOpsPass());
  target.addFormPasses(manager);
  manager.addNestedPass<func::FuncOp>(createCopyViewsPass());
}

static void addEntriesPasses(OpPassManager &manager, const CompileOptions &options, const Target &target) {
  TxMakeEntriesPassOptions optimizer;
  optimizer.clipGrad = options.optimizer.clipGrad;
  optimizer.weightDecay = options.optimizer.weightDecay;
  optimizer.adamBeta1 = options.optimizer.adamBeta1;
  optimizer.adamBeta2 = options.optimizer.adamBeta2;
  optimizer.adamEps = options.optimizer.adamEps;
  manager.addPass(createTxMakeEntriesPass(optimizer));
  addFormPasses(manager, target);
  // Plans count the launches and the scratch of libraries.
  target.addFusionPasses(manager);
  target.addLibraryPasses(manager);
}

//===--------------------------------------------------------------------------------------------------------------===//
// remat
//===--------------------------------------------------------------------------------------------------------------===//

static bool takesRematFlag(const Flag &flag) { return flag.group == FlagGroup::Recompute; }

static void addRematPasses(OpPassManager &manager, const CompileOptions &options, const Target &target) {
  RematPolicyOptions policy = getPolicyOptions(options.recompute);
  if (!options.output.device.empty())
    policy.device = options.output.device;
  policy.usualDevice = target.getUsualDevice().str();
  manager.addPass(createRematerialize(policy));
  target.addForgettingPasses(manager);
}

//===--------------------------------------------------------------------------------------------------------------===//
// step
//===--------------------------------------------------------------------------------------------------------------===//

static bool takesFusionFlag(const Flag &flag) {
  return flag.name == "--target" || flag.name == "--attention-backend" ||
         flag.name == "--allow-nondeterministic-attention" || flag.name == "--no-bias-gradient-fusion";
}

static void addFusionPasses(OpPassManager &manager, const CompileOptions &, const Target &target) {
  addFormPasses(manager, target);
  target.addFusionPasses(manager);
  manager.addNestedPass<func::FuncOp>(createFuseKernelsPass());
  target.addLibraryPasses(manager);
}

static void addPlacementPasses(OpPassManager &manager, const CompileOptions &, const Target &) {
  manager.addPass(createPlaceMemoryPass());
}

static void addLaunchPasses(OpPassManager &manager, const CompileOptions &, const Target &) {
  manager.addPass(createLowerToStepPass());
}

//===--------------------------------------------------------------------------------------------------------------===//
// The list
//===--------------------------------------------------------------------------------------------------------------===//

static constexpr Stage kStages[] = {
    {"model", "the loss of a batch over named parameters, in tx ops", /*isPhase=*/true, takesNoFlag, addNothing,
     addInputVerifier},
    {"parallel", "the program of one rank, which has its part of the batch", /*isPhase=*/true, takesParallelFlag,
     addParallelPasses, addInputVerifier},
    {"joint", "forward and backward in one function", /*isPhase=*/true, takesNoFlag, addJointPasses, addJointVerifier},
    {"entries", "all functions of a step, of ops that the target has", /*isPhase=*/false, takesEntriesFlag,
     addEntriesPasses, addJointVerifier},
    {"remat", "the same with recompute clones in backward", /*isPhase=*/true, takesRematFlag, addRematPasses,
     addJointVerifier},
    {"fusion", "ops in groups, each of which becomes a kernel", /*isPhase=*/false, takesFusionFlag, addFusionPasses,
     nullptr},
    {"placement", "the same with an address for each tensor", /*isPhase=*/false, takesNoFlag, addPlacementPasses,
     addPlacementVerifier},
    {"step", "launches of kernels and library calls on arena addresses", /*isPhase=*/true, takesNoFlag, addLaunchPasses,
     nullptr},
};

llvm::ArrayRef<Stage> tx::getStages() { return kStages; }

llvm::SmallVector<llvm::StringRef> tx::getStageNames() {
  return llvm::map_to_vector(kStages, [](const Stage &stage) -> StringRef { return stage.name; });
}

size_t tx::findStage(StringRef name) {
  const Stage *stage = llvm::find_if(kStages, [&](const Stage &each) { return each.name == name; });
  assert(stage != std::end(kStages) && "no stage has the name");
  return stage - kStages;
}

llvm::SmallVector<llvm::StringRef> tx::getPhaseNames() {
  llvm::SmallVector<llvm::StringRef> names;
  for (const Stage &stage : kStages)
    if (stage.isPhase)
      names.push_back(stage.name);
  return names;
}

llvm::Error tx::addStages(ArrayRef<Stage> stages, const CompileOptions &options, OpPassManager &manager) {
  llvm::Expected<std::unique_ptr<Target>> target = createTarget(options);
  if (!target)
    return target.takeError();
  for (const Stage &stage : stages) {
    stage.addPasses(manager, options, **target);
    if (stage.addVerifier)
      stage.addVerifier(manager);
  }
  return llvm::Error::success();
}
