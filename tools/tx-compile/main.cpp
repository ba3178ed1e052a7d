//===- main.cpp - tx-compile --------------------------------------------------------------------------------------===//
//
// tx-compile reads a model and flags, and writes the IR of a phase, a report or an artifact. Frontend/Options.def has
// its options, Pipeline the way through the phases.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "TxVersion.inc"

#include "tx/Frontend/CompileOptions.h"
#include "tx/Frontend/Help.h"
#include "tx/Pipeline/Pipelines.h"
#include "tx/Pipeline/Register.h"
#include "tx/Support/Tool.h"
#include "tx/Support/UserError.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

using namespace tx;

/// Prints what --help, --help-megatron, --help-families, --help-markdown or --version ask for.
static void print(OutputOptions::Print what) {
  llvm::SmallVector<StageHelp> stages;
  for (const Stage &stage : getStages())
    stages.push_back({stage.name, stage.summary, stage.isPhase});
  switch (what) {
  case OutputOptions::Print::Nothing:
    return;
  case OutputOptions::Print::Help:
    return printHelp(llvm::outs(), stages);
  case OutputOptions::Print::MegatronHelp:
    return printMegatronHelp(llvm::outs());
  case OutputOptions::Print::Families:
    return printFamilies(llvm::outs());
  case OutputOptions::Print::Markdown:
    return printMarkdown(llvm::outs(), stages);
  case OutputOptions::Print::Version:
    llvm::outs() << "tx " TX_VERSION "\n";
    return;
  }
}

static llvm::Error run(llvm::ArrayRef<llvm::StringRef> arguments) {
  llvm::Expected<CompileOptions> options = parseCommandLine(arguments);
  if (!options)
    return options.takeError();
  const OutputOptions &output = options->output;
  if (output.print != OutputOptions::Print::Nothing) {
    print(output.print);
    return llvm::Error::success();
  }
  for (const std::string &note : options->notes)
    printNote(note);

  bool compiles = !output.compileTo.empty() || !output.artifactFile.empty() || !output.reportFile.empty() ||
                  !output.verifyTwinFile.empty() || !output.planFile.empty();
  if (!output.compileTo.empty() && !llvm::is_contained(getPhaseNames(), output.compileTo))
    return badUsage("--compile-to takes one of " + llvm::join(getPhaseNames(), ", ") + "; found '" + output.compileTo +
                    "'");
  if (!compiles && !output.printModelConfig)
    return badUsage("nothing to do: give -o FILE.txa, --report FILE.json or --compile-to PHASE");
  if (llvm::Error error = checkOutputFiles(*options))
    return error;
  if (!options->plugins.addedPasses.empty())
    registerAllPasses();
  if (output.printModelConfig) {
    if (options->inputIsModule)
      return badUsage("--print-model-config: a module has no config; the input is " + options->input);
    llvm::outs() << llvm::formatv("{0:2}", llvm::json::Value(toJson(options->model))) << '\n';
  }
  return compiles ? compile(*options) : llvm::Error::success();
}

int main(int argc, char **argv) { return runTool(argc, argv, run); }
