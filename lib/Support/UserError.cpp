//===- UserError.cpp ----------------------------------------------------------------------------------------------===//

#include "tx/Support/UserError.h"

#include "llvm/Support/ConvertUTF.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/WithColor.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

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
  if (std::isnan(value)) // some machines print NaN with a sign
    return "nan";
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.10g", value);
  return text;
}

/// The number of bytes of the first character of the text; 0 if it must not be sent to a terminal: a control character
/// of ASCII or Latin-1, or bytes that are no UTF-8.
static size_t measureCharacter(llvm::StringRef text) {
  auto *bytes = reinterpret_cast<const llvm::UTF8 *>(text.data());
  size_t size = llvm::getNumBytesForUTF8(bytes[0]);
  if (bytes[0] < 0x20 || bytes[0] == 0x7f || size > text.size() || !llvm::isLegalUTF8Sequence(bytes, bytes + size) ||
      (bytes[0] == 0xc2 && bytes[1] < 0xa0))
    return 0;
  return size;
}

std::string tx::escapeControls(llvm::StringRef text) {
  std::string escaped;
  llvm::raw_string_ostream os(escaped);
  while (!text.empty()) {
    size_t size = measureCharacter(text);
    unsigned char byte = text.front();
    if (size > 0)
      os << text.take_front(size);
    else if (byte == '\n')
      os << "\\n";
    else if (byte == '\t')
      os << "\\t";
    else
      os << "\\x" << llvm::format_hex_no_prefix(byte, 2);
    text = text.drop_front(std::max<size_t>(size, 1));
  }
  return escaped;
}

static void printError(llvm::StringRef text) { llvm::WithColor::error(llvm::errs()) << escapeControls(text) << '\n'; }
void tx::printWarning(llvm::StringRef text) { llvm::WithColor::warning(llvm::errs()) << escapeControls(text) << '\n'; }
void tx::printNote(llvm::StringRef text) { llvm::WithColor::note(llvm::errs()) << escapeControls(text) << '\n'; }

ExitCode tx::report(llvm::Error error) {
  ExitCode exitCode = ExitCode::Ok;
  llvm::handleAllErrors(
      std::move(error),
      [&](const UserError &info) {
        exitCode = info.getExitCode();
        printError(info.message());
      },
      [&](const llvm::ErrorInfoBase &info) {
        exitCode = ExitCode::BadInput;
        printError(info.message());
      });
  return exitCode;
}
