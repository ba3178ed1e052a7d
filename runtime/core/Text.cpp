#include "core/Text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

using namespace txrt;

std::string txrt::formatList(const char *form, va_list list) {
  va_list copy;
  va_copy(copy, list);
  const int length = std::vsnprintf(nullptr, 0, form, copy);
  va_end(copy);
  if (length < 0)
    return form;
  std::string text(static_cast<size_t>(length), '\0');
  std::vsnprintf(&text[0], text.size() + 1, form, list);
  return text;
}

std::string txrt::format(const char *form, ...) {
  va_list list;
  va_start(list, form);
  std::string text = formatList(form, list);
  va_end(list);
  return text;
}

namespace {

/// A character of UTF-8; its length is 0 if the UTF-8 is broken.
struct Character {
  uint32_t code = 0;
  size_t length = 0;
};

Character characterAt(const std::string &text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  const size_t length = lead < 0x80           ? 1
                        : (lead >> 5) == 0x06 ? 2
                        : (lead >> 4) == 0x0e ? 3
                        : (lead >> 3) == 0x1e ? 4
                                              : 0;
  if (length == 0 || at + length > text.size())
    return {};
  uint32_t code = length == 1 ? lead : lead & (0x7fu >> length);
  for (size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[at + i]);
    if ((next >> 6) != 0x02)
      return {};
    code = code << 6 | (next & 0x3f);
  }
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < least[length] || code > 0x10ffff || (code >> 11) == 0x1b)
    return {};
  return {code, length};
}

/// Control characters (C0 and C1), line ends, and characters that change the direction of text.
bool isUnsafe(uint32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
         (code >= 0x200e && code <= 0x200f) || (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

} // namespace

std::string txrt::printable(const std::string &text, size_t limit) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    if (result.size() >= limit)
      return result + "...";
    const Character character = characterAt(text, at);
    const size_t length = std::max<size_t>(character.length, 1);
    if (character.length && !isUnsafe(character.code))
      result.append(text, at, length);
    else
      for (size_t i = 0; i < length; ++i)
        result += format("\\x%02x", static_cast<unsigned char>(text[at + i]));
    at += length;
  }
  return result;
}

std::string txrt::readableBytes(double bytes) {
  static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  int unit = 0;
  for (; bytes >= 1024 && unit < 4; ++unit)
    bytes /= 1024;
  if (unit == 0)
    return format("%.0f bytes", bytes);
  const int decimals = bytes < 10 ? 2 : bytes < 100 ? 1 : 0;
  return format("%.*f %s", decimals, bytes, units[unit]);
}

std::string txrt::shapeText(const std::vector<uint64_t> &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

double txrt::shown(double value) { return std::isnan(value) ? NAN : value; }

template <typename T> static std::string shortestOf(T value) {
  char digits[64];
  const auto result = std::to_chars(digits, digits + sizeof digits, value);
  return std::string(digits, result.ptr);
}

std::string txrt::shortest(double value) { return shortestOf(value); }
std::string txrt::shortest(float value) { return shortestOf(value); }

uint64_t txrt::hashOf(const std::string &text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (unsigned char byte : text)
    hash = (hash ^ byte) * 0x100000001b3;
  return hash;
}
