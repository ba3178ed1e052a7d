//===- Pipelines.h - The way of one training step -------------------------------------------------------*- C++ -*-===//
//
// The stages from the model to the step, in order. This one list feeds tx-compile (--compile-to, --add-passes-after,
// and their help) and the named pipelines of tx-opt: `--tx-to-joint`, `--tx-to-step="target=cuda:sm_90
// granularity=full"`, ... docs/Pipeline.md has a chapter for each phase.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_PIPELINE_PIPELINES_H
#define TX_PIPELINE_PIPELINES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

#include <functional>

namespace mlir {
class ModuleOp;
class OpPassManager;
} // namespace mlir

namespace tx {

class Target;
struct CompileOptions;
struct Flag;

/// A part of the way: passes, and a pass that verifies what they promise.
struct Stage {
  llvm::StringLiteral name;
  llvm::StringLiteral summary; ///< what the program is after the stage
  bool isPhase;                ///< --compile-to can stop here; if not, the stage is a part of the next phase
  /// Whether the stage's passes read the flag.
  bool (*takesFlag)(const Flag &flag);
  /// Adds the passes that lead from the stage before to this one.
  void (*addPasses)(mlir::OpPassManager &manager, const CompileOptions &options, const Target &target);
  /// Adds the pass that verifies what the stage's passes promise; null: only MLIR's verifier runs.
  void (*addVerifier)(mlir::OpPassManager &manager);
};
llvm::ArrayRef<Stage> getStages();
llvm::SmallVector<llvm::StringRef> getStageNames();
/// The index of the stage in the list; asserts that there is one of that name.
size_t findStage(llvm::StringRef name);
/// Adds the passes and verifiers of `stages`, which follow each other in the list. An error says which option of the
/// target is wrong.
llvm::Error addStages(llvm::ArrayRef<Stage> stages, const CompileOptions &options, mlir::OpPassManager &manager);
/// The names of the stages that are phases.
llvm::SmallVector<llvm::StringRef> getPhaseNames();

/// Checks, as far as it can be known before a compilation, that the output files can be written: no two outputs are one
/// file, no output is the input file, and each can be created or replaced at its place.
llvm::Error checkOutputFiles(const CompileOptions &options);

/// Compiles, and gives the outputs that the options ask for: prints the IR of a phase, writes the report, the artifact,
/// the twin. Diagnostics of passes go to stderr.
llvm::Error compile(const CompileOptions &options);

/// The bytes of an artifact, and its report.
struct CompiledStep {
  llvm::SmallVector<char, 0> artifact;
  llvm::json::Object report;
};
/// Functions by which tests change the module between stages, to make faults on purpose.
struct CompileHooks {
  using Hook = std::function<void(mlir::ModuleOp)>;
  Hook afterRemat;        ///< called before fusion
  Hook afterPlacement;    ///< called before tx-verify-placement
  Hook afterVerification; ///< called after tx-verify-placement: no pass checks the placement again
  Hook afterStep;         ///< called with the launches, before kernels are compiled
};
llvm::Expected<CompiledStep> compileToMemory(const CompileOptions &options, const CompileHooks &hooks = {});

/// Registers the pipelines `tx-to-PHASE`, one for each phase but `model`. Each leads from the model to its phase.
void registerPipelines();

} // namespace tx

#endif // TX_PIPELINE_PIPELINES_H
