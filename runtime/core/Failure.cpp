#include "core/Failure.h"

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <system_error>

using namespace txrt;

static std::string formatList(const char *format, va_list list) {
  char text[1024];
  int length = vsnprintf(text, sizeof text, format, list);
  return length < 0 ? std::string(format) : std::string(text);
}

void txrt::fail(txrt_status code, const char *format, ...) {
  va_list list;
  va_start(list, format);
  std::string message = formatList(format, list);
  va_end(list);
  throw Failure{code, message};
}

std::string txrt::format(const char *format, ...) {
  va_list list;
  va_start(list, format);
  std::string text = formatList(format, list);
  va_end(list);
  return text;
}

std::string txrt::printable(const std::string &text, size_t limit) {
  std::string result;
  for (unsigned char c : text) {
    if (result.size() >= limit)
      return result + "...";
    if (c < 0x20 || c == 0x7f)
      result += format("\\x%02x", c);
    else
      result += static_cast<char>(c);
  }
  return result;
}

std::string txrt::readableBytes(unsigned long long bytes) {
  const char *units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024)
    return format("%llu bytes", bytes);
  double value = static_cast<double>(bytes);
  int unit = 0;
  for (; value >= 1024 && unit < 4; ++unit)
    value /= 1024;
  return format("%.1f %s", value, units[unit]);
}

void txrt::setError(txrt_error *error, txrt_status code, const char *message) {
  if (!error)
    return;
  error->code = code;
  snprintf(error->message, sizeof error->message, "%s", message);
  // One line that a terminal only shows, whatever a library put into its message.
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
    setError(error, failure.code, failure.message.c_str());
    return failure.code;
  } catch (const std::bad_alloc &) {
    return outOfMemory(error);
  } catch (const std::system_error &failure) {
    // A thread that can not be started: its stack is what is missing.
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
