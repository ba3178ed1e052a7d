//===- Json.h - JSON from files that nobody vouches for ---------*- C++ -*-===//
//
// nlohmann::json checks UTF-8, overflowing numbers and trailing bytes. What it
// accepts and we do not: a key that occurs twice (which one counts?), and
// nesting without end.
//
//===----------------------------------------------------------------------===//

#ifndef TXRUN_JSON_H
#define TXRUN_JSON_H

#include <nlohmann/json.hpp>

#include <string>

namespace txrun {

constexpr int maxJsonDepth = 64;

/// Throws a bad-input Error that begins with `what`.
nlohmann::json parseJson(const char *begin, const char *end,
                         const std::string &what);

} // namespace txrun

#endif // TXRUN_JSON_H
