//===- Pipelines.h - The way of one training step -------------------------------------------------------*- C++ -*-===//
//
// The stages of the way, in order. The one list feeds tx-compile (--compile-to, --add-passes-after, and their help) and
// the named pipelines of tx-opt: `--tx-to-joint`, `--tx-to-step="target=cuda:sm_90 granularity=full"`, ...
// docs/Pipeline.md has a chapter for each phase.
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

/// A stretch of the way: passes, and a pass that checks what holds after them.
struct Stage {
  llvm::StringLiteral name;
  llvm::StringLiteral summary; ///< what the program is after the stage
  bool isPhase;                ///< --compile-to can stop here; else it is a part of the phase that comes next
  /// Whether the stage's passes read the flag.
  bool (*takesFlag)(const Flag &flag);
  /// Adds the passes that lead here from the stage before.
  void (*addPasses)(mlir::OpPassManager &manager, const CompileOptions &options, const Target &target);
  /// Adds the pass that checks what they promise; null: only the IR's own verifier does.
  void (*addVerifier)(mlir::OpPassManager &manager);
};
llvm::ArrayRef<Stage> getStages();
llvm::SmallVector<llvm::StringRef> getStageNames();
/// Its place in the list; the name has to be there.
size_t findStage(llvm::StringRef name);
/// Adds the passes and the verifiers of some stages that follow each other. An error says which option is wrong.
llvm::Error addStages(llvm::ArrayRef<Stage> stages, const CompileOptions &options, mlir::OpPassManager &manager);
/// Of the stages that are phases.
llvm::SmallVector<llvm::StringRef> getPhaseNames();

/// Whether the outputs can be written, as far as that is known before a compilation: no two are one file, none is the
/// input, and where each is to lie a file can be made.
llvm::Error checkOutputFiles(const CompileOptions &options);

/// Does what tx-compile was asked for: prints a phase, writes the report, the artifact, its twin. Diagnostics of passes
/// go to stderr.
llvm::Error compile(const CompileOptions &options);

/// The artifact's bytes and its report, without touching a file.
struct CompiledStep {
  llvm::SmallVector<char, 0> artifact;
  llvm::json::Object report;
};
/// Faults on purpose: what tests do to the module on its way.
struct CompileHooks {
  using Hook = std::function<void(mlir::ModuleOp)>;
  Hook afterRemat;        ///< before fusion
  Hook afterPlacement;    ///< before tx-verify-placement
  Hook afterVerification; ///< of the placement: nothing checks it anymore
  Hook afterStep;         ///< launches, before kernels are compiled
};
llvm::Expected<CompiledStep> compileToMemory(const CompileOptions &options, const CompileHooks &hooks = {});

/// Adds `tx-to-PHASE`, from the model, for each phase but the first to the registry of pipelines.
void registerPipelines();

} // namespace tx

#endif // TX_PIPELINE_PIPELINES_H
