//===- Json.cpp - JSON from files that nobody vouches for ---------------------------------------------------------===//

#include "Json.h"
#include "Error.h"

#include <algorithm>
#include <set>
#include <vector>

namespace txrun {

using nlohmann::json;

namespace {

/// Follows the parser, refuses what it accepts and we do not, and hands out the members of the outermost object if
/// somebody wants them.
class Watch {
public:
  Watch(const std::string &what, const JsonMember *member) : what(what), member(member) {}

  /// False: the value is dropped.
  bool operator()(int depth, json::parse_event_t event, json &value) {
    switch (event) {
    case json::parse_event_t::object_start:
    case json::parse_event_t::array_start:
      if (depth >= maxJsonDepth)
        fail(ExitCode::BadInput, "%s: is nested deeper than %d levels", what.c_str(), maxJsonDepth);
      if (event == json::parse_event_t::object_start)
        keys.emplace_back();
      break;
    case json::parse_event_t::object_end:
      keys.pop_back();
      break;
    case json::parse_event_t::key:
      addKey(depth, value.get_ref<const std::string &>());
      break;
    default:
      break;
    }
    if (!member)
      return true;
    countValues();
    const bool ends = event == json::parse_event_t::object_end || event == json::parse_event_t::array_end ||
                      event == json::parse_event_t::value;
    if (depth != 1 || !ends)
      return true;
    (*member)(current, value);
    return false;
  }

private:
  void addKey(int depth, const std::string &key) {
    if (!keys.back().insert(key).second)
      fail(ExitCode::BadInput, "%s: has the key '%s' twice", what.c_str(), printable(key).c_str());
    if (depth != 1)
      return;
    current = key;
    values = 0;
  }
  void countValues() {
    if (++values > maxMemberValues)
      fail(ExitCode::BadInput, "%s: '%s' holds more than %zu values", what.c_str(), printable(current).c_str(),
           maxMemberValues);
  }

  const std::string &what;
  const JsonMember *member;
  std::vector<std::set<std::string>> keys; // of the objects that are open
  std::string current;                     // member of the outermost one
  size_t values = 0;                       // of it
};

json parse(const char *begin, const char *end, const std::string &what, const JsonMember *member) {
  const char *nul = std::find(begin, end, '\0');
  if (nul != end)
    fail(ExitCode::BadInput, "%s: is no JSON: it has a NUL at byte %zu", what.c_str(),
         static_cast<size_t>(nul - begin));
  Watch watch(what, member);
  auto callback = [&](int depth, json::parse_event_t event, json &value) { return watch(depth, event, value); };
  try {
    return json::parse(begin, end, callback);
  } catch (const json::exception &error) {
    // "[json.exception.parse_error.101] parse error at line 1, ...": the part in brackets helps nobody.
    std::string text = error.what();
    size_t close = text.find("] ");
    if (close != std::string::npos)
      text = text.substr(close + 2);
    fail(ExitCode::BadInput, "%s: is no JSON: %s", what.c_str(), printable(text, 160).c_str());
  }
}

} // namespace

json parseJson(const char *begin, const char *end, const std::string &what) { return parse(begin, end, what, nullptr); }

void parseJsonMembers(const char *begin, const char *end, const std::string &what, const JsonMember &member) {
  (void)parse(begin, end, what, &member);
}

} // namespace txrun
