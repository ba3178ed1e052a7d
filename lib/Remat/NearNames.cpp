//===- NearNames.cpp - Did you mean ...? --------------------------------------------------------------------------===//

#include "NearNames.h"

#include "tx/Remat/Options.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"

#include <set>

using namespace tx;
using llvm::StringRef;

StringRef tx::withoutLayer(StringRef valueName) {
  StringRef rest = valueName;
  int layer;
  if (rest.consume_front("layers.") && !rest.consumeInteger(10, layer) && rest.consume_front("."))
    return rest;
  return valueName;
}

std::string tx::suggestNames(const plan::Entry &entry, StringRef name) {
  // Names are compared without `layers.N.`: if only the layer's number is wrong, the name itself is the nearest.
  StringRef wanted = withoutLayer(name);
  std::set<std::string> names;
  for (int value = 0, e = entry.values.size(); value < e; ++value)
    if (entry.isForwardResult(value) && !entry.isView(value) && entry.ops[entry.values[value].producer].layer >= 0)
      names.insert(withoutLayer(entry.values[value].name).str());
  if (names.count(wanted.str()))
    return "its layers are " + listLayers(entry.layers);

  std::vector<std::pair<unsigned, std::string>> ranked;
  for (const std::string &candidate : names) {
    // Compares with each end of the candidate's name too, so that fc1 finds mlp.fc1.
    unsigned distance = wanted.edit_distance(candidate);
    for (size_t dot = candidate.find('.'); dot != std::string::npos; dot = candidate.find('.', dot + 1))
      distance = std::min(distance, wanted.edit_distance(StringRef(candidate).drop_front(dot + 1)));
    ranked.push_back({distance, candidate});
  }
  llvm::sort(ranked);
  constexpr size_t kMost = 4;
  std::string text;
  for (const auto &[distance, candidate] : llvm::ArrayRef(ranked).take_front(kMost))
    text += (text.empty() ? "near: " : ", ") + candidate;
  return text.empty() ? "its layers have no values" : text;
}
