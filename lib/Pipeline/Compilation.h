//===- Compilation.h - One module on its way through the stages -----------------------------------------*- C++ -*-===//
//
//   Compilation compilation(options);
//   if (llvm::Error error = compilation.runTo("step")) ...
//   use(compilation.getModule(), compilation.getSummary());
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_PIPELINE_COMPILATION_H
#define TX_LIB_PIPELINE_COMPILATION_H

#include "Targets.h"
#include "Times.h"

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Frontend/CompileOptions.h"
#include "tx/Pipeline/Pipelines.h"
#include "tx/Remat/Remat.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <memory>
#include <string>

namespace tx {

/// Prints diagnostics for people on a command line: without IR, and without locations in a module that the frontend
/// built. It does not print errors, but keeps them for the error that the compilation returns.
class DiagnosticLines {
public:
  /// `quiet`: prints nothing; for a step that is compiled a second time and would repeat its remarks.
  DiagnosticLines(mlir::MLIRContext &context, bool quiet)
      : quiet(quiet), handler(&context, [this](mlir::Diagnostic &diagnostic) { take(diagnostic); }) {}

  /// The errors since the last call.
  llvm::Error takeError();

private:
  void take(mlir::Diagnostic &diagnostic);

  bool quiet;
  llvm::SmallVector<std::string> errors;
  mlir::ScopedDiagnosticHandler handler;
};

class Compilation {
public:
  /// The options must outlive the compilation.
  explicit Compilation(const CompileOptions &options, const CompileHooks &hooks = {}, bool quiet = false);

  /// Says how long the step takes on the device, which must outlive the compilation, once the stage `fusion` has run.
  void timeOn(const plan::Device &machine) { device = &machine; }

  /// Loads the input and runs the stages up to `phase`. If the input is IR of a later phase than the model, it starts
  /// with that phase.
  llvm::Error runTo(llvm::StringRef phase);

  /// Says of each product what the target's library does beside it, as the stage `fusion` begins: for a reader of the
  /// module who will not run that stage.
  llvm::Error markLibraryWork();

  /// What diagnostics have said since the last error, after a function on the module has failed.
  llvm::Error takeError() { return lines.takeError(); }

  /// Whether the input is IR of the remat phase, which has its recomputations already.
  bool hasOwnRecompute() const { return reached == "remat"; }

  step::ProgramOp getProgram() { return *module->getOps<step::ProgramOp>().begin(); }
  mlir::ModuleOp getModule() { return *module; }
  const RematSummary &getSummary() const { return summary; }
  const StepTimes &getTimes() const { return times; }
  /// The peak of the same step with all values kept. Known, for a compilation that is timed, once the stage `entries`
  /// has run.
  std::optional<int64_t> getPeakOfNone() const { return peakOfNone; }
  /// The plan that the stage `remat` has applied, as --recompute-plan takes it, if options ask for it.
  llvm::StringRef getPlanText() const { return planText; }

  llvm::Expected<llvm::SmallVector<char, 0>> emitArtifact(llvm::json::Object report);

private:
  llvm::Error run(llvm::function_ref<void(mlir::OpPassManager &)> addPasses);
  llvm::Error runVerifier(const Stage &stage);
  llvm::Error runStage(const Stage &stage);
  /// Does some work, and prints the seconds that it has taken if options ask for it.
  llvm::Error timed(llvm::StringRef what, llvm::function_ref<llvm::Error()> work);
  void call(const Stage &stage, llvm::StringRef after, const CompileHooks::Hook &hook);
  llvm::Error summarize();
  llvm::Error computeTimes();

  const CompileOptions &options;
  CompileHooks hooks;
  mlir::MLIRContext context;
  DiagnosticLines lines;
  std::unique_ptr<Target> target;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  llvm::StringRef reached;
  const plan::Device *device = nullptr;
  RematSummary summary;
  StepTimes times;
  std::optional<int64_t> peakOfNone;
  std::string planText;
};

} // namespace tx

#endif // TX_LIB_PIPELINE_COMPILATION_H
