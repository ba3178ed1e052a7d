//===- Weights.cpp - From safetensors files into the arena --------------------------------------------------------===//

#include "train/Weights.h"
#include "core/Failure.h"
#include "train/Assignment.h"
#include "train/Fingerprint.h"
#include "train/Finite.h"
#include "train/StoredDtype.h"
#include "train/WeightFolder.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

namespace txrt::train {

namespace {

/// Whether two stored tensors have the same values, whatever float types they have.
bool haveSameValues(const StoredWeights::Place &a, const StoredWeights::Place &b) {
  std::vector<float> x(copyBytes / sizeof(float)), y(x.size());
  for (uint64_t at = 0; at < a.tensor->elements; at += x.size()) {
    const uint64_t count = std::min<uint64_t>(x.size(), a.tensor->elements - at);
    a.file->readF32(*a.tensor, at, count, x.data());
    b.file->readF32(*b.tensor, at, count, y.data());
    if (std::memcmp(x.data(), y.data(), count * sizeof(float)) != 0)
      return false;
  }
  return true;
}

/// Throws if a file's two copies of a tied weight differ: the file is then of a model that does not tie them, and
/// without the copy another model would be loaded.
void checkTied(const Assignment &assignment, const StoredWeights &stored) {
  for (const auto &[value, copy] : assignment.tied)
    if (!haveSameValues(value, copy))
      fail(TXRT_BAD_INPUT,
           "%s: %s differs from %s, and the model ties them: compile with --untie-embeddings-and-output-weights",
           stored.shown().c_str(), printable(copy.tensor->name, 120).c_str(),
           printable(value.tensor->name, 120).c_str());
}

/// Says which types become which others, whether that costs anything, and what is left out.
void sayWhatChanges(const Assignment &assignment, bool hasMasters, const StoredWeights &stored, const Notes &note) {
  auto tensors = [](size_t count) { return std::to_string(count) + (count == 1 ? " tensor" : " tensors"); };
  if (assignment.ignored > 0)
    note(format("note: %s: left out %s that %s: %s%s", stored.shown().c_str(), tensors(assignment.ignored).c_str(),
                assignment.ignored > 1 ? "are no weights" : "is no weight",
                printable(assignment.firstIgnored, 120).c_str(), assignment.ignored > 1 ? " and the like" : ""));
  for (const auto &[types, count] : assignment.converted) {
    const auto &[from, to] = types;
    if (from == to)
      continue;
    const bool isWidened = to == "F32";
    note(format("note: %s: %s converted from %s to the model's %s: %s", stored.shown().c_str(), tensors(count).c_str(),
                from.c_str(), to.c_str(),
                isWidened    ? "exact"
                : hasMasters ? "each number is rounded to the nearest, and the optimizer's F32 masters have it whole"
                             : "each number is rounded to the nearest"));
  }
}

uint64_t metadataNumber(const StoredWeights &stored, const char *key, uint64_t most) {
  auto refuse = [&](const std::string &what) {
    fail(TXRT_BAD_INPUT,
         "%s: holds optimizer state but %s; --no-load-optim takes the weights "
         "alone",
         stored.shown().c_str(), what.c_str());
  };
  auto found = stored.metadata().find(key);
  if (found == stored.metadata().end())
    refuse(format("no number '%s' in its metadata", key));
  const std::string &text = found->second;
  uint64_t value = 0;
  auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ptr != text.data() + text.size() || result.ec == std::errc::invalid_argument)
    refuse(format("no number '%s' in its metadata: it is '%s'", key, printable(text).c_str()));
  if (result.ec != std::errc() || value > most)
    refuse(format("its metadata's '%s' is %s, and %llu is the most that a run "
                  "can go on from",
                  key, printable(text).c_str(), (unsigned long long)most));
  return value;
}

/// The first element of a block with which no run can continue, and why.
struct BadNumber {
  Element element;
  const char *why;
};

std::optional<BadNumber> findBadNumber(const GlobalSpec &to, const float *block, uint64_t count) {
  if (auto found = findNonFinite(TXRT_DTYPE_F32, block, count * sizeof(float)))
    return BadNumber{*found, "a run can go on from finite numbers only"};
  if (to.role != Role::Moment2)
    return std::nullopt;
  const float *negative = std::find_if(block, block + count, [](float value) { return value < 0; });
  if (negative == block + count)
    return std::nullopt;
  return BadNumber{{uint64_t(negative - block), *negative}, "it is a mean of squares"};
}

[[noreturn]] void refuseNumber(const SafetensorsReader &reader, const GlobalSpec &to, const StoredTensor &from,
                               uint64_t first, const BadNumber &bad) {
  const bool isWeight = to.role == Role::Parameter || to.role == Role::Master;
  fail(TXRT_BAD_INPUT, "%s: '%s' has %g at index %llu; %s%s", printable(reader.path(), 200).c_str(),
       printable(from.name, 120).c_str(), shown(bad.element.value), (unsigned long long)(first + bad.element.index),
       bad.why, isWeight ? "" : "; --no-load-optim takes the weights alone");
}

/// The settings in the file's metadata: its entries that are not part of the position.
RunSettings settingsIn(const StoredWeights &stored) {
  static const std::string prefix = "tx.";
  RunSettings settings;
  for (const auto &[key, value] : stored.metadata())
    if (key.compare(0, prefix.size(), prefix) == 0 && key != "tx.iteration" && key != "tx.samples" &&
        key != "tx.seed" && key != saveMetadata)
      settings[key.substr(prefix.size())] = value;
  return settings;
}

} // namespace

/// Gets the number of bytes that were read since the last call.
using BytesDone = std::function<void(uint64_t bytes)>;

/// Loads a stored tensor into a global, rounded if the global's dtype is narrower.
static void loadFloats(const Model &model, const GlobalSpec &to, const SafetensorsReader &reader,
                       const StoredTensor &from, const BytesDone &report) {
  std::vector<float> part(copyBytes / sizeof(float));
  std::vector<uint16_t> rounded(to.dtype == TXRT_DTYPE_BF16 ? part.size() : 0);
  for (uint64_t at = 0; at < from.elements; at += part.size()) {
    uint64_t count = std::min<uint64_t>(part.size(), from.elements - at);
    reader.readF32(from, at, count, part.data());
    if (auto bad = findBadNumber(to, part.data(), count))
      refuseNumber(reader, to, from, at, *bad);
    report(count * storedElementBytes(from.dtype));
    if (rounded.empty()) {
      model.write(to, at * 4, count * 4, part.data());
      continue;
    }
    std::transform(part.begin(), part.begin() + count, rounded.begin(), txrt_bf16_from_f32);
    if (auto found = findNonFinite(to.dtype, rounded.data(), count * 2))
      refuseNumber(reader, to, from, at,
                   {{found->index, part[found->index]}, "the model's bf16 does not reach so far"});
    model.write(to, at * 2, count * 2, rounded.data());
  }
}

static void loadRaw(const Model &model, const TensorSpec &to, const SafetensorsReader &reader, const StoredTensor &from,
                    const BytesDone &report) {
  std::vector<char> part(copyBytes);
  for (uint64_t at = 0; at < from.bytes; at += part.size()) {
    uint64_t bytes = std::min<uint64_t>(part.size(), from.bytes - at);
    reader.readRaw(from, at, bytes, part.data());
    model.write(to, at, bytes, part.data());
    report(bytes);
  }
}

LoadResult loadWeights(const Model &model, const std::string &path, bool wantOptimizer, const Notes &note,
                       const Progress &progress) {
  const StoredWeights stored(path, note);
  const Assignment assignment = assign(model.manifest(), stored, wantOptimizer);
  checkTied(assignment, stored);
  if (note)
    sayWhatChanges(assignment, !model.manifest().withRole(Role::Master).empty(), stored, note);
  LoadResult result;
  result.hasOptimizer = assignment.hasOptimizer && wantOptimizer;
  if (result.hasOptimizer) {
    constexpr uint64_t all = std::numeric_limits<uint64_t>::max();
    result.position.iteration = static_cast<int64_t>(metadataNumber(stored, "tx.iteration", mostIterations));
    result.position.samples = metadataNumber(stored, "tx.samples", all / 4);
    result.position.seed = metadataNumber(stored, "tx.seed", all);
    result.position.settings = settingsIn(stored);
  }
  uint64_t all = 0, done = 0;
  for (const auto &pair : assignment.pairs)
    all += pair.second.tensor->bytes;
  const BytesDone report = [&](uint64_t bytes) {
    done += bytes;
    if (progress)
      progress("loading", done, all);
  };
  for (const auto &[global, place] : assignment.pairs) {
    if (isFloat(global->dtype))
      loadFloats(model, *global, *place.file, *place.tensor, report);
    else
      loadRaw(model, *global, *place.file, *place.tensor, report);
  }
  return result;
}

static RunPosition loadOrInitialize(const Model &model, const WeightsRequest &request, const Notes &note,
                                    const Progress &progress) {
  RunPosition position;
  position.seed = request.seed;
  if (request.load.empty()) {
    model.initialize(request.seed);
    return position;
  }
  LoadResult loaded = loadWeights(model, request.load, request.loadOptimizer, note, progress);
  if (!loaded.hasOptimizer)
    return position;
  if (request.isSeedGiven && loaded.position.seed != request.seed && note)
    note(format("note: the checkpoint was trained with seed %llu; from here on data and dropout follow --seed %llu",
                (unsigned long long)loaded.position.seed, (unsigned long long)request.seed));
  position = loaded.position;
  if (request.isSeedGiven)
    position.seed = request.seed;
  return position;
}

RunPosition prepareWeights(const Model &model, const WeightsRequest &request, const Notes &note,
                           const Progress &progress) {
  RunPosition position;
  Ranks &ranks = model.ranks();
  ranks.together([&] { position = loadOrInitialize(model, request, note, progress); });
  if (ranks.size() > 1)
    ranks.requireSame({{"the seed", std::to_string(position.seed)},
                       {"the checkpoint's iteration", std::to_string(position.iteration)},
                       {"the weights", fingerprintOf(model)}});
  return position;
}

} // namespace txrt::train
