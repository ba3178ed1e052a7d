//===- tx-opt.cpp - Runs passes on IR, as mlir-opt does -----------------------------------------------------------===//

#include "RunChecks.h"

#include "tx/Dialect/Check/IR/CheckOps.h"
#include "tx/Pipeline/PassPlugin.h"
#include "tx/Pipeline/Register.h"
#include "tx/Support/InputLimits.h"
#include "tx/Support/UserError.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/ToolOutputFile.h"

#include <csignal>

using namespace mlir;

static llvm::cl::opt<bool> allowBytecode(
    "allow-bytecode",
    llvm::cl::desc("Accept MLIR bytecode as the input: its reader is not safe against files made to harm"));

/// Refuses input that nests too deep: MLIR's parser recurses as deep as the input nests, and would overflow the stack.
static llvm::Error checkInput(const llvm::MemoryBuffer &buffer, llvm::StringRef name) {
  if (!isBytecode(buffer))
    return tx::checkMlirNesting(buffer.getBuffer(), name);
  if (allowBytecode)
    return llvm::Error::success();
  return tx::badInput(name + ": it is MLIR bytecode; give the text, or --allow-bytecode for a file of your own");
}

/// Hides LLVM's own flags in --help, where nobody would find a pass among thousands of flags of code generators;
/// --help-hidden lists them.
static void hideFlagsOfLLVM() {
  for (auto &[name, option] : llvm::cl::getRegisteredOptions())
    if (option != &allowBytecode && llvm::is_contained(option->Categories, &llvm::cl::getGeneralCategory()))
      option->setHiddenFlag(llvm::cl::Hidden);
}

/// Loads the plug-ins that --load-pass-plugin names, and removes these flags from the arguments. It has to run before
/// MLIR reads the other flags, so that the plug-ins' passes are known as flags (--my-pass). It only checks the plug-ins
/// that --load-dialect-plugin names; MLIR loads them. A plug-in that does not fit is an error here, while MLIR would go
/// on without it.
static llvm::Error loadPassPlugins(std::vector<char *> &arguments) {
  auto next = arguments.begin() + 1;
  while (next != arguments.end()) {
    llvm::StringRef argument = *next;
    auto [name, value] = argument.split('=');
    bool isDialect = name.trim('-') == "load-dialect-plugin";
    if (!argument.starts_with("-") || (!isDialect && name.trim('-') != "load-pass-plugin")) {
      ++next;
      continue;
    }
    auto end = next + 1;
    if (!argument.contains('=')) {
      if (end == arguments.end())
        return tx::badUsage(name + " needs a value: " + name + " FILE.so");
      value = *end++;
    }
    if (llvm::Error error = isDialect ? tx::checkPlugin(value) : tx::loadPassPlugin(value))
      return error;
    next = isDialect ? end : arguments.erase(next, end);
  }
  return llvm::Error::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  hideFlagsOfLLVM(); // hides all flags that exist now; Tx registers its own after this
  // Ignores the signal for a file that grows too large: write() then fails, which is reported.
  std::signal(SIGXFSZ, SIG_IGN);
  DialectRegistry registry;
  tx::registerAllDialects(registry);
  registry.insert<tx::check::CheckDialect>();
  tx::registerAllPasses();
  tx::registerRunChecksPass();
  std::vector<char *> arguments(argv, argv + argc);
  if (llvm::Error error = loadPassPlugins(arguments))
    return static_cast<int>(tx::report(std::move(error)));
  argc = static_cast<int>(arguments.size());
  arguments.push_back(nullptr);
  argv = arguments.data();
  auto [inputName, outputName] =
      registerAndParseCLIOptions(argc, argv, "tx-opt: passes on the IR of training steps\n", registry);
  MlirOptMainConfig config = MlirOptMainConfig::createFromCLOptions();
  if (config.shouldShowDialects() || config.shouldListPasses())
    return asMainReturnCode(MlirOptMain(argc, argv, inputName, outputName, registry));

  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> input = openInputFile(inputName, &message);
  if (!input)
    return static_cast<int>(tx::report(tx::badFile(message)));
  if (llvm::Error error = checkInput(*input, inputName))
    return static_cast<int>(tx::report(std::move(error)));
  std::unique_ptr<llvm::ToolOutputFile> output = openOutputFile(outputName, &message);
  if (!output)
    return static_cast<int>(tx::report(tx::badFile(message)));
  if (failed(MlirOptMain(output->os(), std::move(input), registry, config)))
    return EXIT_FAILURE;
  output->keep();
  output->os().flush();
  if (output->os().has_error()) {
    output->os().clear_error();
    return static_cast<int>(tx::report(tx::badFile(outputName + ": cannot be written")));
  }
  return EXIT_SUCCESS;
}
