//===- Driver.cpp - From options to IR, report or artifact --------------------------------------------------------===//

#include "InputPhase.h"
#include "Phases.h"
#include "Report.h"
#include "Targets.h"

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Frontend/CompileOptions.h"
#include "tx/Frontend/UserError.h"
#include "tx/Pipeline/Pipelines.h"
#include "tx/Pipeline/Register.h"
#include "tx/Remat/Policies.h"
#include "tx/Target/Artifact.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace tx;

namespace {

/// Diagnostics as people read them on a command line: no IR, no location of a module that the frontend built. Errors
/// are kept for the returned error.
class DiagnosticLines {
public:
  /// `quiet`: errors alone, for a step that is compiled a second time.
  DiagnosticLines(MLIRContext &context, bool quiet)
      : quiet(quiet), handler(&context, [this](Diagnostic &diagnostic) { take(diagnostic); }) {}

  llvm::Error getError() {
    if (errors.empty())
      return badInput("compilation failed without a diagnostic; this is a bug of tx");
    llvm::Error all = llvm::Error::success();
    for (const std::string &text : errors)
      all = llvm::joinErrors(std::move(all), badInput(text));
    return all;
  }

private:
  void take(Diagnostic &diagnostic) {
    if (quiet && diagnostic.getSeverity() != DiagnosticSeverity::Error)
      return;
    std::string text = diagnostic.str();
    std::replace(text.begin(), text.end(), '\n', ' '); // a line each
    if (auto loc = dyn_cast<FileLineColLoc>(diagnostic.getLocation()))
      text = (loc.getFilename().getValue() + ":" + Twine(loc.getLine()) + ":" + Twine(loc.getColumn()) + ": " + text)
                 .str();
    switch (diagnostic.getSeverity()) {
    case DiagnosticSeverity::Error:
      errors.push_back(std::move(text));
      break;
    case DiagnosticSeverity::Warning:
      printWarning(text);
      break;
    case DiagnosticSeverity::Note:
    case DiagnosticSeverity::Remark:
      printNote(text);
      break;
    }
  }

  bool quiet;
  llvm::SmallVector<std::string> errors;
  ScopedDiagnosticHandler handler;
};

/// One module on its way through the phases.
class Compilation {
public:
  explicit Compilation(const CompileOptions &options, const CompileHooks &hooks = {}, bool quiet = false)
      : options(options), hooks(hooks), lines(context, quiet) {
    DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  /// IR may come from the middle of the way: it goes on from there.
  llvm::Error runTo(StringRef phase) {
    llvm::Expected<OwningOpRef<ModuleOp>> loaded = loadModel(context, options);
    if (!loaded)
      return loaded.takeError();
    module = std::move(*loaded);
    reached = findReachedPhase(*module);
    if (llvm::Error error = checkReachedPhase(options, reached, phase))
      return error;
    if (llvm::Error error = checkFunctions(options, *module))
      return error;
    if (failed(verifyInput(*module)))
      return lines.getError();
    if (phase == "model")
      return llvm::Error::success();
    if (reached == ReachedPhase::Model)
      if (llvm::Error error = parallelizeModule())
        return error;
    if (phase == "parallel")
      return llvm::Error::success();
    if (llvm::Error error = runJointPasses())
      return error;
    if (phase == "joint")
      return llvm::Error::success();
    if (llvm::Error error = reached == ReachedPhase::Remat ? summarizeModule() : rematerializeModule())
      return error;
    if (phase == "remat")
      return llvm::Error::success();
    return runStepPasses();
  }

  /// Whether recomputation was decided before, in the input.
  bool hasOwnRecompute() const { return reached == ReachedPhase::Remat; }

  step::ProgramOp getProgram() { return *module->getOps<step::ProgramOp>().begin(); }
  ModuleOp getModule() { return *module; }
  const RematSummary &getSummary() const { return summary; }

  llvm::Expected<llvm::SmallVector<char, 0>> emitArtifact(llvm::json::Object report) {
    llvm::Expected<Target> target = parseTarget(options);
    if (!target)
      return target.takeError();
    FailureOr<TargetCode> code = target->compile(getProgram());
    if (failed(code))
      return lines.getError();
    return serializeArtifact(getProgram(), *code, describeInput(options, hasOwnRecompute(), std::move(report)));
  }

private:
  llvm::Error run(llvm::function_ref<void(OpPassManager &)> addPasses) {
    PassManager manager(&context);
    addPasses(manager);
    if (failed(manager.run(*module)))
      return lines.getError();
    return llvm::Error::success();
  }

  /// The passes of addStepPasses, with the hooks between them.
  llvm::Error runStepPasses() {
    auto call = [&](const CompileHooks::Hook &hook) {
      if (hook)
        hook(*module);
    };
    call(hooks.afterRemat);
    llvm::Expected<Target> target = parseTarget(options);
    if (!target)
      return target.takeError();
    if (target->chooseForms)
      if (llvm::Error error = run(target->chooseForms))
        return error;
    if (llvm::Error error = run([&](OpPassManager &manager) { addPlacementPasses(manager, target->planLibraries); }))
      return error;
    call(hooks.afterPlacement);
    if (llvm::Error error = run(addPlacementVerifier))
      return error;
    call(hooks.afterVerification);
    if (llvm::Error error = run(addLaunchPasses))
      return error;
    call(hooks.afterStep);
    return llvm::Error::success();
  }

  llvm::Error runJointPasses() {
    if (llvm::Error error = run(reached == ReachedPhase::Model ? addJointPasses : addJointVerifier))
      return error;
    if (reached == ReachedPhase::Remat)
      return llvm::Error::success();
    llvm::Expected<Target> target = parseTarget(options);
    if (!target)
      return target.takeError();
    if (!target->joinOps)
      return llvm::Error::success();
    return run(target->joinOps);
  }

  llvm::Error parallelizeModule() {
    TxDataParallelPassOptions parallel;
    parallel.size = options.parallel.dataParallelSize;
    return run([&](OpPassManager &manager) { addParallelPasses(manager, parallel); });
  }

  llvm::Error rematerializeModule() {
    RematPolicyOptions policy = getPolicyOptions(options.recompute);
    for (auto func : module->getOps<func::FuncOp>())
      if (func.getName() == "microbatch" && failed(rematerialize(func, policy, &summary)))
        return lines.getError();
    TxMakeEntriesPassOptions optimizer;
    optimizer.clipGrad = options.optimizer.clipGrad;
    optimizer.weightDecay = options.optimizer.weightDecay;
    optimizer.adamBeta1 = options.optimizer.adamBeta1;
    optimizer.adamBeta2 = options.optimizer.adamBeta2;
    optimizer.adamEps = options.optimizer.adamEps;
    return run([&](OpPassManager &manager) { addEntryPasses(manager, optimizer); });
  }

  llvm::Error summarizeModule() {
    for (auto func : module->getOps<func::FuncOp>())
      if (func.getName() == "microbatch")
        summary = summarizeRemat(func);
    return llvm::Error::success();
  }

  const CompileOptions &options;
  ReachedPhase reached = ReachedPhase::Model;
  CompileHooks hooks;
  MLIRContext context;
  DiagnosticLines lines;
  OwningOpRef<ModuleOp> module;
  RematSummary summary;
};

CompileOptions withoutRecompute(CompileOptions options) {
  options.recompute = {};
  options.recompute.granularity = "none";
  return options;
}

/// A policy that needs more memory than none is worth a word.
llvm::Error comparePeakWithNone(const CompileOptions &options, Compilation &compilation) {
  if (compilation.getSummary().recomputed.empty() || compilation.hasOwnRecompute())
    return llvm::Error::success();
  CompileOptions none = withoutRecompute(options);
  Compilation twin(none, {}, /*quiet=*/true);
  if (llvm::Error error = twin.runTo("step"))
    return error;
  if (std::optional<RematMessage> message =
          warnIfPeakRises(getPeakBytes(compilation.getProgram()), getPeakBytes(twin.getProgram())))
    printWarning(message->text);
  return llvm::Error::success();
}

} // namespace

static llvm::Expected<CompiledStep> compileStep(const CompileOptions &options, const CompileHooks &hooks, bool quiet) {
  Compilation compilation(options, hooks, quiet);
  if (llvm::Error error = compilation.runTo("step"))
    return std::move(error);
  CompiledStep step;
  step.report = buildReport(compilation.getModule(), compilation.getProgram(), compilation.getSummary());
  llvm::Expected<llvm::SmallVector<char, 0>> artifact = compilation.emitArtifact(step.report);
  if (!artifact)
    return artifact.takeError();
  step.artifact = std::move(*artifact);
  return step;
}

llvm::Expected<CompiledStep> tx::compileToMemory(const CompileOptions &options, const CompileHooks &hooks) {
  return compileStep(options, hooks, /*quiet=*/false);
}

/// Of a step that was compiled under another policy before.
static llvm::Error writeTwin(const CompileOptions &options, StringRef path) {
  llvm::Expected<CompiledStep> step = compileStep(options, {}, /*quiet=*/true);
  if (!step)
    return step.takeError();
  if (llvm::Error error = writeFileAtomically(path, step->artifact))
    return badFile(llvm::toString(std::move(error)));
  return llvm::Error::success();
}

llvm::Error tx::compile(const CompileOptions &options) {
  const OutputOptions &output = options.output;
  if (llvm::Error error = parseTarget(options).takeError())
    return error;
  if (!output.compileTo.empty()) {
    Compilation compilation(options);
    if (llvm::Error error = compilation.runTo(output.compileTo))
      return error;
    compilation.getModule()->print(llvm::outs());
    llvm::outs() << '\n';
  }
  if (!output.reportFile.empty() || !output.artifactFile.empty()) {
    Compilation compilation(options);
    if (llvm::Error error = compilation.runTo("step"))
      return error;
    if (llvm::Error error = comparePeakWithNone(options, compilation))
      return error;
    llvm::json::Object report =
        buildReport(compilation.getModule(), compilation.getProgram(), compilation.getSummary());
    if (!output.artifactFile.empty()) {
      llvm::Expected<llvm::SmallVector<char, 0>> artifact = compilation.emitArtifact(report);
      if (!artifact)
        return artifact.takeError();
      if (llvm::Error error = writeFileAtomically(output.artifactFile, *artifact))
        return badFile(llvm::toString(std::move(error)));
    }
    if (!output.reportFile.empty()) {
      std::string text;
      llvm::raw_string_ostream(text) << llvm::formatv("{0:2}\n", llvm::json::Value(std::move(report)));
      if (llvm::Error error = writeFileAtomically(output.reportFile, text))
        return badFile(llvm::toString(std::move(error)));
    }
  }
  if (!output.verifyTwinFile.empty())
    return writeTwin(withoutRecompute(options), output.verifyTwinFile);
  return llvm::Error::success();
}
