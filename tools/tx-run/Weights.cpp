//===- Weights.cpp - Between the arena and safetensors files --------------===//

#include "Weights.h"
#include "Error.h"
#include "Safetensors.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace txrun {

static const char prefix[] = "transformer.";

static std::string canonical(const std::string &name) {
  size_t length = sizeof prefix - 1;
  return name.compare(0, length, prefix) == 0 ? name.substr(length) : name;
}

static bool endsWith(const std::string &text, const std::string &end) {
  return text.size() >= end.size() &&
         text.compare(text.size() - end.size(), end.size(), end) == 0;
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
  }
  return "U8";
}

/// The causal mask and its fill value, which older files keep as tensors.
static bool isBuffer(const StoredTensor &tensor) {
  if (endsWith(tensor.name, ".attn.masked_bias"))
    return tensor.shape.empty();
  return endsWith(tensor.name, ".attn.bias") && tensor.shape.size() == 4 &&
         tensor.shape[0] == 1 && tensor.shape[1] == 1 &&
         tensor.shape[2] == tensor.shape[3];
}

namespace {

/// Collects names for one line that must not become a page.
class NameList {
public:
  void add(const std::string &name) {
    if (++count <= 6)
      text += (text.empty() ? "" : ", ") + printable(name, 120);
  }
  bool empty() const { return count == 0; }
  std::string str() const {
    return count > 6 ? text + format(" and %zu more", count - 6) : text;
  }

private:
  size_t count = 0;
  std::string text;
};

/// Which stored tensor goes into which global; made before anything is
/// written.
struct Assignment {
  std::vector<std::pair<const GlobalSpec *, const StoredTensor *>> pairs;
  const StoredTensor *tiedHead = nullptr;
  bool hasOptimizer = false;
};

bool fits(const GlobalSpec &global, const StoredTensor &tensor) {
  if (global.dtype == TXRT_DTYPE_F32)
    return tensor.dtype == "F32" || tensor.dtype == "F16" ||
           tensor.dtype == "BF16";
  return tensor.dtype == storedDtype(global.dtype);
}

Assignment assign(const Manifest &manifest, const SafetensorsReader &reader,
                  bool wantOptimizer) {
  std::string shown = printable(reader.path(), 200);
  std::map<std::string, const GlobalSpec *> wanted;
  for (const GlobalSpec &global : manifest.globals)
    if (global.role != Role::Gradient)
      wanted[canonical(global.name)] = &global;

  Assignment result;
  std::map<const GlobalSpec *, const StoredTensor *> found;
  NameList superfluous, shapes, types, missing;
  for (const auto &item : reader.tensors()) {
    const StoredTensor &tensor = item.second;
    auto match = wanted.find(canonical(tensor.name));
    if (match == wanted.end()) {
      if (isBuffer(tensor))
        continue;
      if (tensor.name == "lm_head.weight" && manifest.model.tied)
        result.tiedHead = &tensor;
      else
        superfluous.add(tensor.name);
      continue;
    }
    const GlobalSpec &global = *match->second;
    if (!found.emplace(&global, &tensor).second)
      fail(ExitCode::BadInput,
           "%s: has '%s' twice, with and without the prefix '%s'",
           shown.c_str(), canonical(global.name).c_str(), prefix);
    if (tensor.shape != global.shape)
      shapes.add(tensor.name + " is " + shapeText(tensor.shape) +
                 ", the model needs " + shapeText(global.shape));
    else if (!fits(global, tensor))
      types.add(tensor.name + " is " + tensor.dtype);
    result.hasOptimizer |= global.role != Role::Parameter;
  }
  for (const GlobalSpec &global : manifest.globals) {
    bool needed = global.role == Role::Parameter ||
                  (global.role != Role::Gradient && result.hasOptimizer);
    auto match = found.find(&global);
    if (match == found.end()) {
      if (needed)
        missing.add(global.name);
    } else if (global.role == Role::Parameter || wantOptimizer) {
      result.pairs.emplace_back(&global, match->second);
    }
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
    fail(ExitCode::BadInput, "%s: does not fit the model: %s", shown.c_str(),
         problems.c_str());
  return result;
}

/// A head that differs from the embedding belongs to an untied model: to drop
/// it would load another model than the file holds.
void checkTiedHead(const Assignment &assignment,
                   const SafetensorsReader &reader) {
  const StoredTensor *head = assignment.tiedHead, *embedding = nullptr;
  for (const auto &pair : assignment.pairs)
    if (canonical(pair.first->name) == "wte.weight")
      embedding = pair.second;
  if (!head || !embedding)
    return;
  bool equal = head->dtype == embedding->dtype &&
               head->shape == embedding->shape;
  std::vector<char> a(1 << 20), b(1 << 20);
  InputFile file(reader.path());
  for (uint64_t at = 0; equal && at < head->bytes; at += a.size()) {
    size_t count =
        static_cast<size_t>(std::min<uint64_t>(a.size(), head->bytes - at));
    file.readAt(head->offset + at, a.data(), count);
    file.readAt(embedding->offset + at, b.data(), count);
    equal = std::memcmp(a.data(), b.data(), count) == 0;
  }
  if (!equal)
    fail(ExitCode::BadInput,
         "%s: lm_head.weight differs from wte.weight, and the model ties them: "
         "compile with --untie-embeddings-and-output-weights",
         printable(reader.path(), 200).c_str());
}

uint64_t metadataNumber(const SafetensorsReader &reader, const char *key) {
  auto found = reader.metadata().find(key);
  uint64_t value = 0;
  if (found != reader.metadata().end()) {
    const std::string &text = found->second;
    auto result =
        std::from_chars(text.data(), text.data() + text.size(), value);
    if (result.ec == std::errc() && result.ptr == text.data() + text.size() &&
        value < uint64_t(1) << 62)
      return value;
  }
  fail(ExitCode::BadInput,
       "%s: holds optimizer state but no number '%s' in its metadata; "
       "--no-load-optim takes the weights alone",
       printable(reader.path(), 200).c_str(), key);
}

} // namespace

static void loadF32(const Model &model, const TensorSpec &to,
                    const SafetensorsReader &reader, const StoredTensor &from) {
  std::vector<float> part(copyBytes / sizeof(float));
  for (uint64_t at = 0; at < from.elements; at += part.size()) {
    uint64_t count = std::min<uint64_t>(part.size(), from.elements - at);
    reader.readF32(from, at, count, part.data());
    model.write(to, at * 4, count * 4, part.data());
  }
}

static void loadRaw(const Model &model, const TensorSpec &to,
                    const SafetensorsReader &reader, const StoredTensor &from) {
  std::vector<char> part(copyBytes);
  for (uint64_t at = 0; at < from.bytes; at += part.size()) {
    uint64_t bytes = std::min<uint64_t>(part.size(), from.bytes - at);
    reader.readRaw(from, at, bytes, part.data());
    model.write(to, at, bytes, part.data());
  }
}

/// Reads from the session's arena while the file is written.
static SafetensorsWriter::Source sourceOf(const Model &model,
                                          const TensorSpec &tensor) {
  return [&](uint64_t at, uint64_t bytes, void *to) {
    model.read(tensor, at, bytes, to);
  };
}

LoadResult loadWeights(const Model &model, const std::string &path,
                       bool wantOptimizer) {
  SafetensorsReader reader(path);
  Assignment assignment = assign(model.manifest(), reader, wantOptimizer);
  checkTiedHead(assignment, reader);
  LoadResult result;
  result.hasOptimizer = assignment.hasOptimizer && wantOptimizer;
  if (result.hasOptimizer) {
    result.position.iteration =
        static_cast<int64_t>(metadataNumber(reader, "tx.iteration"));
    result.position.samples = metadataNumber(reader, "tx.samples");
    result.position.seed = metadataNumber(reader, "tx.seed");
  }
  model.clearState();
  for (const auto &pair : assignment.pairs) {
    if (pair.first->dtype == TXRT_DTYPE_F32)
      loadF32(model, *pair.first, reader, *pair.second);
    else
      loadRaw(model, *pair.first, reader, *pair.second);
    // Without stored state an f32 master begins as its parameter.
    for (const GlobalSpec &global : model.manifest().globals)
      if (!result.hasOptimizer && global.role == Role::Master &&
          global.dtype == TXRT_DTYPE_F32 && global.of == pair.first->name)
        loadF32(model, global, reader, *pair.second);
  }
  return result;
}

void saveWeights(const Model &model, const std::string &path,
                 const RunPosition &position, bool withOptimizer) {
  SafetensorsWriter writer;
  // transformers refuses a file whose metadata does not say this.
  writer.setMetadata("format", "pt");
  for (const GlobalSpec &global : model.manifest().globals) {
    if (global.role == Role::Gradient ||
        (global.role != Role::Parameter && !withOptimizer))
      continue;
    writer.add(global.name, storedDtype(global.dtype), global.shape,
               global.bytes, sourceOf(model, global));
  }
  if (withOptimizer) {
    writer.setMetadata("tx.iteration", std::to_string(position.iteration));
    writer.setMetadata("tx.samples", std::to_string(position.samples));
    writer.setMetadata("tx.seed", std::to_string(position.seed));
  }
  writer.write(path);
}

void dumpGradients(const Model &model, const std::string &path) {
  SafetensorsWriter writer;
  writer.setMetadata("format", "pt");
  for (const GlobalSpec *gradient : model.manifest().withRole(Role::Gradient))
    writer.add(gradient->of, storedDtype(gradient->dtype), gradient->shape,
               gradient->bytes, sourceOf(model, *gradient));
  writer.write(path);
}

} // namespace txrun
