//===- Error.cpp - Messages for people ------------------------------------===//

#include "Error.h"

#include <cstdarg>
#include <cstdio>
#include <new>
#include <system_error>

namespace txrun {

static std::string formatList(const char *form, va_list list) {
  va_list copy;
  va_copy(copy, list);
  int length = std::vsnprintf(nullptr, 0, form, copy);
  va_end(copy);
  std::string text(length < 0 ? 0 : static_cast<size_t>(length), '\0');
  if (!text.empty())
    std::vsnprintf(&text[0], text.size() + 1, form, list);
  return text;
}

std::string format(const char *form, ...) {
  va_list list;
  va_start(list, form);
  std::string text = formatList(form, list);
  va_end(list);
  return text;
}

void fail(ExitCode code, const char *form, ...) {
  va_list list;
  va_start(list, form);
  std::string text = formatList(form, list);
  va_end(list);
  throw Error(code, text);
}

static bool isOutOfMemory(const std::exception &error) {
  if (dynamic_cast<const std::bad_alloc *>(&error))
    return true;
  const auto *failure = dynamic_cast<const std::system_error *>(&error);
  return failure &&
         (failure->code() == std::errc::resource_unavailable_try_again ||
          failure->code() == std::errc::not_enough_memory);
}

ExitCode codeOf(const std::exception &error) {
  if (const auto *own = dynamic_cast<const Error *>(&error))
    return own->code;
  return isOutOfMemory(error) ? ExitCode::OutOfMemory : ExitCode::BadInput;
}

std::string messageOf(const std::exception &error) {
  if (!isOutOfMemory(error))
    return error.what();
  char text[1024];
  txrt_describe_memory(text, sizeof text);
  return text;
}

void check(txrt_status status, const txrt_error &error) {
  if (status != TXRT_OK)
    throw Error(static_cast<ExitCode>(status), error.message);
}

/// Length of the UTF-8 sequence that starts at `at`, 0 if it is broken.
static size_t sequenceLength(const std::string &text, size_t at) {
  unsigned char lead = static_cast<unsigned char>(text[at]);
  size_t length = lead < 0x80             ? 1
                  : (lead >> 5) == 0x06   ? 2
                  : (lead >> 4) == 0x0e   ? 3
                  : (lead >> 3) == 0x1e   ? 4
                                          : 0;
  if (length == 0 || at + length > text.size())
    return 0;
  for (size_t i = 1; i < length; ++i)
    if ((static_cast<unsigned char>(text[at + i]) >> 6) != 0x02)
      return 0;
  return length;
}

std::string printable(const std::string &text, size_t limit) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    if (result.size() >= limit)
      return result + "...";
    size_t length = sequenceLength(text, at);
    unsigned char lead = static_cast<unsigned char>(text[at]);
    if (length == 0 || lead < 0x20 || lead == 0x7f) {
      result += '?';
      at += 1;
      continue;
    }
    result.append(text, at, length);
    at += length;
  }
  return result;
}

std::string humanBytes(double bytes) {
  static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  int unit = 0;
  while (bytes >= 1024.0 && unit < 4) {
    bytes /= 1024.0;
    ++unit;
  }
  return unit == 0 ? format("%.0f bytes", bytes)
                   : format("%.*f %s", bytes < 10 ? 2 : bytes < 100 ? 1 : 0,
                            bytes, units[unit]);
}

} // namespace txrun
