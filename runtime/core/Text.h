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

/// Text from a file made fit for a one-line message: what a terminal would obey or reorder, and broken UTF-8, is
/// written as \xNN for each byte; anything past `limit` bytes becomes "...".
std::string printable(const std::string &text, size_t limit = 80);

/// "1.50 GiB", "12.0 KiB", "3 bytes".
std::string readableBytes(double bytes);

/// "[2, 3]".
std::string shapeText(const std::vector<uint64_t> &shape);

/// The fewest digits that give the same bits, with a point whatever the locale; for numbers that are finite.
std::string shortest(double value);
std::string shortest(float value);

/// FNV-1a.
uint64_t hashOf(const std::string &text);

/// The sign of a NaN is of no interest, and printf shows it.
double shown(double value);

} // namespace txrt

#endif // TXRT_CORE_TEXT_H
