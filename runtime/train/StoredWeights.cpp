//===- StoredWeights.cpp - The tensors that --load names ----------------------------------------------------------===//

#include "train/StoredWeights.h"
#include "core/Failure.h"
#include "core/Json.h"
#include "train/NameList.h"
#include "train/WeightFolder.h"

#include <algorithm>
#include <set>
#include <sys/stat.h>

namespace txrt::train {

// As much as a header of the format may have.
static constexpr uint64_t maxIndexBytes = 100u * 1000u * 1000u;

static bool endsWith(const std::string &text, const std::string &end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

static std::string shownPath(const std::string &path) { return printable(path, 200); }

static bool isFolder(const std::string &path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

static bool exists(const std::string &path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0;
}

static std::string folderOf(const std::string &path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

static std::string nameOf(const std::string &path) { return path.substr(path.rfind('/') + 1); }

/// Whether a file's name says that it is one of several: its end is "-00002-of-00005.safetensors".
static bool isOneOfSeveral(const std::string &name) {
  static const std::string end = ".safetensors", form = "-ddddd-of-ddddd";
  if (!endsWith(name, end) || name.size() < end.size() + form.size())
    return false;
  const std::string numbers = name.substr(name.size() - end.size() - form.size(), form.size());
  for (size_t i = 0; i < form.size(); ++i)
    if (form[i] == 'd' ? numbers[i] < '0' || numbers[i] > '9' : numbers[i] != form[i])
      return false;
  return numbers.substr(10) != "00001";
}

ShardIndex ShardIndex::read(const std::string &path) {
  const std::vector<uint8_t> bytes = readFile(path, maxIndexBytes);
  const char *begin = reinterpret_cast<const char *>(bytes.data());
  const std::string what = shownPath(path);
  const nlohmann::json root = parseJson(begin, begin + bytes.size(), what);
  const JsonField top(root, what);
  if (!top["weight_map"].isObject())
    top["weight_map"].refuse("is no object");
  ShardIndex index;
  index.path = path;
  for (const auto &item : root["weight_map"].items()) {
    auto refuse = [&](const char *why) {
      fail(TXRT_BAD_INPUT, "%s: weight_map: '%s' lies in %s, %s", what.c_str(), printable(item.key(), 120).c_str(),
           printable(item.value().dump(-1, ' ', true), 120).c_str(), why);
    };
    if (!item.value().is_string())
      refuse("which is no file's name");
    const std::string file = item.value().get<std::string>();
    if (file.find('/') != std::string::npos || file.find('\0') != std::string::npos)
      refuse("which is no file beside the index");
    if (!endsWith(file, ".safetensors"))
      refuse("and Tx reads safetensors only");
    index.fileOf.emplace(item.key(), file);
  }
  if (index.fileOf.empty())
    fail(TXRT_BAD_INPUT, "%s: its weight_map names no tensor", what.c_str());
  if (top.has("metadata") && top["metadata"].has(saveKey)) {
    index.save = top["metadata"][saveKey].string();
    // It becomes part of a file's name.
    if (index.save.size() != 16 || index.save.find_first_not_of("0123456789abcdef") != std::string::npos)
      top["metadata"][saveKey].refuse("is no name of a save");
  }
  return index;
}

std::vector<std::string> ShardIndex::files() const {
  std::set<std::string> names;
  for (const auto &item : fileOf)
    names.insert(item.second);
  return {names.begin(), names.end()};
}

const SafetensorsReader &StoredWeights::open(const std::string &path) {
  files.push_back(std::make_unique<SafetensorsReader>(path));
  const SafetensorsReader &file = *files.back();
  for (const auto &[tensorName, tensor] : file.tensors()) {
    const auto [other, isNew] = table.emplace(tensorName, Place{&file, &tensor});
    if (!isNew)
      fail(TXRT_BAD_INPUT, "%s: has '%s', and so has %s", shownPath(path).c_str(), printable(tensorName, 120).c_str(),
           shownPath(other->second.file->path()).c_str());
  }
  return file;
}

void StoredWeights::openFile(const std::string &path) {
  const std::string index = folderOf(path) + "/" + indexName;
  if (isOneOfSeveral(nameOf(path)))
    fail(TXRT_BAD_INPUT, "%s: is one of several files of a model: %s", shownPath(path).c_str(),
         exists(index)
             ? format("name their index %s, or its folder", shownPath(index).c_str()).c_str()
             : format("put all of them and their index %s into one folder, and name that", indexName).c_str());
  if (nameOf(path) == optimizerName)
    fail(TXRT_BAD_INPUT, "%s: has the optimizer's state without the weights: name the folder that has both",
         shownPath(path).c_str());
  state = &open(path);
}

std::string StoredWeights::openIndex(const std::string &path) {
  const ShardIndex index = ShardIndex::read(path);
  const std::string folder = folderOf(path) + "/";
  NameList absent, wrong;
  const std::vector<std::string> names = index.files();
  for (const std::string &file : names)
    if (!exists(folder + file))
      absent.add(file);
  if (!absent.empty())
    fail(TXRT_IO, "%s: %zu of the %zu files that it names are not there: %s", shownPath(path).c_str(), absent.size(),
         names.size(), absent.str().c_str());
  for (const std::string &file : names) {
    open(folder + file);
    for (const auto &item : files.back()->tensors()) {
      const auto place = index.fileOf.find(item.first);
      if (place == index.fileOf.end())
        wrong.add(item.first + " is in " + file + " and not in the index");
      else if (place->second != file)
        wrong.add(item.first + " is in " + file + ", the index says " + place->second);
    }
  }
  for (const auto &[tensor, file] : index.fileOf)
    if (!table.count(tensor))
      wrong.add(tensor + " is not in " + file);
  if (!wrong.empty())
    fail(TXRT_BAD_INPUT, "%s: does not fit its files: %s", shownPath(path).c_str(), wrong.str().c_str());
  state = files.front().get();
  return index.save;
}

void StoredWeights::openOptimizer(const std::string &folder, const std::string &save, const Notes &note) {
  const std::string renamed = folder + "/" + optimizerName;
  // A save that was killed after the weights were there has left the state under its own name (WeightFolder.h).
  const std::string own = folder + "/" + optimizerNameOf(save);
  if (!save.empty() && exists(own)) {
    state = &open(own);
    return;
  }
  if (!exists(renamed))
    return;
  const SafetensorsReader optimizer(renamed);
  const auto of = optimizer.metadata().find(saveMetadata);
  if (!save.empty() && of != optimizer.metadata().end() && of->second == save)
    state = &open(renamed);
  else if (note)
    note(format("note: %s belongs to other weights than those of this folder, so it is left out",
                shownPath(renamed).c_str()));
}

StoredWeights::StoredWeights(const std::string &path, const Notes &note) : name(shownPath(path)) {
  if (isFolder(path)) {
    openFolder(path, note);
  } else if (endsWith(path, ".json")) {
    openOptimizer(folderOf(path), openIndex(path), note);
  } else {
    openFile(path);
  }
}

void StoredWeights::openFolder(const std::string &path, const Notes &note) {
  // transformers, too, looks for the single file first. A folder that is being saved relies on it.
  const std::string single = path + "/" + singleName, index = path + "/" + indexName;
  if (exists(single)) {
    openFile(single);
    openOptimizer(path, "", note);
  } else if (exists(index)) {
    openOptimizer(path, openIndex(index), note);
  } else {
    fail(TXRT_BAD_INPUT, "%s: has neither %s nor %s%s", name.c_str(), singleName, indexName,
         exists(path + "/pytorch_model.bin") || exists(path + "/pytorch_model.bin.index.json")
             ? "; it has weights as pickles, which Tx does not read: transformers' save_pretrained writes safetensors"
             : "; a single file has to be named itself");
  }
}

} // namespace txrt::train
