//===- Failure.h - How the runtime's parts say no -------------------------------------------------------*- C++ -*-===//
//
// Inside the runtime a refusal is thrown, so that a check is one line:
//
//   if (header.file_bytes != size)
//     fail(TXRT_BAD_INPUT, "%s: truncated: ...", name);
//
// At the C interface `guarded` turns it, and anything else, into a status.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_FAILURE_H
#define TXRT_CORE_FAILURE_H

#include "txrt/runtime.h"

#include <string>

namespace txrt {

struct Failure {
  txrt_status code;
  std::string message;
};

[[noreturn]] void fail(txrt_status code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// printf into a string.
std::string format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/// Text from a file, made safe for a one-line message: control characters become '?', text longer than the limit is
/// cut.
std::string printable(const std::string &text, size_t limit = 80);

/// "1.5 GiB", for messages.
std::string readableBytes(unsigned long long bytes);

void setError(txrt_error *error, txrt_status code, const char *message);

/// Translates the exception in flight. Call it in a catch (...) only.
txrt_status statusOfException(txrt_error *error) noexcept;

template <typename Function> txrt_status guarded(txrt_error *error, Function &&function) noexcept {
  try {
    function();
    return TXRT_OK;
  } catch (...) {
    return statusOfException(error);
  }
}

} // namespace txrt

#endif // TXRT_CORE_FAILURE_H
