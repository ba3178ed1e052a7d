//===- Driver.cpp - From options to IR, report or artifact --------------------------------------------------------===//

#include "AddedPasses.h"
#include "Compilation.h"
#include "Report.h"
#include "Targets.h"

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Frontend/CompileOptions.h"
#include "tx/Pipeline/Pipelines.h"
#include "tx/Remat/Policies.h"
#include "tx/Support/UserError.h"
#include "tx/Target/Artifact.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace tx;

namespace {

CompileOptions withoutRecompute(CompileOptions options) {
  options.recompute = {};
  options.recompute.granularity = "none";
  return options;
}

/// Warns if the policy's peak is higher than that of the same step under policy `none`.
void comparePeakWithNone(Compilation &compilation) {
  if (compilation.getSummary().recomputed.empty() || !compilation.getPeakOfNone())
    return;
  if (std::optional<RematMessage> message =
          warnIfPeakRises(getPeakBytes(compilation.getProgram()), *compilation.getPeakOfNone()))
    printWarning(message->text);
}

llvm::json::Object makeReport(Compilation &compilation) {
  return tx::buildReport(compilation.getModule(), compilation.getProgram(), compilation.getSummary(),
                         compilation.getTimes());
}

} // namespace

static llvm::Expected<CompiledStep> compileStep(const CompileOptions &options, const CompileHooks &hooks, bool quiet) {
  llvm::Expected<plan::Device> device = findDevice(options);
  if (!device)
    return device.takeError();
  Compilation compilation(options, hooks, quiet);
  compilation.timeOn(*device);
  if (llvm::Error error = compilation.runTo("step"))
    return std::move(error);
  CompiledStep step;
  step.report = makeReport(compilation);
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
  llvm::Expected<plan::Device> device = findDevice(options);
  if (!device)
    return device.takeError();
  bool makesStep = !output.reportFile.empty() || !output.artifactFile.empty() || !output.verifyTwinFile.empty() ||
                   !output.planFile.empty();
  if (llvm::Error error = loadPlugins(options.plugins, makesStep ? StringRef("step") : StringRef(output.compileTo)))
    return error;
  if (!output.compileTo.empty()) {
    Compilation compilation(options);
    if (llvm::Error error = compilation.runTo(output.compileTo))
      return error;
    compilation.getModule()->print(llvm::outs());
    llvm::outs() << '\n'; // tx-opt ends its output with an empty line too
  }
  if (!output.reportFile.empty() || !output.artifactFile.empty() || !output.planFile.empty()) {
    Compilation compilation(options);
    compilation.timeOn(*device);
    if (llvm::Error error = compilation.runTo("step"))
      return error;
    comparePeakWithNone(compilation);
    llvm::json::Object report = makeReport(compilation);
    if (!output.artifactFile.empty()) {
      llvm::Expected<llvm::SmallVector<char, 0>> artifact = compilation.emitArtifact(report);
      if (!artifact)
        return artifact.takeError();
      if (llvm::Error error = writeFileAtomically(output.artifactFile, *artifact))
        return badFile(llvm::toString(std::move(error)));
    }
    if (!output.planFile.empty())
      if (llvm::Error error = writeFileAtomically(output.planFile, compilation.getPlanText()))
        return badFile(llvm::toString(std::move(error)));
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
