//===- Json.h - JSON from files that nobody vouches for -------------------------------------------------*- C++ -*-===//
//
// nlohmann::json checks UTF-8, overflowing numbers and trailing bytes. What it accepts and we do not: a key that occurs
// twice (which one counts?), nesting without end, values without end (each takes many times the memory of its text),
// and anything behind a NUL, where it takes the text to end.
//
//   json root = parseJson(begin, end, "step.txa: manifest");
//   JsonField top(root, "step.txa: manifest");
//   uint64_t seed = top["seed"].number(); // or "step.txa: manifest: field 'seed' is missing"
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_JSON_H
#define TXRT_CORE_JSON_H

#include "core/Failure.h"

#include <nlohmann/json.hpp>

#include <functional>
#include <string>
#include <vector>

namespace txrt {

constexpr size_t maxJsonDepth = 64;
constexpr size_t maxJsonValues = size_t(4) << 20;

/// Throws a Failure that begins with `what`.
nlohmann::json parseJson(const char *begin, const char *end, const std::string &what);

/// Called with each member of the outermost object, which is then dropped.
using JsonMember = std::function<void(const std::string &key, const nlohmann::json &value)>;

/// What a member may hold.
constexpr size_t maxMemberValues = 1 << 16;

/// For an object that may have very many members: only one of them is in memory at a time, and all keys, at most
/// `mostMembers`.
void parseJsonMembers(const char *begin, const char *end, const std::string &what, size_t mostMembers,
                      const JsonMember &member);

/// A value with the path that leads to it, for messages.
class JsonField {
public:
  JsonField(const nlohmann::json &value, const std::string &what) : value(value), what(what) {}

  JsonField operator[](const char *key) const;
  bool has(const char *key) const { return value.is_object() && value.count(key) != 0; }
  bool isObject() const { return value.is_object(); }
  std::vector<JsonField> items() const;
  uint64_t number() const;
  double real() const;
  bool boolean() const;
  std::string string() const;
  /// The number below `count` that has this string for its name, by a function of txrt/abi.h.
  uint32_t oneOf(const char *(*name)(uint32_t), uint32_t count) const;
  [[noreturn]] void refuse(const std::string &why) const;

private:
  JsonField(const nlohmann::json &value, const std::string &what, std::string path)
      : value(value), what(what), path(std::move(path)) {}

  const nlohmann::json &value;
  const std::string &what;
  std::string path;
};

} // namespace txrt

#endif // TXRT_CORE_JSON_H
