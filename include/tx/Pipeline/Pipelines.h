//===- Pipelines.h - The way of one training step -------------------------------------------------------*- C++ -*-===//
//
// The phases, in order. The list feeds --compile-to and its help, and the named pipelines of tx-opt: `--tx-to-joint`,
// `--tx-to-remat="granularity=full"`, ... docs/Pipeline.md has a chapter for each.
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
#include <memory>

namespace mlir {
class ModuleOp;
class OpPassManager;
class Pass;
} // namespace mlir

namespace tx {

struct CompileOptions;

struct PhaseInfo {
  llvm::StringRef name;
  llvm::StringRef summary; ///< what the program is after the phase
  /// Adds the passes that lead here from the phase before; takes the policy's pass where it belongs.
  void (*addPasses)(mlir::OpPassManager &manager, std::unique_ptr<mlir::Pass> &rematerialize);
};
llvm::ArrayRef<PhaseInfo> getPhases();
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
