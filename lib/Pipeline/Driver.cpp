//===- Driver.cpp - From options to IR, report or artifact --------------------------------------------------------===//

#include "AddedPasses.h"
#include "InputPhase.h"
#include "Report.h"
#include "Targets.h"

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Frontend/CompileOptions.h"
#include "tx/Pipeline/Pipelines.h"
#include "tx/Pipeline/Register.h"
#include "tx/Remat/Policies.h"
#include "tx/Support/UserError.h"
#include "tx/Target/Artifact.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace tx;

namespace {

/// Prints diagnostics for people on a command line: without IR, and without locations in a module that the frontend
/// built. It does not print errors, but keeps them for the error that the compilation returns.
class DiagnosticLines {
public:
  /// `quiet`: prints nothing; for a step that is compiled a second time and would repeat its remarks.
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
    std::replace(text.begin(), text.end(), '\n', ' '); // one line for each diagnostic
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

/// One module on its way through the stages.
class Compilation {
public:
  explicit Compilation(const CompileOptions &options, const CompileHooks &hooks = {}, bool quiet = false)
      : options(options), hooks(hooks), lines(context, quiet) {
    DialectRegistry registry;
    registerAllDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  /// Loads the input and runs the stages up to `phase`. If the input is IR of a later phase than the model, it starts
  /// with that phase.
  llvm::Error runTo(StringRef phase) {
    llvm::Expected<std::unique_ptr<Target>> chosen = createTarget(options);
    if (!chosen)
      return chosen.takeError();
    target = std::move(*chosen);
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
    size_t first = findStage(reached);
    for (const Stage &stage : getStages().slice(first, findStage(phase) + 1 - first))
      if (llvm::Error error = runStage(stage))
        return error;
    return llvm::Error::success();
  }

  /// Whether the input is IR of the remat phase, which has its recomputations already.
  bool hasOwnRecompute() const { return reached == "remat"; }

  step::ProgramOp getProgram() { return *module->getOps<step::ProgramOp>().begin(); }
  ModuleOp getModule() { return *module; }
  const RematSummary &getSummary() const { return summary; }

  llvm::Expected<llvm::SmallVector<char, 0>> emitArtifact(llvm::json::Object report) {
    FailureOr<TargetCode> code = target->compileKernels(getProgram());
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

  llvm::Error runVerifier(const Stage &stage) {
    return stage.addVerifier ? run(stage.addVerifier) : llvm::Error::success();
  }

  /// Runs the stage's passes, the passes that a person has added, and the verifier. For the stage that the input has
  /// reached, it skips the stage's passes, but verifies the input: a person may have edited it. If there are added
  /// passes, it verifies again after them.
  llvm::Error runStage(const Stage &stage) {
    bool isInput = stage.name == reached, isAdded = false;
    if (isInput)
      if (llvm::Error error = runVerifier(stage))
        return error;
    if (llvm::Error error = run([&](OpPassManager &manager) {
          if (!isInput)
            stage.addPasses(manager, options, *target);
          isAdded = addPassesAfter(stage.name, options.plugins, manager);
        }))
      return error;
    call(stage, "placement", hooks.afterPlacement);
    if (!isInput || isAdded)
      if (llvm::Error error = runVerifier(stage))
        return error;
    if (stage.name == "remat")
      summarize();
    call(stage, "remat", hooks.afterRemat);
    call(stage, "placement", hooks.afterVerification);
    call(stage, "step", hooks.afterStep);
    return llvm::Error::success();
  }

  void call(const Stage &stage, StringRef after, const CompileHooks::Hook &hook) {
    if (stage.name == after && hook)
      hook(*module);
  }

  void summarize() {
    for (auto func : module->getOps<func::FuncOp>())
      if (func.getName() == "microbatch")
        summary = summarizeRemat(func);
  }

  const CompileOptions &options;
  CompileHooks hooks;
  MLIRContext context;
  DiagnosticLines lines;
  std::unique_ptr<Target> target;
  OwningOpRef<ModuleOp> module;
  StringRef reached;
  RematSummary summary;
};

CompileOptions withoutRecompute(CompileOptions options) {
  options.recompute = {};
  options.recompute.granularity = "none";
  return options;
}

/// Compiles the step under policy `none` too, and warns if the policy's peak is higher.
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
  if (llvm::Error error = loadPlugins(options.plugins, "step"))
    return std::move(error);
  return compileStep(options, hooks, /*quiet=*/false);
}

/// Compiles the same step under policy `none`, and writes it to `path`.
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
  if (llvm::Error error = createTarget(options).takeError())
    return error;
  bool makesStep = !output.reportFile.empty() || !output.artifactFile.empty() || !output.verifyTwinFile.empty();
  if (llvm::Error error = loadPlugins(options.plugins, makesStep ? StringRef("step") : StringRef(output.compileTo)))
    return error;
  if (!output.compileTo.empty()) {
    Compilation compilation(options);
    if (llvm::Error error = compilation.runTo(output.compileTo))
      return error;
    compilation.getModule()->print(llvm::outs());
    llvm::outs() << '\n'; // tx-opt ends its output with an empty line too
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
