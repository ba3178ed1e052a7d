//===- Json.h - JSON from files that nobody vouches for -------------------------------------------------*- C++ -*-===//
//
// nlohmann::json checks UTF-8, overflowing numbers and trailing bytes. What it accepts and we do not: a key that occurs
// twice (which one counts?), nesting without end, and anything behind a NUL, where it takes the text to end.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_JSON_H
#define TXRUN_JSON_H

#include <nlohmann/json.hpp>

#include <functional>
#include <string>

namespace txrun {

constexpr int maxJsonDepth = 64;

/// Throws a bad-input Error that begins with `what`.
nlohmann::json parseJson(const char *begin, const char *end, const std::string &what);

/// Called with each member of the outermost object, which is then dropped.
using JsonMember = std::function<void(const std::string &key, const nlohmann::json &value)>;

/// What a member may hold. A value takes many times the memory of its text.
constexpr size_t maxMemberValues = 1 << 16;

/// The same for an object that may have millions of members: only one of them is in memory at a time, and its keys.
void parseJsonMembers(const char *begin, const char *end, const std::string &what, const JsonMember &member);

} // namespace txrun

#endif // TXRUN_JSON_H
