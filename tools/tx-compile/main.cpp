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
#include "tx/Support/UserError.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"

#include <csignal>
#include <exception>
#include <new>
#include <unistd.h>

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

/// Called when memory runs out. Tx is built without exceptions, so it can only leave, with the status OutOfMemory. A
/// thread that the system refuses to start, for lack of memory for its stack, leads here too.
[[noreturn]] static void leaveWithoutMemory() {
  static const char text[] = "error: memory ran out, or the system gives no more threads: raise the limits of this "
                             "process (ulimit -v, -u) or end others\n";
  (void)!::write(STDERR_FILENO, text, sizeof text - 1);
  ::_exit(static_cast<int>(ExitCode::OutOfMemory));
}

int main(int argc, char **argv) {
  std::set_new_handler(leaveWithoutMemory);
  std::set_terminate(leaveWithoutMemory);
  llvm::install_bad_alloc_error_handler([](void *, const char *, bool) { leaveWithoutMemory(); });
  llvm::InitLLVM init(argc, argv, /*InstallPipeSignalExitHandler=*/false);
  // Ignores the signals for a pipe without a reader and a file that grows too large: write() then fails, which is
  // checked.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  llvm::SmallVector<llvm::StringRef> arguments(argv + 1, argv + argc);
  ExitCode exitCode = report(run(arguments));
  // A full disk shows here at the latest. A reader that has left (`| head`) is no error.
  llvm::outs().flush();
  if (std::error_code error = llvm::outs().error()) {
    llvm::outs().clear_error();
    if (error != std::errc::broken_pipe)
      exitCode = report(badFile("standard output could not be written: " + error.message()));
  }
  return static_cast<int>(exitCode);
}
