//===- Compilation.cpp - One module on its way through the stages -------------------------------------------------===//

#include "Compilation.h"

#include "AddedPasses.h"
#include "InputPhase.h"
#include "Report.h"

#include "tx/Pipeline/Register.h"
#include "tx/Plan/ReadStep.h"
#include "tx/Plan/Score.h"
#include "tx/Remat/PlanFile.h"
#include "tx/Support/UserError.h"
#include "tx/Target/Artifact.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/FormatVariadic.h"

#include <chrono>

using namespace mlir;
using namespace tx;

//===--------------------------------------------------------------------------------------------------------------===//
// Diagnostics
//===--------------------------------------------------------------------------------------------------------------===//

llvm::Error DiagnosticLines::takeError() {
  if (errors.empty())
    return badInput("compilation failed without a diagnostic; this is a bug of tx");
  llvm::Error all = llvm::Error::success();
  for (const std::string &text : errors)
    all = llvm::joinErrors(std::move(all), badInput(text));
  errors.clear();
  return all;
}

void DiagnosticLines::take(Diagnostic &diagnostic) {
  if (quiet && diagnostic.getSeverity() != DiagnosticSeverity::Error)
    return;
  std::string text = diagnostic.str();
  std::replace(text.begin(), text.end(), '\n', ' '); // one line for each diagnostic
  if (auto loc = dyn_cast<FileLineColLoc>(diagnostic.getLocation()))
    text =
        (loc.getFilename().getValue() + ":" + Twine(loc.getLine()) + ":" + Twine(loc.getColumn()) + ": " + text).str();
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

//===--------------------------------------------------------------------------------------------------------------===//
// Stages
//===--------------------------------------------------------------------------------------------------------------===//

Compilation::Compilation(const CompileOptions &options, const CompileHooks &hooks, bool quiet)
    : options(options), hooks(hooks), lines(context, quiet) {
  DialectRegistry registry;
  registerAllDialects(registry);
  context.appendDialectRegistry(registry);
  context.loadAllAvailableDialects();
}

llvm::Error Compilation::runTo(StringRef phase) {
  llvm::Expected<std::unique_ptr<Target>> chosen = createTarget(options);
  if (!chosen)
    return chosen.takeError();
  target = std::move(*chosen);
  if (llvm::Error error = timed("input", [&] {
        llvm::Expected<OwningOpRef<ModuleOp>> loaded = loadModel(context, options);
        if (loaded)
          module = std::move(*loaded);
        return loaded.takeError();
      }))
    return error;
  reached = findReachedPhase(*module);
  if (llvm::Error error = checkReachedPhase(options, reached, phase))
    return error;
  if (llvm::Error error = checkFunctions(options, *module))
    return error;
  if (failed(verifyInput(*module)))
    return lines.takeError();
  size_t first = findStage(reached);
  for (const Stage &stage : getStages().slice(first, findStage(phase) + 1 - first))
    if (llvm::Error error = timed(stage.name, [&] { return runStage(stage); }))
      return error;
  return llvm::Error::success();
}

llvm::Error Compilation::markLibraryWork() {
  return run([&](OpPassManager &manager) { target->addFusionPasses(manager); });
}

llvm::Expected<llvm::SmallVector<char, 0>> Compilation::emitArtifact(llvm::json::Object report) {
  FailureOr<TargetCode> code;
  if (llvm::Error error = timed("kernels", [&]() -> llvm::Error {
        code = target->compileKernels(getProgram());
        return failed(code) ? lines.takeError() : llvm::Error::success();
      }))
    return std::move(error);
  return serializeArtifact(getProgram(), *code, describeInput(options, hasOwnRecompute(), std::move(report)));
}

llvm::Error Compilation::run(llvm::function_ref<void(OpPassManager &)> addPasses) {
  PassManager manager(&context);
  addPasses(manager);
  if (failed(manager.run(*module)))
    return lines.takeError();
  return llvm::Error::success();
}

llvm::Error Compilation::timed(StringRef what, llvm::function_ref<llvm::Error()> work) {
  auto begin = std::chrono::steady_clock::now();
  llvm::Error error = work();
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  if (options.output.timing)
    llvm::errs() << llvm::formatv("timing: {0,-9} {1:f3} s\n", what, seconds.count());
  return error;
}

static bool asksForRecompute(const RecomputeOptions &recompute) {
  return recompute.activations || recompute.planFile || recompute.policy || recompute.saveOnly ||
         recompute.granularity.value_or("none") != "none";
}

llvm::Error Compilation::runVerifier(const Stage &stage) {
  return stage.addVerifier ? run(stage.addVerifier) : llvm::Error::success();
}

/// Runs the stage's passes, the passes that a person has added, and the verifier. For the stage that the input has
/// reached, it skips the stage's passes, but verifies the input: a person may have edited it. If there are added
/// passes, it verifies again after them.
llvm::Error Compilation::runStage(const Stage &stage) {
  bool isInput = stage.name == reached, isAdded = false;
  if (stage.name == "remat" && device && !isInput && asksForRecompute(options.recompute))
    peakOfNone = computePeak(*module); // a second plan of the same step
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
    if (llvm::Error error = summarize())
      return error;
  if (stage.name == "fusion" && device)
    if (llvm::Error error = computeTimes())
      return error;
  call(stage, "remat", hooks.afterRemat);
  call(stage, "placement", hooks.afterVerification);
  call(stage, "step", hooks.afterStep);
  return llvm::Error::success();
}

void Compilation::call(const Stage &stage, StringRef after, const CompileHooks::Hook &hook) {
  if (stage.name == after && hook)
    hook(*module);
}

llvm::Error Compilation::summarize() {
  for (auto func : module->getOps<func::FuncOp>())
    if (func.getName() == "microbatch")
      summary = summarizeRemat(func);
  if (options.output.planFile.empty())
    return llvm::Error::success();
  FailureOr<StepIR> read = readStep(*module);
  int main = failed(read) ? -1 : plan::Scorer::findMainEntry(read->step);
  if (main < 0)
    return badInput("--write-recompute-plan: " + options.input + " has no step that trains, and so no recompute plan");
  std::string policy = llvm::formatv("{0}", llvm::json::Value(describePolicy(options, hasOwnRecompute())));
  planText = writePlanFile(read->step.entries[main], readChoices(read->step.entries[main]), policy);
  return llvm::Error::success();
}

llvm::Error Compilation::computeTimes() {
  FailureOr<StepTimes> computed = tx::computeTimes(*module, *device);
  if (failed(computed))
    return lines.takeError();
  times = std::move(*computed);
  return llvm::Error::success();
}
