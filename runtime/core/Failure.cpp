#include "core/Failure.h"

#include <cstdio>
#include <exception>
#include <new>
#include <system_error>

using namespace txrt;

void txrt::fail(txrt_status code, const char *format, ...) {
  va_list list;
  va_start(list, format);
  std::string message = formatList(format, list);
  va_end(list);
  throw Failure(code, message);
}

void txrt::check(txrt_status status, const txrt_error &error) {
  if (status != TXRT_OK)
    throw Failure(status, error.message);
}

void txrt::requireArgument(bool given, const char *call) {
  if (!given)
    fail(TXRT_USAGE, "%s: an argument is NULL", call);
}

void txrt::setError(txrt_error *error, txrt_status code, const char *message) {
  if (!error)
    return;
  error->code = code;
  snprintf(error->message, sizeof error->message, "%s", message);
  // A library's message may contain line ends and control characters; the error is one line that a terminal only shows.
  for (char *c = error->message; *c; ++c)
    if (static_cast<unsigned char>(*c) < 0x20 || *c == 0x7f)
      *c = ' ';
}

static txrt_status outOfMemory(txrt_error *error) noexcept {
  char text[sizeof error->message];
  txrt_describe_memory(text, sizeof text);
  setError(error, TXRT_OUT_OF_MEMORY, text);
  return TXRT_OUT_OF_MEMORY;
}

txrt_status txrt::statusOfException(txrt_error *error) noexcept {
  try {
    throw;
  } catch (const Failure &failure) {
    setError(error, failure.code, failure.what());
    return failure.code;
  } catch (const std::bad_alloc &) {
    return outOfMemory(error);
  } catch (const std::system_error &failure) {
    // The system could not start a thread: there is no memory for its stack.
    if (failure.code() == std::errc::resource_unavailable_try_again || failure.code() == std::errc::not_enough_memory)
      return outOfMemory(error);
    setError(error, TXRT_USAGE, failure.what());
    return TXRT_USAGE;
  } catch (const std::exception &exception) {
    setError(error, TXRT_BAD_INPUT, exception.what());
    return TXRT_BAD_INPUT;
  } catch (...) {
    setError(error, TXRT_BAD_INPUT, "unknown failure in the runtime");
    return TXRT_BAD_INPUT;
  }
}
