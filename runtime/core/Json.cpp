#include "core/Json.h"

#include <algorithm>
#include <set>

using namespace txrt;
using nlohmann::json;

namespace {

/// Walks over a text before it is parsed, and refuses what the parser accepts but this reader does not (Json.h). The
/// parser's own callback would be too slow for this: whenever an inner object or list ends, it looks at all that the
/// outer one has so far.
class Guard : public nlohmann::json_sax<json> {
public:
  /// If `mostMembers` is not 0, values are limited for each member of the outermost object (maxMemberValues), not in
  /// all.
  Guard(const std::string &what, size_t mostMembers) : what(what), mostMembers(mostMembers) {}

  bool null() override { return count(); }
  bool boolean(bool) override { return count(); }
  bool number_integer(number_integer_t) override { return count(); }
  bool number_unsigned(number_unsigned_t) override { return count(); }
  bool number_float(number_float_t, const string_t &) override { return count(); }
  bool string(string_t &) override { return count(); }
  bool binary(binary_t &) override { return count(); }
  bool start_object(size_t) override { return open(); }
  bool start_array(size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t &key) override {
    if (!keys.back().insert(key).second)
      refuse("has the key '" + printable(key) + "' twice");
    if (mostMembers && keys.size() == 1) {
      if (keys[0].size() > mostMembers)
        refuse(format("has more than %zu members", mostMembers));
      member = key;
      values = 0;
    }
    return count();
  }
  // The parser, which runs after this walk, reports syntax errors.
  bool parse_error(size_t, const std::string &, const json::exception &) override { return false; }

private:
  [[noreturn]] void refuse(const std::string &why) const { fail(TXRT_BAD_INPUT, "%s: %s", what.c_str(), why.c_str()); }
  bool count() {
    const size_t most = mostMembers ? maxMemberValues : maxJsonValues;
    if (++values > most)
      refuse(format("%sholds more than %zu values", mostMembers ? ("'" + printable(member) + "' ").c_str() : "", most));
    return true;
  }
  bool open() {
    if (keys.size() == maxJsonDepth)
      refuse(format("is nested deeper than %zu levels", maxJsonDepth));
    keys.emplace_back();
    return count();
  }
  bool close() {
    keys.pop_back();
    return count();
  }

  const std::string &what;
  const size_t mostMembers;
  std::vector<std::set<std::string>> keys; // one set for each open object or list; a list's set stays empty
  std::string member;                      // the current member of the outermost object
  size_t values = 0;                       // how many values this member has, or the whole text
};

json parse(const char *begin, const char *end, const std::string &what, size_t mostMembers, const JsonMember *member) {
  const char *nul = std::find(begin, end, '\0');
  if (nul != end)
    fail(TXRT_BAD_INPUT, "%s: is no JSON: it has a NUL at byte %zu", what.c_str(), static_cast<size_t>(nul - begin));
  std::string current;
  auto handOut = [&](int depth, json::parse_event_t event, json &value) {
    using Event = json::parse_event_t;
    if (depth == 1 && event == Event::key)
      current = value.get_ref<const std::string &>();
    if (depth != 1 || (event != Event::object_end && event != Event::array_end && event != Event::value))
      return true;
    (*member)(current, value);
    return false; // the parser drops the value
  };
  try {
    Guard guard(what, mostMembers);
    (void)json::sax_parse(begin, end, &guard);
    return member ? json::parse(begin, end, handOut) : json::parse(begin, end);
  } catch (const json::exception &error) {
    // The text is "[json.exception.parse_error.101] parse error at line 1, ...". Drop the part in brackets.
    std::string text = error.what();
    if (size_t close = text.find("] "); close != std::string::npos)
      text = text.substr(close + 2);
    fail(TXRT_BAD_INPUT, "%s: is no JSON: %s", what.c_str(), printable(text, 160).c_str());
  }
}

} // namespace

json txrt::parseJson(const char *begin, const char *end, const std::string &what) {
  return parse(begin, end, what, 0, nullptr);
}

void txrt::parseJsonMembers(const char *begin, const char *end, const std::string &what, size_t mostMembers,
                            const JsonMember &member) {
  (void)parse(begin, end, what, mostMembers, &member);
}

JsonField JsonField::operator[](const char *key) const {
  if (!value.is_object())
    refuse("is no object");
  auto found = value.find(key);
  std::string inner = path.empty() ? key : path + "." + key;
  if (found == value.end())
    fail(TXRT_BAD_INPUT, "%s: field '%s' is missing", what.c_str(), printable(inner).c_str());
  return JsonField(*found, what, inner);
}

std::vector<JsonField> JsonField::items() const {
  if (!value.is_array())
    refuse("is no list");
  std::vector<JsonField> result;
  for (size_t i = 0; i < value.size(); ++i)
    result.push_back(JsonField(value[i], what, path + format("[%zu]", i)));
  return result;
}

uint64_t JsonField::number() const {
  if (!value.is_number_unsigned())
    refuse("is no non-negative integer");
  return value.get<uint64_t>();
}

double JsonField::real() const {
  if (!value.is_number())
    refuse("is no number");
  return value.get<double>();
}

bool JsonField::boolean() const {
  if (!value.is_boolean())
    refuse("is neither true nor false");
  return value.get<bool>();
}

std::string JsonField::string() const {
  if (!value.is_string())
    refuse("is no string");
  std::string text = value.get<std::string>();
  // C code would read a shorter string than C++ code.
  if (text.find('\0') != std::string::npos)
    refuse("contains a NUL character");
  return text;
}

uint32_t JsonField::oneOf(const char *(*name)(uint32_t), uint32_t count) const {
  std::string text = string(), known;
  for (uint32_t i = 0; i < count; ++i) {
    if (text == name(i))
      return i;
    known += std::string(i ? ", " : "") + name(i);
  }
  refuse("is '" + printable(text) + "'; known: " + known);
}

void JsonField::refuse(const std::string &why) const {
  if (path.empty())
    fail(TXRT_BAD_INPUT, "%s: %s", what.c_str(), why.c_str());
  fail(TXRT_BAD_INPUT, "%s: field '%s' %s", what.c_str(), printable(path).c_str(), why.c_str());
}
