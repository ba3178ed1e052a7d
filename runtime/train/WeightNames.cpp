//===- WeightNames.cpp - What a stored tensor's name means --------------------------------------------------------===//

#include "train/WeightNames.h"

namespace txrt::train {

/// Whether `name` fits `pattern`, in which a star stands for any text.
static bool fits(const std::string &pattern, const std::string &name) {
  size_t at = 0, star = std::string::npos, next = 0, i = 0;
  while (i < name.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      next = i;
    } else if (at < pattern.size() && pattern[at] == name[i]) {
      ++at;
      ++i;
    } else if (star != std::string::npos) { // let the last star stand for one character more
      at = star + 1;
      i = ++next;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string::npos;
}

WeightNames::WeightNames(const Manifest &manifest) : spec(manifest.weights) {
  for (const GlobalSpec &global : manifest.globals) {
    const std::string name = withoutPrefix(global.name);
    if (global.role != Role::Gradient && global.role != Role::Master)
      meanings[name] = {Meaning::Value, &global};
    if (global.role == Role::Parameter)
      meanings.emplace(name + ".master", Meaning{Meaning::MasterOf, &global});
  }
  for (const auto &[copy, parameter] : spec.tied)
    meanings.emplace(withoutPrefix(copy), Meaning{Meaning::TiedCopyOf, manifest.findGlobal(parameter)});
}

std::string WeightNames::withoutPrefix(const std::string &name) const {
  return name.compare(0, spec.prefix.size(), spec.prefix) == 0 ? name.substr(spec.prefix.size()) : name;
}

WeightNames::Meaning WeightNames::of(const std::string &stored) const {
  if (const auto found = meanings.find(withoutPrefix(stored)); found != meanings.end())
    return found->second;
  for (const std::string &pattern : spec.ignored)
    if (fits(pattern, stored) || fits(pattern, withoutPrefix(stored)))
      return {Meaning::Ignored, nullptr};
  return {};
}

} // namespace txrt::train
