//===- FolderConfig.cpp - The config.json of a folder of weights --------------------------------------------------===//

#include "train/FolderConfig.h"
#include "core/File.h"
#include "core/Json.h"
#include "train/WeightFolder.h"

#include <map>
#include <set>
#include <sys/stat.h>

namespace txrt::train {

using Json = nlohmann::ordered_json; // keeps the order of the file

static constexpr uint64_t maxConfigBytes = 16u << 20;

static bool endsWith(const std::string &text, const std::string &end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// Whether a field says nothing about what the weights compute: how they are stored, or how they were or will be
/// trained and sampled.
static bool isOfNoWeight(const std::string &key) {
  for (const char *name : {"dtype", "torch_dtype", "transformers_version", "architectures", "use_cache",
                           "initializer_range", "_name_or_path"})
    if (key == name)
      return true;
  return endsWith(key, "dropout") || endsWith(key, "_pdrop") || endsWith(key, "_token_id");
}

/// The fields of a config and of the objects in it, by their own names: transformers 4 and 5 have the same fields of
/// rotary positions in different objects. A name that stands for two values is left out.
static void collectFields(const Json &config, std::map<std::string, Json> &fields, std::set<std::string> &ambiguous) {
  for (const auto &item : config.items()) {
    if (item.value().is_object())
      collectFields(item.value(), fields, ambiguous);
    else if (const auto [other, isNew] = fields.emplace(item.key(), item.value());
             !isNew && other->second != item.value())
      ambiguous.insert(item.key());
  }
}

static std::map<std::string, Json> fieldsOf(const Json &config) {
  std::map<std::string, Json> fields;
  std::set<std::string> ambiguous;
  collectFields(config, fields, ambiguous);
  for (const std::string &name : ambiguous)
    fields.erase(name);
  return fields;
}

/// Throws if a field of the model differs from the folder's. A field that the folder's config lacks, or has as null, is
/// taken for the same.
static void requireSameModel(const Json &mine, const Json &theirs, const std::string &path) {
  const std::map<std::string, Json> others = fieldsOf(theirs);
  for (const auto &[name, value] : fieldsOf(mine)) {
    const auto other = others.find(name);
    if (isOfNoWeight(name) || other == others.end() || other->second.is_null() || value.is_null() ||
        other->second == value)
      continue;
    fail(TXRT_BAD_INPUT, "%s: is of another model: '%s' is %s, and %s in the model to save; name another folder",
         printable(path, 200).c_str(), printable(name, 60).c_str(),
         printable(other->second.dump(-1, ' ', true), 60).c_str(), printable(value.dump(-1, ' ', true), 60).c_str());
  }
}

FolderConfig decideConfig(const std::string &folder, const std::string &config, const std::string &dtype) {
  const std::string path = folder + "/" + configName;
  FolderConfig result;
  struct stat info;
  const bool isThere = ::lstat(path.c_str(), &info) == 0;
  if (isThere) {
    const std::vector<uint8_t> bytes = readFile(path, maxConfigBytes);
    result.text.assign(bytes.begin(), bytes.end());
  } else {
    result.text = config;
    result.isChanged = !config.empty();
  }
  if (result.text.empty() && !isThere)
    return result;
  const char *begin = result.text.data(), *end = begin + result.text.size();
  if (!parseJson(begin, end, printable(path, 200)).is_object()) // refuses what ordered_json would accept
    fail(TXRT_BAD_INPUT, "%s: is no config of a model: it is no object", printable(path, 200).c_str());
  Json theirs = Json::parse(begin, end);
  if (isThere && !config.empty())
    requireSameModel(Json::parse(config), theirs, path);
  if (dtype.empty())
    return result;
  bool hasField = false, isDifferent = false;
  for (const char *name : {"dtype", "torch_dtype"}) {
    const auto field = theirs.find(name);
    if (field == theirs.end())
      continue;
    hasField = true;
    isDifferent |= *field != dtype;
    *field = dtype;
  }
  if (!hasField && !isThere) {
    theirs["torch_dtype"] = dtype;
    isDifferent = true;
  }
  if (isDifferent) {
    result.text = theirs.dump(2) + "\n";
    result.isChanged = true;
    result.isFirst = !isThere || dtype == "float32";
  }
  return result;
}

} // namespace txrt::train
