//===- Weights.cpp - Between the arena and safetensors files ------------------------------------------------------===//

#include "train/Weights.h"
#include "core/Failure.h"
#include "train/Fingerprint.h"
#include "train/Finite.h"
#include "train/Safetensors.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <limits>

namespace txrt::train {

static const char prefix[] = "transformer.";

static std::string canonical(const std::string &name) {
  size_t length = sizeof prefix - 1;
  return name.compare(0, length, prefix) == 0 ? name.substr(length) : name;
}

static bool endsWith(const std::string &text, const std::string &end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

static const char *storedDtype(txrt_dtype dtype) {
  switch (dtype) {
  case TXRT_DTYPE_F32:
    return "F32";
  case TXRT_DTYPE_BF16:
    return "BF16";
  case TXRT_DTYPE_I32:
    return "I32";
  case TXRT_DTYPE_I1:
    return "BOOL";
  case TXRT_DTYPE_BYTE:
    break; // scratch: no state
  }
  return "U8";
}

/// Whether a tensor is the causal mask or its fill value, which older files store as tensors.
static bool isBuffer(const StoredTensor &tensor) {
  if (endsWith(tensor.name, ".attn.masked_bias"))
    return tensor.shape.empty();
  return endsWith(tensor.name, ".attn.bias") && tensor.shape.size() == 4 && tensor.shape[0] == 1 &&
         tensor.shape[1] == 1 && tensor.shape[2] == tensor.shape[3];
}

namespace {

/// Collects names for one line of a message; it lists the first few and counts the others.
class NameList {
public:
  void add(const std::string &name) {
    if (++count <= 6)
      text += (text.empty() ? "" : ", ") + printable(name, 120);
  }
  bool empty() const { return count == 0; }
  std::string str() const { return count > 6 ? text + format(" and %zu more", count - 6) : text; }

private:
  size_t count = 0;
  std::string text;
};

/// Which stored tensor goes into which global. It is complete before any global is written.
struct Assignment {
  std::vector<std::pair<const GlobalSpec *, const StoredTensor *>> pairs;
  const StoredTensor *tiedHead = nullptr, *embedding = nullptr;
  bool hasOptimizer = false;
};

bool isFloat(txrt_dtype dtype) { return dtype == TXRT_DTYPE_F32 || dtype == TXRT_DTYPE_BF16; }

bool fits(const GlobalSpec &global, const StoredTensor &tensor) {
  if (isFloat(global.dtype))
    return tensor.dtype == "F32" || tensor.dtype == "F16" || tensor.dtype == "BF16";
  return tensor.dtype == storedDtype(global.dtype);
}

/// The global that a stored tensor's name means. A parameter's master fits every model: in a model without masters it
/// is loaded into the parameter itself, whose value it is with more bits.
struct Meaning {
  const GlobalSpec *global;
  bool isMaster;
};

std::map<std::string, Meaning> meaningsOf(const Manifest &manifest) {
  std::map<std::string, Meaning> meanings;
  for (const GlobalSpec &global : manifest.globals) {
    std::string name = canonical(global.name);
    if (global.role != Role::Gradient && global.role != Role::Master)
      meanings[name] = {&global, false};
    if (global.role == Role::Parameter)
      meanings.emplace(name + ".master", Meaning{&global, true});
  }
  return meanings;
}

Assignment assign(const Manifest &manifest, const SafetensorsReader &reader, bool wantOptimizer) {
  std::string shown = printable(reader.path(), 200);
  const std::map<std::string, Meaning> meanings = meaningsOf(manifest);
  Assignment result;
  std::map<const GlobalSpec *, const StoredTensor *> found, masters;
  NameList superfluous, shapes, types, missing;
  const bool hasEmbedding = meanings.count("wte.weight") != 0;
  for (const auto &item : reader.tensors()) {
    const StoredTensor &tensor = item.second;
    auto match = meanings.find(canonical(tensor.name));
    if (match == meanings.end()) {
      if (isBuffer(tensor))
        continue;
      // The model's head is its embedding, and the file stores a copy of it.
      if (tensor.name == "lm_head.weight" && hasEmbedding)
        result.tiedHead = &tensor;
      else
        superfluous.add(tensor.name);
      continue;
    }
    const GlobalSpec &global = *match->second.global;
    auto &list = match->second.isMaster ? masters : found;
    if (!list.emplace(&global, &tensor).second)
      fail(TXRT_BAD_INPUT, "%s: has '%s' twice, with and without the prefix '%s'", shown.c_str(),
           canonical(tensor.name).c_str(), prefix);
    if (tensor.shape != global.shape)
      shapes.add(tensor.name + " is " + shapeText(tensor.shape) + ", the model needs " + shapeText(global.shape));
    else if (!fits(global, tensor))
      types.add(tensor.name + " is " + tensor.dtype + ", " +
                (isFloat(global.dtype) ? "F32, F16 and BF16 are loaded"
                                       : std::string(storedDtype(global.dtype)) + " is loaded"));
    result.hasOptimizer |= global.role != Role::Parameter;
    if (canonical(global.name) == "wte.weight" && !match->second.isMaster)
      result.embedding = &tensor;
  }
  auto storedAs = [](const auto &list, const GlobalSpec *global) {
    auto match = list.find(global);
    return match == list.end() ? nullptr : match->second;
  };
  for (const GlobalSpec &global : manifest.globals) {
    if (global.role == Role::Gradient)
      continue;
    const bool isWeight = global.role == Role::Parameter || global.role == Role::Master;
    const GlobalSpec *parameter = global.role == Role::Master ? manifest.findGlobal(global.of) : &global;
    const StoredTensor *stored = storedAs(found, parameter);
    const StoredTensor *master = storedAs(masters, parameter);
    // A run that continues needs its f32 master: from the rounded parameter it would continue with other weights.
    const bool isRounded =
        global.role == Role::Master && result.hasOptimizer && stored && !master && stored->dtype != "F32";
    if (isRounded || (!stored && (isWeight || result.hasOptimizer)))
      missing.add(global.name);
    else if (stored && (isWeight || wantOptimizer))
      result.pairs.emplace_back(&global, master ? master : stored);
  }
  std::string problems;
  auto report = [&](const char *what, const NameList &list) {
    if (!list.empty())
      problems += std::string(problems.empty() ? "" : "; ") + what + list.str();
  };
  report("missing: ", missing);
  report("not in the model: ", superfluous);
  report("other shape: ", shapes);
  report("dtype that cannot be loaded: ", types);
  if (!problems.empty())
    fail(TXRT_BAD_INPUT, "%s: does not fit the model: %s", shown.c_str(), problems.c_str());
  return result;
}

/// Throws if the file's head differs from its embedding: the file is then of a model with an untied head, and without
/// the head another model would be loaded.
void checkTiedHead(const Assignment &assignment, const SafetensorsReader &reader) {
  const StoredTensor *head = assignment.tiedHead;
  const StoredTensor *embedding = assignment.embedding;
  if (!head || !embedding)
    return;
  bool equal = head->dtype == embedding->dtype && head->shape == embedding->shape;
  std::vector<char> a(1 << 20), b(1 << 20);
  InputFile file(reader.path());
  for (uint64_t at = 0; equal && at < head->bytes; at += a.size()) {
    size_t count = static_cast<size_t>(std::min<uint64_t>(a.size(), head->bytes - at));
    file.readAt(head->offset + at, a.data(), count);
    file.readAt(embedding->offset + at, b.data(), count);
    equal = std::memcmp(a.data(), b.data(), count) == 0;
  }
  if (!equal)
    fail(TXRT_BAD_INPUT,
         "%s: lm_head.weight differs from wte.weight, and the model ties them: "
         "compile with --untie-embeddings-and-output-weights",
         printable(reader.path(), 200).c_str());
}

uint64_t metadataNumber(const SafetensorsReader &reader, const char *key, uint64_t most) {
  auto refuse = [&](const std::string &what) {
    fail(TXRT_BAD_INPUT,
         "%s: holds optimizer state but %s; --no-load-optim takes the weights "
         "alone",
         printable(reader.path(), 200).c_str(), what.c_str());
  };
  auto found = reader.metadata().find(key);
  if (found == reader.metadata().end())
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
RunSettings settingsIn(const SafetensorsReader &reader) {
  static const std::string prefix = "tx.";
  RunSettings settings;
  for (const auto &[key, value] : reader.metadata())
    if (key.compare(0, prefix.size(), prefix) == 0 && key != "tx.iteration" && key != "tx.samples" && key != "tx.seed")
      settings[key.substr(prefix.size())] = value;
  return settings;
}

} // namespace

/// Loads a stored tensor into a global, rounded if the global's dtype is narrower.
static void loadFloats(const Model &model, const GlobalSpec &to, const SafetensorsReader &reader,
                       const StoredTensor &from) {
  std::vector<float> part(copyBytes / sizeof(float));
  std::vector<uint16_t> rounded(to.dtype == TXRT_DTYPE_BF16 ? part.size() : 0);
  for (uint64_t at = 0; at < from.elements; at += part.size()) {
    uint64_t count = std::min<uint64_t>(part.size(), from.elements - at);
    reader.readF32(from, at, count, part.data());
    if (auto bad = findBadNumber(to, part.data(), count))
      refuseNumber(reader, to, from, at, *bad);
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

static void loadRaw(const Model &model, const TensorSpec &to, const SafetensorsReader &reader,
                    const StoredTensor &from) {
  std::vector<char> part(copyBytes);
  for (uint64_t at = 0; at < from.bytes; at += part.size()) {
    uint64_t bytes = std::min<uint64_t>(part.size(), from.bytes - at);
    reader.readRaw(from, at, bytes, part.data());
    model.write(to, at, bytes, part.data());
  }
}

/// A source for the writer that reads a tensor from the session's arena while the file is written.
static SafetensorsWriter::Source sourceOf(const Model &model, const TensorSpec &tensor) {
  return [&](uint64_t at, uint64_t bytes, void *to) { model.read(tensor, at, bytes, to); };
}

/// The same, but throws at an element that is NaN or Inf.
static SafetensorsWriter::Source finiteSourceOf(const Model &model, const GlobalSpec &tensor, const std::string &path,
                                                const RunPosition &position) {
  return [&](uint64_t at, uint64_t bytes, void *to) {
    model.read(tensor, at, bytes, to);
    if (auto found = findNonFinite(tensor.dtype, to, bytes))
      fail(TXRT_NUMERIC,
           "%s: not saved, and what was there is untouched: after iteration "
           "%lld %s has %g at index %llu; lower --lr or lengthen "
           "--lr-warmup-iters",
           printable(path, 200).c_str(), (long long)position.iteration, printable(tensor.name, 120).c_str(),
           shown(found->value), (unsigned long long)(at / dtypeBytes(tensor.dtype) + found->index));
  };
}

LoadResult loadWeights(const Model &model, const std::string &path, bool wantOptimizer) {
  SafetensorsReader reader(path);
  Assignment assignment = assign(model.manifest(), reader, wantOptimizer);
  checkTiedHead(assignment, reader);
  LoadResult result;
  result.hasOptimizer = assignment.hasOptimizer && wantOptimizer;
  if (result.hasOptimizer) {
    constexpr uint64_t all = std::numeric_limits<uint64_t>::max();
    result.position.iteration = static_cast<int64_t>(metadataNumber(reader, "tx.iteration", mostIterations));
    result.position.samples = metadataNumber(reader, "tx.samples", all / 4);
    result.position.seed = metadataNumber(reader, "tx.seed", all);
    result.position.settings = settingsIn(reader);
  }
  for (const auto &pair : assignment.pairs) {
    if (isFloat(pair.first->dtype))
      loadFloats(model, *pair.first, reader, *pair.second);
    else
      loadRaw(model, *pair.first, reader, *pair.second);
  }
  return result;
}

static RunPosition loadOrInitialize(const Model &model, const WeightsRequest &request, const Notes &note) {
  RunPosition position;
  position.seed = request.seed;
  if (request.load.empty()) {
    model.initialize(request.seed);
    return position;
  }
  LoadResult loaded = loadWeights(model, request.load, request.loadOptimizer);
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

RunPosition prepareWeights(const Model &model, const WeightsRequest &request, const Notes &note) {
  RunPosition position;
  Ranks &ranks = model.ranks();
  ranks.together([&] { position = loadOrInitialize(model, request, note); });
  if (ranks.size() > 1)
    ranks.requireSame({{"the seed", std::to_string(position.seed)},
                       {"the checkpoint's iteration", std::to_string(position.iteration)},
                       {"the weights", fingerprintOf(model)}});
  return position;
}

static bool isSaved(const GlobalSpec &global, bool withOptimizer) {
  return global.role == Role::Parameter || (global.role != Role::Gradient && withOptimizer);
}

uint64_t savedBytes(const Model &model, bool withOptimizer) {
  uint64_t bytes = 0;
  for (const GlobalSpec &global : model.manifest().globals)
    bytes += isSaved(global, withOptimizer) ? global.bytes : 0;
  return bytes;
}

uint64_t gradientBytes(const Model &model) {
  uint64_t bytes = 0;
  for (const GlobalSpec *gradient : model.manifest().withRole(Role::Gradient))
    bytes += gradient->bytes;
  return bytes;
}

void saveWeights(const Model &model, const std::string &path, const RunPosition &position, bool withOptimizer) {
  SafetensorsWriter writer;
  // transformers refuses a file whose metadata does not say this.
  writer.setMetadata("format", "pt");
  for (const GlobalSpec &global : model.manifest().globals) {
    if (!isSaved(global, withOptimizer))
      continue;
    writer.add(global.name, storedDtype(global.dtype), global.shape, global.bytes,
               finiteSourceOf(model, global, path, position));
  }
  if (withOptimizer) {
    writer.setMetadata("tx.iteration", std::to_string(position.iteration));
    writer.setMetadata("tx.samples", std::to_string(position.samples));
    writer.setMetadata("tx.seed", std::to_string(position.seed));
    for (const auto &[name, value] : position.settings)
      writer.setMetadata("tx." + name, value);
  }
  writer.write(path);
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
