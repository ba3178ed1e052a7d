//===- Text.h - Words for messages ----------------------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_CORE_TEXT_H
#define TXRT_CORE_TEXT_H

#include <cstdarg>
#include <cstdint>
#include <string>
#include <vector>

namespace txrt {

/// printf into a string.
std::string format(const char *form, ...) __attribute__((format(printf, 1, 2)));
std::string formatList(const char *form, va_list list);

/// Makes text from a file fit for a one-line message: writes each byte of broken UTF-8, and of a character that a
/// terminal would obey or that changes the direction of text, as \xNN, and replaces all after `limit` bytes by "...".
std::string printable(const std::string &text, size_t limit = 80);

/// "1.50 GiB", "12.0 KiB", "3 bytes".
std::string readableBytes(double bytes);

/// "[2, 3]".
std::string shapeText(const std::vector<uint64_t> &shape);

/// A finite number in the fewest digits that read back as the same bits. The decimal sign is a point in any locale.
std::string shortest(double value);
std::string shortest(float value);

/// The FNV-1a hash of the text, 64 bits.
uint64_t hashOf(const std::string &text);

/// The number as messages show it: printf would print the sign of a NaN, which means nothing, so this drops it.
double shown(double value);

} // namespace txrt

#endif // TXRT_CORE_TEXT_H
