//===- UserError.cpp ------------------------------------------------------===//

#include "tx/Frontend/UserError.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

using namespace tx;

char UserError::ID = 0;

void UserError::log(llvm::raw_ostream &os) const { os << text; }

std::error_code UserError::convertToErrorCode() const { return llvm::inconvertibleErrorCode(); }

static llvm::Error make(ExitCode exitCode, const llvm::Twine &message) {
  return llvm::make_error<UserError>(exitCode, message.str());
}

llvm::Error tx::badInput(const llvm::Twine &message) { return make(ExitCode::BadInput, message); }
llvm::Error tx::badUsage(const llvm::Twine &message) { return make(ExitCode::Usage, message); }
llvm::Error tx::badFile(const llvm::Twine &message) { return make(ExitCode::InputOutput, message); }

std::string tx::show(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.10g", value);
  return text;
}

/// One line for each error, each marked as one.
static void print(llvm::StringRef message) {
  llvm::SmallVector<llvm::StringRef> lines;
  message.split(lines, '\n');
  for (llvm::StringRef line : lines)
    llvm::WithColor::error(llvm::errs()) << line << '\n';
}

ExitCode tx::report(llvm::Error error) {
  ExitCode exitCode = ExitCode::Ok;
  llvm::handleAllErrors(
      std::move(error),
      [&](const UserError &info) {
        exitCode = info.getExitCode();
        print(info.message());
      },
      [&](const llvm::ErrorInfoBase &info) {
        exitCode = ExitCode::BadInput;
        print(info.message());
      });
  return exitCode;
}
