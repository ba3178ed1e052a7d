//===- Pipelines.h - The way of one training step ---------------*- C++ -*-===//
//
// The phases, in order. The list feeds --compile-to, its help, the named
// pipelines of tx-opt (`--tx-to-joint`, ...), docs/Pipeline.md and the tests.
//
//===----------------------------------------------------------------------===//

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
} // namespace mlir

namespace tx {

struct CompileOptions;

struct PhaseInfo {
  llvm::StringRef name;
  llvm::StringRef summary; ///< what the program is after the phase
};
llvm::ArrayRef<PhaseInfo> getPhases();
llvm::SmallVector<llvm::StringRef> getPhaseNames();

/// Does what tx-compile was asked for: prints a phase, writes the report, the
/// artifact, its twin. Diagnostics of passes go to stderr.
llvm::Error compile(const CompileOptions &options);

/// The artifact's bytes and its report, without touching a file.
struct CompiledStep {
  llvm::SmallVector<char, 0> artifact;
  llvm::json::Object report;
};
/// Faults on purpose: what tests do to the module on its way.
struct CompileHooks {
  std::function<void(mlir::ModuleOp)> afterRemat; ///< before fusion
};
llvm::Expected<CompiledStep> compileToMemory(const CompileOptions &options, const CompileHooks &hooks = {});

/// Adds `tx-to-joint`, `tx-to-remat`, `tx-to-step` to the registry of pipelines.
void registerPipelines();

} // namespace tx

#endif // TX_PIPELINE_PIPELINES_H
