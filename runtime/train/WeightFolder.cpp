//===- WeightFolder.cpp - A folder of weights that is old or new --------------------------------------------------===//

#include "train/WeightFolder.h"
#include "core/Failure.h"
#include "core/OutputFile.h"
#include "train/FolderConfig.h"
#include "train/Hash.h"
#include "train/StoredWeights.h"

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace txrt::train {

/// Stands in the shards for the save's name until all of them are written.
static const std::string unnamed(16, '0');

static std::string shardName(const std::string &save, size_t number, size_t count) {
  return "model-" + save + format("-%05zu-of-%05zu.safetensors", number, count);
}

std::string optimizerNameOf(const std::string &save) { return "tx-optimizer-" + save + ".safetensors"; }

[[noreturn]] static void failWith(const std::string &path, const char *what) {
  fail(TXRT_IO, "%s: %s: %s", printable(path, 200).c_str(), what, std::strerror(errno));
}

static bool exists(const std::string &path) {
  struct stat info;
  return ::lstat(path.c_str(), &info) == 0;
}

/// The 16 hexadecimal digits that name the save of a file of ours; empty for other names.
static std::string saveOf(const std::string &file) {
  for (const char *start : {"model-", "tx-optimizer-"}) {
    const size_t length = std::strlen(start);
    if (file.compare(0, length, start) != 0 || file.size() < length + 16)
      continue;
    const std::string save = file.substr(length, 16), rest = file.substr(length + 16);
    unsigned number = 0, count = 0;
    const bool isShard =
        std::sscanf(rest.c_str(), "-%5u-of-%5u", &number, &count) == 2 && file == shardName(save, number, count);
    if (save.find_first_not_of("0123456789abcdef") == std::string::npos && (isShard || file == optimizerNameOf(save)))
      return save;
  }
  return "";
}

/// Whether Tx wrote a file of such a name: its metadata says so, too.
static bool isOwn(const std::string &path, const std::string &save) {
  try {
    const SafetensorsReader file(path);
    const auto mark = file.metadata().find(saveMetadata);
    return mark != file.metadata().end() && mark->second == save;
  } catch (const Failure &) {
    return false;
  }
}

/// Removes the files of saves that are replaced or were killed, which are all of ours but those of `kept`.
static void removeOthers(const std::string &folder, const std::set<std::string> &kept) {
  removeAbandoned(folder);
  DIR *list = ::opendir(folder.c_str());
  if (!list)
    return;
  std::vector<std::string> old;
  while (const struct dirent *entry = ::readdir(list)) {
    const std::string file = entry->d_name, save = saveOf(file);
    if (!save.empty() && !kept.count(file) && isOwn(folder + "/" + file, save))
      old.push_back(file);
  }
  ::closedir(list);
  for (const std::string &file : old)
    (void)::unlink((folder + "/" + file).c_str());
}

/// The files that the folder's state needs, whichever of our names they have; nothing if its index cannot be read.
static std::optional<std::set<std::string>> filesInUse(const std::string &folder) {
  const std::string path = folder + "/" + indexName;
  if (!exists(path))
    return std::set<std::string>();
  try {
    const ShardIndex index = ShardIndex::read(path);
    const std::vector<std::string> files = index.files();
    std::set<std::string> used(files.begin(), files.end());
    used.insert(optimizerNameOf(index.save));
    return used;
  } catch (const Failure &) {
    return std::nullopt;
  }
}

void makeFolder(const std::string &folder) {
  for (size_t at = folder.find('/', 1);; at = folder.find('/', at + 1)) {
    const std::string part = folder.substr(0, at);
    if (::mkdir(part.c_str(), 0777) != 0 && errno != EEXIST)
      failWith(part, "cannot be made");
    if (at == std::string::npos)
      break;
  }
  struct stat info;
  if (::stat(folder.c_str(), &info) || !S_ISDIR(info.st_mode))
    fail(TXRT_IO, "%s: is no folder; a name that ends in .safetensors is a file's, every other name a folder's",
         printable(folder, 200).c_str());
}

/// Throws if somebody has made the file read-only, as requireReplaceable of OutputFile.cpp does.
static void requireWritable(const std::string &path) {
  struct stat info;
  if (::lstat(path.c_str(), &info) != 0)
    return;
  if (S_ISDIR(info.st_mode))
    fail(TXRT_IO, "%s: is a folder, so it cannot be replaced; name another folder", printable(path, 200).c_str());
  if (S_ISREG(info.st_mode) && !(info.st_mode & 0222))
    fail(TXRT_IO, "%s: cannot be written: it is read-only", printable(path, 200).c_str());
}

void prepareFolder(const std::string &folder, const std::string &config) {
  makeFolder(folder);
  for (const char *file : {singleName, indexName, optimizerName})
    requireWritable(folder + "/" + file);
  const NewFile unused(folder, folder); // throws if the folder takes no file
  (void)decideConfig(folder, config, "");
}

namespace {

/// One save. Every step leaves a folder that holds the old state or the new one.
class FolderSave {
public:
  FolderSave(const std::string &folder, const FolderContent &content)
      : folder(folder), content(content), config(decideConfig(folder, content.config, content.dtype)) {}

  void run() {
    if (const auto used = filesInUse(folder)) // makes room: what killed saves have left
      removeOthers(folder, *used);
    // All bytes are on the disk before anything has a name.
    writeShards();
    if (content.optimizer)
      writeOptimizer();
    const auto index = writeText(indexText());
    const auto configFile = config.isChanged ? writeText(config.text) : nullptr;

    try {
      for (size_t i = 0; i < shards.size(); ++i)
        shards[i]->rename(at(shardName(save, i + 1, shards.size())));
      if (optimizer)
        optimizer->rename(at(optimizerNameOf(save)));
      if (configFile && config.isFirst)
        configFile->rename(at(configName));
      flushFolder(folder);
      index->rename(at(indexName));
    } catch (const Failure &) {
      if (const auto used = filesInUse(folder))
        removeOthers(folder, *used);
      throw;
    }
    flushFolder(folder);

    // A single file comes before the index, for us and for transformers: while it is there, the folder holds the old
    // state.
    remove(singleName);
    if (configFile && !config.isFirst)
      configFile->rename(at(configName));
    // The state of the index's save is found under either name (StoredWeights.cpp).
    if (optimizer && ::rename(at(optimizerNameOf(save)).c_str(), at(optimizerName).c_str()))
      failWith(at(optimizerName), "cannot be replaced");
    if (!optimizer)
      remove(optimizerName);
    std::set<std::string> kept;
    for (size_t i = 0; i < shards.size(); ++i)
      kept.insert(shardName(save, i + 1, shards.size()));
    removeOthers(folder, kept);
    flushFolder(folder);
  }

private:
  std::string at(const std::string &file) const { return folder + "/" + file; }

  std::unique_ptr<NewFile> newFile() const {
    auto file = std::make_unique<NewFile>(folder, folder);
    struct stat old;
    if (::stat(at(indexName).c_str(), &old) == 0 || ::stat(at(singleName).c_str(), &old) == 0)
      file->setPermissions(old.st_mode & 0777); // who may read the weights stays
    return file;
  }

  std::unique_ptr<NewFile> writeText(const std::string &text) const {
    auto file = newFile();
    file->write(text.data(), text.size());
    file->flush();
    return file;
  }

  void writeShards() {
    Hash hash;
    std::vector<size_t> marks; // where each shard has the save's name
    for (SafetensorsWriter shard : content.shards) {
      shard.setMetadata(saveMetadata, unnamed);
      // A quote inside a string would be escaped, so this is the field itself.
      const std::string mark = std::string("\"") + saveMetadata + "\":\"";
      marks.push_back(shard.begin().find(mark + unnamed) + mark.size());
      shards.push_back(newFile());
      shard.write([&](const void *from, size_t bytes) {
        hash.add(from, bytes);
        shards.back()->write(from, bytes);
      });
    }
    save = hash.text();
    for (size_t i = 0; i < shards.size(); ++i) {
      shards[i]->rewrite(marks[i], save.data(), save.size());
      shards[i]->flush();
    }
  }

  void writeOptimizer() {
    SafetensorsWriter writer = *content.optimizer;
    writer.setMetadata(saveMetadata, save);
    optimizer = newFile();
    writer.write([&](const void *from, size_t bytes) { optimizer->write(from, bytes); });
    optimizer->flush();
  }

  std::string indexText() const {
    nlohmann::ordered_json index;
    uint64_t bytes = 0;
    nlohmann::json map = nlohmann::json::object(); // sorted by name
    for (size_t i = 0; i < content.shards.size(); ++i) {
      bytes += content.shards[i].dataBytes();
      for (const std::string &name : content.shards[i].names())
        map[name] = shardName(save, i + 1, content.shards.size());
    }
    index["metadata"] = {{"total_parameters", content.elements}, {"total_size", bytes}, {saveKey, save}};
    index["weight_map"] = map;
    return index.dump(2) + "\n";
  }

  void remove(const std::string &file) const {
    if (::unlink(at(file).c_str()) != 0 && errno != ENOENT)
      failWith(at(file), "cannot be removed");
  }

  const std::string &folder;
  const FolderContent &content;
  const FolderConfig config;
  std::string save;
  std::vector<std::unique_ptr<NewFile>> shards;
  std::unique_ptr<NewFile> optimizer;
};

} // namespace

void saveFolder(const std::string &folder, const FolderContent &content) {
  makeFolder(folder);
  FolderSave(folder, content).run();
}

} // namespace txrt::train
