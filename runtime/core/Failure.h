//===- Failure.h - How the runtime reports errors -------------------------------------------------------*- C++ -*-===//
//
// Inside the runtime an error is an exception of type Failure, so that a check is one line:
//
//   if (header.file_bytes != size)
//     fail(TXRT_BAD_INPUT, "%s: truncated: ...", name);
//
// At the C interface `guarded` turns a Failure, or any other exception, into a status; `check` turns a status that is
// not TXRT_OK into a Failure.
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

/// Throws a Failure with this error unless `status` is TXRT_OK.
void check(txrt_status status, const txrt_error &error);

/// Throws TXRT_USAGE with the name of the C function `call` unless `given`: the caller has passed every pointer that
/// the function needs.
void requireArgument(bool given, const char *call);

void setError(txrt_error *error, txrt_status code, const char *message);

/// Turns the exception that is being handled into a status and `error`. Call it only in a catch (...).
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
