//===- FolderConfig.cpp - The config.json of a folder of weights --------------------------------------------------===//

#include "train/FolderConfig.h"
#include "core/File.h"
#include "core/Json.h"
#include "train/WeightFolder.h"

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

/// Throws if a field of the model differs from the folder's. A field that the folder's config lacks, or has as null,
/// is taken for the same: files of transformers 4 spell some fields in another way. They have those of an inner object
/// (rope_parameters) on top.
static void requireSameModel(const Json &mine, const Json &theirs, const Json &top, const std::string &path) {
  for (const auto &item : mine.items()) {
    const std::string &key = item.key();
    if (isOfNoWeight(key))
      continue;
    const auto inner = theirs.is_object() ? theirs.find(key) : theirs.end();
    const bool hasInner = theirs.is_object() && inner != theirs.end();
    if (item.value().is_object()) {
      requireSameModel(item.value(), hasInner && inner->is_object() ? *inner : Json::object(), top, path);
      continue;
    }
    const auto outer = top.find(key);
    const Json *other = hasInner ? &*inner : outer != top.end() ? &*outer : nullptr;
    if (!other || other->is_null() || item.value().is_null() || *other == item.value())
      continue;
    fail(TXRT_BAD_INPUT, "%s: is of another model: '%s' is %s, and %s in the model to save; name another folder",
         printable(path, 200).c_str(), printable(key, 60).c_str(), printable(other->dump(-1, ' ', true), 60).c_str(),
         printable(item.value().dump(-1, ' ', true), 60).c_str());
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
    requireSameModel(Json::parse(config), theirs, theirs, path);
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
