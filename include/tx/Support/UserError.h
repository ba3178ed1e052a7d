//===- UserError.h - An error for the person at the keyboard --------------------------------------------*- C++ -*-===//
//
// One line: what was asked, what was found, what would work. It carries the exit status of the tool that prints it.
//
//   return badInput("config.json: n_layer is 0; it must be at least 1");
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_SUPPORT_USERERROR_H
#define TX_SUPPORT_USERERROR_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"

namespace tx {

/// The exit statuses of the tools. Docs and scripts rely on the numbers.
enum class ExitCode {
  Ok = 0,
  BadInput = 1,
  Usage = 2,
  OutOfMemory = 3,
  Device = 4,
  Peer = 5,
  Numeric = 6,
  InputOutput = 7,
  Interrupted = 130,
};

class UserError : public llvm::ErrorInfo<UserError> {
public:
  static char ID;
  UserError(ExitCode exitCode, std::string message) : exitCode(exitCode), text(std::move(message)) {}

  ExitCode getExitCode() const { return exitCode; }
  std::string message() const override { return text; }
  void log(llvm::raw_ostream &os) const override;
  std::error_code convertToErrorCode() const override;

private:
  ExitCode exitCode;
  std::string text;
};

llvm::Error badInput(const llvm::Twine &message);
llvm::Error badUsage(const llvm::Twine &message);
llvm::Error badFile(const llvm::Twine &message);

/// Writes a number as a person would.
std::string show(double value);

/// Writes control bytes, and bytes that are no UTF-8, as \n, \t or \x1b. Names of files, flags and fields come from
/// outside; so a message with such a name stays one line and cannot control the terminal.
std::string escapeControls(llvm::StringRef text);

/// Prints one line `error: …` for each error that `error` joins, and returns the exit status of the last one.
ExitCode report(llvm::Error error);
void printWarning(llvm::StringRef text);
void printNote(llvm::StringRef text);

} // namespace tx

#endif // TX_SUPPORT_USERERROR_H
