//===- Error.h - What tx-run throws, with the exit code it becomes --------------------------------------*- C++ -*-===//
//
//   fail(ExitCode::BadInput, "%s: %zu bytes are no safetensors file", path, n);
//
// main catches it, prints the one line and leaves with the code. The codes are the runtime's statuses, so an error of
// the runtime passes through unchanged.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_ERROR_H
#define TXRUN_ERROR_H

#include "txrt/runtime.h"

#include <stdexcept>
#include <string>

namespace txrun {

enum class ExitCode {
  Ok = TXRT_OK,
  BadInput = TXRT_BAD_INPUT,
  Usage = TXRT_USAGE,
  OutOfMemory = TXRT_OUT_OF_MEMORY,
  Device = TXRT_DEVICE,
  Peer = TXRT_PEER,
  Numeric = TXRT_NUMERIC,
  Io = TXRT_IO,
  Interrupted = TXRT_INTERRUPTED,
};

class Error : public std::runtime_error {
public:
  Error(ExitCode code, const std::string &message) : std::runtime_error(message), code(code) {}
  ExitCode code;
  bool quiet = false; // somebody else says it, or nobody listens
};

/// Standard output has no reader any more: tx-run leaves without a word.
class OutputClosed : public Error {
public:
  OutputClosed() : Error(ExitCode::Io, "standard output was closed") { quiet = true; }
};

/// What becomes of an exception: an Error has its own code, a failed allocation (of memory or of a thread's stack) is
/// OutOfMemory with the limit that is nearest, anything else is about the input.
ExitCode codeOf(const std::exception &error);
std::string messageOf(const std::exception &error);

/// printf into a string.
std::string format(const char *form, ...) __attribute__((format(printf, 1, 2)));

[[noreturn]] void fail(ExitCode code, const char *form, ...) __attribute__((format(printf, 2, 3)));

/// Throws when a call of the runtime did not succeed.
void check(txrt_status status, const txrt_error &error);

/// Text from a file made fit for a one-line message: what a terminal would obey or reorder, and broken UTF-8, is
/// written as \xNN for each byte; anything past `limit` bytes becomes "...".
std::string printable(const std::string &text, size_t limit = 80);

/// One line on standard error, whatever the text is made of:
/// complain("warning", "...").
void complain(const char *kind, const std::string &text);

/// For messages: the sign of a NaN is of no interest, and printf shows it.
double shown(double value);

/// "1.5 GiB", "12 KiB", "3 bytes".
std::string humanBytes(double bytes);

} // namespace txrun

#endif // TXRUN_ERROR_H
