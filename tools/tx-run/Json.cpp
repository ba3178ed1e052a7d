//===- Json.cpp - JSON from files that nobody vouches for -----------------===//

#include "Json.h"
#include "Error.h"

#include <set>
#include <vector>

namespace txrun {

nlohmann::json parseJson(const char *begin, const char *end,
                         const std::string &what) {
  using nlohmann::json;
  std::vector<std::set<std::string>> keys; // of the objects that are open
  auto watch = [&](int depth, json::parse_event_t event, json &value) {
    switch (event) {
    case json::parse_event_t::object_start:
    case json::parse_event_t::array_start:
      if (depth >= maxJsonDepth)
        fail(ExitCode::BadInput, "%s: is nested deeper than %d levels",
             what.c_str(), maxJsonDepth);
      if (event == json::parse_event_t::object_start)
        keys.emplace_back();
      break;
    case json::parse_event_t::object_end:
      keys.pop_back();
      break;
    case json::parse_event_t::key:
      if (!keys.back().insert(value.get_ref<const std::string &>()).second)
        fail(ExitCode::BadInput, "%s: has the key '%s' twice", what.c_str(),
             printable(value.get_ref<const std::string &>()).c_str());
      break;
    default:
      break;
    }
    return true;
  };
  try {
    return json::parse(begin, end, watch);
  } catch (const json::exception &error) {
    // "[json.exception.parse_error.101] parse error at line 1, ...": the part
    // in brackets helps nobody.
    std::string text = error.what();
    size_t close = text.find("] ");
    if (close != std::string::npos)
      text = text.substr(close + 2);
    fail(ExitCode::BadInput, "%s: is no JSON: %s", what.c_str(),
         printable(text, 160).c_str());
  }
}

} // namespace txrun
