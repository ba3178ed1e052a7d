//===- Failure.h - How the runtime's parts say no -------------------------------------------------------*- C++ -*-===//
//
// Inside the runtime a refusal is thrown, so that a check is one line:
//
//   if (header.file_bytes != size)
//     fail(TXRT_BAD_INPUT, "%s: truncated: ...", name);
//
// At the C interface `guarded` turns it, and anything else, into a status; `check` turns a status back.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_FAILURE_H
#define TXRT_CORE_FAILURE_H

#include "core/Text.h"
#include "txrt/runtime.h"

#include <stdexcept>
#include <string>

namespace txrt {

class Failure : public std::runtime_error {
public:
  Failure(txrt_status code, const std::string &message) : std::runtime_error(message), code(code) {}
  txrt_status code;
};

[[noreturn]] void fail(txrt_status code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/// Throws when a call of a C interface did not succeed.
void check(txrt_status status, const txrt_error &error);

/// Throws unless all arguments that a call of the C interface needs are there.
void requireArgument(bool given, const char *call);

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
