//===- FileUses.cpp - Which files a run reads and writes ----------------------------------------------------------===//

#include "FileUses.h"
#include "Error.h"
#include "Function.h"
#include "Options.h"
#include "train/TokenReading.h"
#include "train/WeightFolder.h"

#include <filesystem>
#include <map>
#include <tuple>

namespace txrun {

static const std::string place = "{rank}";

bool isOfEachRank(const std::string &name) { return name.find(place) != std::string::npos; }

std::string fileOfRank(const std::string &name, int rank) {
  std::string file = name;
  for (size_t at; (at = file.find(place)) != std::string::npos;)
    file.replace(at, place.size(), std::to_string(rank));
  return file;
}

/// The files of a folder of weights, or beside the index of one; nothing if `path` is a single file.
static std::vector<std::string> filesOfFolder(const std::string &path) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::path folder = path;
  if (folder.extension() == ".json")
    folder = folder.has_parent_path() ? folder.parent_path() : fs::path(".");
  std::vector<std::string> files;
  if (path.empty() || !fs::is_directory(folder, error))
    return files;
  for (fs::directory_iterator file(folder, error), end; file != end && !error; file.increment(error))
    if (file->path().extension() == ".safetensors" || file->path().extension() == ".json")
      files.push_back(file->path().string());
  return files;
}

std::vector<FileUse> fileUses(const Options &options, int ranks) {
  std::vector<FileUse> uses;
  auto add = [&](const std::string &who, const std::string &path, FileUse::Kind kind, int rank = 0) {
    if (!path.empty())
      uses.push_back({who, path, kind, rank});
  };
  add("the artifact", options.artifact, FileUse::Read);
  add("--verify-recompute", options.verifyTwin, FileUse::Read);
  for (const auto &[flag, path] :
       {std::pair("--data-path", options.data.path), std::pair("--valid-data-path", options.data.validPath)}) {
    add(flag, path, FileUse::Read);
    add(flag + std::string("'s index"), indexOf(path), FileUse::Read);
  }
  add("--load", options.load, FileUse::Read);
  for (const std::string &path : filesOfFolder(options.load))
    add("--load", path, FileUse::Read);
  add(options.tuningCache.empty() ? "the cache of --tune" : "--tuning-cache", options.tuningFile,
      options.tune ? FileUse::Merge : FileUse::Read);
  const bool savesFolder = !options.save.empty() && saveRequestOf(options).isFolder();
  add("--save", options.save, savesFolder ? FileUse::Folder : FileUse::Replace);
  if (savesFolder) {
    for (const char *name : {singleName, indexName, optimizerName})
      add("--save", options.save + "/" + name, FileUse::Replace);
    add("--save", options.save + "/" + configName, FileUse::Merge);
  }
  add("--dump-gradients", options.dumpGradients, FileUse::Replace);
  add("--trace", options.trace, FileUse::Replace);
  add("--write-device", options.writeDevice, FileUse::Replace);
  add("--memory-snapshot-path", options.recordMemory ? options.memorySnapshot : "", FileUse::Replace);
  add("--tensorboard-dir", options.tensorboard, FileUse::Folder);
  add("--log", options.log, FileUse::Append);
  auto addFiles = [&](const char *flag, FileUse::Kind kind, const std::vector<NameAndFile> &files) {
    for (const auto &[name, file] : files) {
      const int count = isOfEachRank(file) ? ranks : 1;
      for (int rank = 0; rank < count; ++rank)
        add(flag + printable(name) + (count > 1 ? format(" of rank %d", rank) : ""), fileOfRank(file, rank), kind,
            rank);
    }
  };
  std::vector<NameAndFile> inputs;
  for (const NameAndFile &input : options.inputs)
    if (!numberOf(input.second))
      inputs.push_back(input);
  addFiles("--input ", FileUse::Read, inputs);
  addFiles("--output ", FileUse::Replace, options.outputs);
  add("standard output", "/dev/stdout", FileUse::Stream);
  add("standard error", "/dev/stderr", FileUse::Stream);
  return uses;
}

static bool mayShare(const FileUse &a, const FileUse &b) {
  return (a.kind == FileUse::Read && b.kind == FileUse::Read) ||
         (a.kind == FileUse::Stream && b.kind == FileUse::Stream) || (a.who == "--load" && b.who == "--save");
}

[[noreturn]] static void refuse(const FileUse &a, const FileUse &b) {
  const std::string path = printable(b.path, 200);
  if (a.kind != FileUse::Read && b.kind != FileUse::Read)
    fail(TXRT_USAGE, "%s: %s and %s would both write it; name two files", path.c_str(), a.who.c_str(), b.who.c_str());
  const FileUse &reader = a.kind == FileUse::Read ? a : b;
  const FileUse &writer = a.kind == FileUse::Read ? b : a;
  fail(TXRT_USAGE, "%s: %s would overwrite %s; name another file", path.c_str(), writer.who.c_str(),
       reader.who.c_str());
}

void refuseSharedFiles(const std::vector<FileUse> &uses) {
  using Key = std::tuple<dev_t, ino_t, std::string>;
  std::map<Key, std::vector<const FileUse *>> files;
  for (const FileUse &use : uses) {
    const std::optional<FileIdentity> file = identify(use.path);
    if (!file)
      continue;
    auto &others = files[{file->device, file->inode, file->name}];
    for (const FileUse *other : others) {
      if (mayShare(*other, use))
        continue;
      refuse(*other, use);
    }
    others.push_back(&use);
  }
}

std::vector<std::unique_ptr<OutputLock>> lockOutputs(const std::vector<FileUse> &uses, int rank) {
  std::vector<std::unique_ptr<OutputLock>> locks;
  for (const FileUse &use : uses)
    if (use.kind == FileUse::Replace && use.rank == rank)
      locks.push_back(std::make_unique<OutputLock>(use.path));
  return locks;
}

} // namespace txrun
