//===- Tool.cpp - What the main function of a tool does -----------------------------------------------------------===//

#include "tx/Support/Tool.h"

#include "tx/Support/UserError.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/raw_ostream.h"

#include <csignal>
#include <exception>
#include <new>
#include <unistd.h>

using namespace tx;

/// Called when memory runs out. Tx is built without exceptions, so it can only leave, with the status OutOfMemory. A
/// thread that the system refuses to start, for lack of memory for its stack, leads here too.
[[noreturn]] static void leaveWithoutMemory() {
  static const char text[] = "error: memory ran out, or the system gives no more threads: raise the limits of this "
                             "process (ulimit -v, -u) or end others\n";
  (void)!::write(STDERR_FILENO, text, sizeof text - 1);
  ::_exit(static_cast<int>(ExitCode::OutOfMemory));
}

int tx::runTool(int argc, char **argv, llvm::function_ref<llvm::Error(llvm::ArrayRef<llvm::StringRef>)> run) {
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
