//===- SaveWeights.cpp - From the arena into safetensors files ----------------------------------------------------===//

#include "core/Failure.h"
#include "core/OutputFile.h"
#include "train/Finite.h"
#include "train/Safetensors.h"
#include "train/StoredDtype.h"
#include "train/WeightFolder.h"
#include "train/Weights.h"

#include <algorithm>
#include <sys/resource.h>

namespace txrt::train {

/// Gets the number of bytes that were copied since the last call.
using BytesDone = std::function<void(uint64_t bytes)>;

/// A source for the writer that reads a tensor from the session's arena while the file is written.
static SafetensorsWriter::Source sourceOf(const Model &model, const TensorSpec &tensor) {
  return [&](uint64_t at, uint64_t bytes, void *to) { model.read(tensor, at, bytes, to); };
}

/// The same, but throws at an element that is NaN or Inf.
static SafetensorsWriter::Source finiteSourceOf(const Model &model, const GlobalSpec &tensor, const std::string &path,
                                                const RunPosition &position, const BytesDone &report) {
  return [&](uint64_t at, uint64_t bytes, void *to) {
    model.read(tensor, at, bytes, to);
    if (auto found = findNonFinite(tensor.dtype, to, bytes))
      fail(TXRT_NUMERIC,
           "%s: not saved, and what was there is untouched: after iteration "
           "%lld %s has %g at index %llu; lower --lr or lengthen "
           "--lr-warmup-iters",
           printable(path, 200).c_str(), (long long)position.iteration, printable(tensor.name, 120).c_str(),
           shown(found->value), (unsigned long long)(at / dtypeBytes(tensor.dtype) + found->index));
    report(bytes);
  };
}

static bool isState(const GlobalSpec &global) {
  return global.role != Role::Parameter && global.role != Role::Gradient;
}

bool SaveRequest::isFolder() const {
  static const std::string end = ".safetensors";
  return path.size() < end.size() || path.compare(path.size() - end.size(), end.size(), end) != 0;
}

/// The parameters of each file of a folder: in order, as many as fit. A parameter that is larger than a file has one of
/// its own.
static std::vector<std::vector<const GlobalSpec *>> divide(const Model &model, uint64_t maxShardBytes) {
  std::vector<std::vector<const GlobalSpec *>> shards;
  uint64_t bytes = 0;
  for (const GlobalSpec *parameter : model.manifest().withRole(Role::Parameter)) {
    if (shards.empty() || bytes + parameter->bytes > maxShardBytes) {
      shards.emplace_back();
      bytes = 0;
    }
    shards.back().push_back(parameter);
    bytes += parameter->bytes;
  }
  return shards;
}

/// The weights' type as config.json names it; empty if they have several.
static std::string dtypeOfWeights(const Model &model) {
  std::string name;
  for (const GlobalSpec *parameter : model.manifest().withRole(Role::Parameter)) {
    const std::string own = parameter->dtype == TXRT_DTYPE_F32 ? "float32" : "bfloat16";
    if (!name.empty() && name != own)
      return "";
    name = own;
  }
  return name;
}

void prepareSave(const Model &model, const SaveRequest &request) {
  uint64_t state = 0, weights = 0, largest = 0;
  for (const GlobalSpec &global : model.manifest().globals)
    if (request.withOptimizer && isState(global))
      state += global.bytes;
  for (const auto &shard : divide(model, request.maxShardBytes)) {
    uint64_t bytes = 0;
    for (const GlobalSpec *parameter : shard)
      bytes += parameter->bytes;
    weights += bytes;
    largest = std::max(largest, bytes);
  }
  if (!request.isFolder())
    return requireRoom(request.path, weights + state, weights + state);
  // A save keeps all its files open until they have names, and so does a load.
  constexpr uint64_t others = 64;
  const uint64_t files = divide(model, request.maxShardBytes).size();
  struct rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && files + others > limit.rlim_cur)
    fail(TXRT_USAGE,
         "--max-shard-size makes %llu files of the weights, and a process may open %llu here (ulimit -n): "
         "give a larger size",
         (unsigned long long)files, (unsigned long long)limit.rlim_cur);
  prepareFolder(request.path, model.manifest().weights.config);
  requireRoom(request.path + "/" + indexName, weights + state, std::max(largest, state));
}

static void setPosition(SafetensorsWriter &writer, const RunPosition &position) {
  writer.setMetadata("tx.iteration", std::to_string(position.iteration));
  writer.setMetadata("tx.samples", std::to_string(position.samples));
  writer.setMetadata("tx.seed", std::to_string(position.seed));
  for (const auto &[name, value] : position.settings)
    writer.setMetadata("tx." + name, value);
}

void saveWeights(const Model &model, const SaveRequest &request, const RunPosition &position,
                 const Progress &progress) {
  uint64_t done = 0, all = 0;
  for (const GlobalSpec &global : model.manifest().globals)
    if (global.role == Role::Parameter || (request.withOptimizer && isState(global)))
      all += global.bytes;
  const BytesDone report = [&](uint64_t bytes) {
    done += bytes;
    if (progress)
      progress("saving", done, all);
  };
  auto newWriter = [] {
    SafetensorsWriter writer;
    writer.setMetadata("format", "pt"); // transformers refuses a file whose metadata does not say this
    return writer;
  };
  auto add = [&](SafetensorsWriter &writer, const GlobalSpec &global) {
    writer.add(global.name, storedDtype(global.dtype), global.shape, global.bytes,
               finiteSourceOf(model, global, request.path, position, report));
  };

  if (!request.isFolder()) {
    SafetensorsWriter writer = newWriter();
    for (const GlobalSpec &global : model.manifest().globals)
      if (global.role == Role::Parameter || (request.withOptimizer && isState(global)))
        add(writer, global);
    if (request.withOptimizer)
      setPosition(writer, position);
    return writer.write(request.path);
  }

  FolderContent content;
  content.config = model.manifest().weights.config;
  content.dtype = dtypeOfWeights(model);
  for (const auto &shard : divide(model, request.maxShardBytes)) {
    content.shards.push_back(newWriter());
    for (const GlobalSpec *parameter : shard) {
      add(content.shards.back(), *parameter);
      content.elements += parameter->elements();
    }
  }
  if (request.withOptimizer) {
    content.optimizer = newWriter();
    for (const GlobalSpec &global : model.manifest().globals)
      if (isState(global))
        add(*content.optimizer, global);
    setPosition(*content.optimizer, position);
  }
  saveFolder(request.path, content);
}

uint64_t gradientBytes(const Model &model) {
  uint64_t bytes = 0;
  for (const GlobalSpec *gradient : model.manifest().withRole(Role::Gradient))
    bytes += gradient->bytes;
  return bytes;
}

void dumpGradients(const Model &model, const std::string &path) {
  SafetensorsWriter writer;
  writer.setMetadata("format", "pt");
  for (const GlobalSpec *gradient : model.manifest().withRole(Role::Gradient))
    writer.add(gradient->of, storedDtype(gradient->dtype), gradient->shape, gradient->bytes,
               sourceOf(model, *gradient));
  writer.write(path);
}

} // namespace txrt::train
