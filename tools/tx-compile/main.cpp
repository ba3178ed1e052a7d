//===- main.cpp - tx-compile --------------------------------------------------------------------------------------===//
//
// Model and flags in; IR of a phase, a report or an artifact out. Options live in Frontend/Options.def, the way through
// the phases in Pipeline.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "TxVersion.inc"

#include "tx/Frontend/CompileOptions.h"
#include "tx/Frontend/Help.h"
#include "tx/Frontend/UserError.h"
#include "tx/Pipeline/Pipelines.h"
#include "tx/Pipeline/Register.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/InitLLVM.h"

#include <csignal>
#include <exception>
#include <new>
#include <unistd.h>

using namespace tx;

/// What --help and its like ask for.
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
                  !output.verifyTwinFile.empty();
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

/// Without exceptions there is no way back from where memory runs out; a thread that the system refuses, whose stack is
/// memory, ends up here too.
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
  // A reader that leaves and a file that grows too large are failed writes, which are checked, and no signals.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  llvm::SmallVector<llvm::StringRef> arguments(argv + 1, argv + argc);
  ExitCode exitCode = report(run(arguments));
  // A full disk shows at the latest here. A reader that has seen enough (`| head`) is no failure of ours.
  llvm::outs().flush();
  if (std::error_code error = llvm::outs().error()) {
    llvm::outs().clear_error();
    if (error != std::errc::broken_pipe)
      exitCode = report(badFile("standard output could not be written: " + error.message()));
  }
  return static_cast<int>(exitCode);
}
