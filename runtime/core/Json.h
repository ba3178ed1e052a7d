//===- Json.h - JSON from untrusted files ---------------------------------------------------------------*- C++ -*-===//
//
// nlohmann::json checks UTF-8, overflowing numbers and trailing bytes. This reader also refuses what nlohmann::json
// accepts: a key that occurs twice in an object (which one counts?), nesting deeper than maxJsonDepth, more values than
// maxJsonValues (a value takes many times the memory of its text), and a NUL, where nlohmann::json ends the text.
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

/// Parses [begin, end). Throws a Failure whose message begins with `what`.
nlohmann::json parseJson(const char *begin, const char *end, const std::string &what);

/// parseJsonMembers calls it with each member of the outermost object, and frees the value afterwards.
using JsonMember = std::function<void(const std::string &key, const nlohmann::json &value)>;

/// The most values that one member may have.
constexpr size_t maxMemberValues = 1 << 16;

/// Parses an object that may have very many members. Only the value of one member is in memory at a time, and all keys.
/// Throws if the object has more than `mostMembers` members.
void parseJsonMembers(const char *begin, const char *end, const std::string &what, size_t mostMembers,
                      const JsonMember &member);

/// A value with the path that leads to it in the file. Its accessors throw, with this path, if the value has another
/// type.
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
  /// The number below `count` whose name is this string. `name` is a function of txrt/abi.h such as txrt_dtype_name.
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
