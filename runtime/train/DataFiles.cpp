//===- DataFiles.cpp - The data of a run --------------------------------------------------------------------------===//

#include "train/DataFiles.h"
#include "core/Failure.h"
#include "train/Fingerprint.h"

#include <filesystem>

namespace txrt::train {

uint64_t bytesOfData(const DataOptions &options) {
  uint64_t bytes = uint64_t(16) << 20;
  for (const std::string *path : {&options.path, &options.validPath}) {
    std::error_code none; // a missing file counts as 0 bytes here; whoever opens it reports it
    const uint64_t size = isPrepared(*path) ? std::filesystem::file_size(*path, none) : 0;
    bytes += none ? 0 : size;
  }
  return bytes;
}

std::unique_ptr<SampleSource> DataFiles::training(uint64_t seed) {
  if (isPrepared(options.path))
    return prepared(options.path);
  TokenRange range = options.validPath.empty() ? splitRange(open(options.path), options.split, 0) : whole(options.path);
  return std::make_unique<WindowSource>(range, batch, options.order, seed, "training");
}

std::unique_ptr<SampleSource> DataFiles::validation() {
  const std::string &path = options.validPath.empty() ? options.path : options.validPath;
  if (isPrepared(path))
    return prepared(path);
  TokenRange range = options.validPath.empty() ? splitRange(open(path), options.split, 1) : whole(path);
  return std::make_unique<CoveringSource>(range, batch);
}

std::unique_ptr<SampleSource> DataFiles::trainingOrSynthetic(uint64_t seed) {
  if (!options.path.empty())
    return training(seed);
  return std::make_unique<SyntheticSource>(batch, seed);
}

std::unique_ptr<SampleSource> DataFiles::prepared(const std::string &path) {
  auto source = std::make_unique<PreparedSource>(path, batch);
  said.push_back(format("tokens: %s read as prepared samples, %llu of %llu tokens", printable(path, 200).c_str(),
                        (unsigned long long)source->size(), (unsigned long long)batch.sequence));
  return source;
}

std::shared_ptr<const TokenFile> DataFiles::open(const std::string &path) {
  if (file && file->path() == path)
    return file;
  file = std::make_shared<TokenFile>(path, options.format, batch.vocabulary);
  said.push_back(file->describe());
  return file;
}

TokenRange DataFiles::whole(const std::string &path) {
  TokenRange range;
  range.file = open(path);
  range.end = range.file->size();
  return range;
}

std::unique_ptr<SampleSource> openOnAll(const Model &model, const char *what,
                                        const std::function<std::unique_ptr<SampleSource>()> &open) {
  std::unique_ptr<SampleSource> source;
  std::string fingerprint;
  model.ranks().together([&] {
    source = open();
    if (model.ranks().size() > 1)
      fingerprint = fingerprintOf(*source, model);
  });
  model.ranks().requireSame({{what, fingerprint}});
  return source;
}

} // namespace txrt::train
