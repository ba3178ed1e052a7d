#include "core/Manifest.h"
#include "core/Json.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

using namespace txrt;
using nlohmann::json;

using ull = unsigned long long;

static constexpr uint64_t maxText = uint64_t(256) << 20;

static_assert(uint32_t(Role::Parameter) == TXRT_ROLE_PARAMETER && uint32_t(Role::Gradient) == TXRT_ROLE_GRADIENT &&
              uint32_t(Role::Moment1) == TXRT_ROLE_MOMENT1 && uint32_t(Role::Moment2) == TXRT_ROLE_MOMENT2 &&
              uint32_t(Role::Master) == TXRT_ROLE_MASTER);
static_assert(uint32_t(InitKind::Zeros) == 1 + TXRT_INIT_ZEROS && uint32_t(InitKind::Ones) == 1 + TXRT_INIT_ONES &&
              uint32_t(InitKind::Normal) == 1 + TXRT_INIT_NORMAL);
static_assert(uint32_t(AxisKind::Batch) == TXRT_AXIS_BATCH && uint32_t(AxisKind::Sequence) == TXRT_AXIS_SEQUENCE &&
              uint32_t(AxisKind::Tensor) == TXRT_AXIS_TENSOR && uint32_t(AxisKind::Expert) == TXRT_AXIS_EXPERT &&
              uint32_t(AxisKind::Stage) == TXRT_AXIS_STAGE);

uint64_t txrt::dtypeBytes(uint32_t dtype) {
  switch (dtype) {
  case TXRT_DTYPE_F32:
  case TXRT_DTYPE_I32:
    return 4;
  case TXRT_DTYPE_BF16:
    return 2;
  case TXRT_DTYPE_I1:
  case TXRT_DTYPE_BYTE:
    return 1;
  default:
    return 0;
  }
}

const char *txrt::dtypeName(uint32_t dtype) {
  const char *name = txrt_dtype_name(dtype);
  return name ? name : "an unknown dtype";
}

std::string txrt::describeTensor(const TensorSpec &tensor) {
  return "'" + printable(tensor.name) + "' " + dtypeName(tensor.dtype) + shapeText(tensor.shape);
}

uint64_t TensorSpec::elements() const {
  uint64_t count = 1;
  for (uint64_t size : shape)
    count *= size; // readManifest has checked the product
  return count;
}

static const TensorSpec *findTensor(const std::vector<TensorSpec> &list, const std::string &name) {
  for (const TensorSpec &tensor : list)
    if (tensor.name == name)
      return &tensor;
  return nullptr;
}

const TensorSpec *EntrySpec::argument(const std::string &name) const { return findTensor(arguments, name); }
const TensorSpec *EntrySpec::result(const std::string &name) const { return findTensor(results, name); }

const EntrySpec *Manifest::findEntry(const std::string &name) const {
  for (const EntrySpec &entry : entries)
    if (entry.name == name)
      return &entry;
  return nullptr;
}

const GlobalSpec *Manifest::findGlobal(const std::string &name) const {
  const auto found = places.find(name);
  return found == places.end() ? nullptr : &globals[found->second];
}

std::vector<const GlobalSpec *> Manifest::withRole(Role role) const {
  std::vector<const GlobalSpec *> result;
  for (const GlobalSpec &global : globals)
    if (global.role == role)
      result.push_back(&global);
  return result;
}

std::string Manifest::entryNames() const {
  std::string text;
  for (const EntrySpec &entry : entries)
    text += (text.empty() ? "" : ", ") + printable(entry.name);
  return text.empty() ? "none" : text;
}

namespace {

/// Throws if two tensors of the list overlap: a write to one would change the other.
template <typename Tensors> void checkApart(const JsonField &list, const Tensors &tensors) {
  std::vector<const TensorSpec *> places;
  for (const TensorSpec &tensor : tensors)
    if (tensor.bytes > 0)
      places.push_back(&tensor);
  std::sort(places.begin(), places.end(), [](const TensorSpec *a, const TensorSpec *b) {
    return std::tie(a->segment, a->offset) < std::tie(b->segment, b->offset);
  });
  for (size_t i = 1; i < places.size(); ++i)
    if (places[i]->segment == places[i - 1]->segment &&
        places[i]->offset < places[i - 1]->offset + places[i - 1]->bytes)
      list.refuse("has '" + printable(places[i - 1]->name) + "' and '" + printable(places[i]->name) +
                  "' at the same bytes");
}

IdRange readIds(const JsonField &field) {
  if (!field.isObject())
    field.refuse("is no object");
  IdRange ids;
  ids.isSet = true;
  if (field.has("below") && (ids.below = field["below"].number()) == 0)
    field["below"].refuse("is 0, which leaves no id");
  // An ignored id that no i32 can hold never occurs in the data, so it is dropped.
  if (field.has("ignored"))
    if (double value = field["ignored"].real(); std::fabs(value) <= 2147483647.0)
      ids.ignored = static_cast<int32_t>(value);
  return ids;
}

/// Reads a tensor and checks that it lies inside its segment. `names` has the names of its list so far: each must occur
/// once.
void readTensor(const JsonField &field, const Manifest &manifest, std::set<std::string> &names, TensorSpec &tensor) {
  tensor.name = field["name"].string();
  if (!names.insert(tensor.name).second)
    field.refuse("has the name '" + printable(tensor.name) + "' a second time");
  tensor.dtype = static_cast<txrt_dtype>(field["dtype"].oneOf(txrt_dtype_name, TXRT_DTYPE_I1 + 1));
  uint64_t bytes = dtypeBytes(tensor.dtype);
  for (const JsonField &extent : field["shape"].items()) {
    tensor.shape.push_back(extent.number());
    if (__builtin_mul_overflow(bytes, tensor.shape.back(), &bytes))
      field.refuse("has a shape whose product is too large");
  }
  tensor.bytes = field["bytes"].number();
  if (tensor.bytes != bytes)
    field.refuse(format("has %llu bytes, but its shape and dtype make %llu", static_cast<ull>(tensor.bytes),
                        static_cast<ull>(bytes)));
  tensor.segment = static_cast<txrt_segment>(field["segment"].oneOf(txrt_segment_name, TXRT_SEGMENT_COUNT));
  tensor.offset = field["offset"].number();
  const uint64_t size = manifest.segmentBytes[tensor.segment];
  if (tensor.offset > size || bytes > size - tensor.offset)
    field.refuse(format("ends outside its segment (%llu bytes at %s+0x%llx of %llu)", static_cast<ull>(bytes),
                        txrt_segment_name(tensor.segment), static_cast<ull>(tensor.offset), static_cast<ull>(size)));
  if (tensor.offset % dtypeBytes(tensor.dtype) != 0)
    field.refuse(format("has offset 0x%llx, not aligned to its dtype", static_cast<ull>(tensor.offset)));
  if (field.has("ids"))
    tensor.ids = readIds(field["ids"]);
}

void readInit(const JsonField &init, GlobalSpec &global) {
  global.init = static_cast<InitKind>(1 + init["kind"].oneOf(txrt_init_name, TXRT_INIT_COUNT));
  if (global.init != InitKind::Normal)
    return;
  global.stddev = init["stddev"].real();
  if (!(global.stddev >= 0) || global.stddev > double(std::numeric_limits<float>::max()))
    init["stddev"].refuse("is no spread of f32 numbers");
}

void readGlobals(const JsonField &list, Manifest &manifest) {
  std::set<std::string> names;
  for (const JsonField &field : list.items()) {
    GlobalSpec global;
    readTensor(field, manifest, names, global);
    global.role = static_cast<Role>(field["role"].oneOf(txrt_role_name, TXRT_ROLE_COUNT));
    if (global.role == Role::Parameter)
      readInit(field["init"], global);
    else
      global.of = field["of"].string();
    manifest.places.emplace(global.name, manifest.globals.size());
    manifest.globals.push_back(global);
  }
  checkApart(list, manifest.globals);
  for (const GlobalSpec &global : manifest.globals) {
    if (global.role == Role::Parameter)
      continue;
    const GlobalSpec *parameter = manifest.findGlobal(global.of);
    if (!parameter || parameter->role != Role::Parameter || parameter->shape != global.shape)
      list.refuse("has '" + printable(global.name) + "' of a parameter that does not exist or has another shape");
  }
}

void readEntries(const JsonField &list, Manifest &manifest) {
  std::set<std::string> names;
  for (const JsonField &field : list.items()) {
    EntrySpec entry;
    entry.name = field["name"].string();
    if (!names.insert(entry.name).second)
      field.refuse("has the name '" + printable(entry.name) + "' a second time");
    auto read = [&](const char *side, std::vector<TensorSpec> &tensors) {
      std::set<std::string> own;
      for (const JsonField &tensor : field[side].items())
        readTensor(tensor, manifest, own, tensors.emplace_back());
    };
    read("arguments", entry.arguments);
    checkApart(field["arguments"], entry.arguments);
    read("results", entry.results);
    manifest.entries.push_back(entry);
  }
}

void readSegments(const JsonField &arena, Manifest &manifest) {
  uint64_t total = 0;
  for (uint32_t s = 0; s < TXRT_SEGMENT_COUNT; ++s) {
    std::string key = std::string(txrt_segment_name(s)) + "_bytes";
    const JsonField size = arena[key.c_str()];
    manifest.segmentBytes[s] = size.number();
    // Otherwise the runtime would pad the segments, and the arena would be larger than the planned sum.
    if (size.number() % TXRT_BUFFER_ALIGNMENT != 0)
      size.refuse(format("is %llu, no multiple of %u", static_cast<ull>(size.number()), TXRT_BUFFER_ALIGNMENT));
    if (__builtin_add_overflow(total, size.number(), &total) || total > uint64_t(INT64_MAX))
      size.refuse("makes an arena of 2^63 bytes or more");
  }
}

void readMesh(const JsonField &mesh, Manifest &manifest) {
  for (const JsonField &axis : mesh.items()) {
    AxisSpec spec;
    spec.name = axis["axis"].string();
    spec.size = axis["size"].number();
    if (spec.size == 0 || __builtin_mul_overflow(manifest.ranks, spec.size, &manifest.ranks))
      axis["size"].refuse("is impossible");
    if (axis.has("kind"))
      spec.kind = static_cast<AxisKind>(axis["kind"].oneOf(txrt_axis_kind_name, TXRT_AXIS_COUNT));
    manifest.mesh.push_back(spec);
  }
}

void readWeights(const JsonField &weights, const json &value, Manifest &manifest) {
  WeightsSpec &spec = manifest.weights;
  if (weights.has("prefix"))
    spec.prefix = weights["prefix"].string();
  if (weights.has("ignored"))
    for (const JsonField &pattern : weights["ignored"].items())
      spec.ignored.push_back(pattern.string());
  if (weights.has("tied")) {
    if (!weights["tied"].isObject())
      weights["tied"].refuse("is no object");
    for (const auto &item : value["tied"].items()) {
      const std::string parameter = weights["tied"][item.key().c_str()].string();
      const GlobalSpec *global = manifest.findGlobal(parameter);
      if (!global || global->role != Role::Parameter)
        weights["tied"].refuse("has '" + printable(parameter) + "', which is no parameter");
      spec.tied.emplace(item.key(), parameter);
    }
  }
  if (weights.has("config")) {
    if (!weights["config"].isObject())
      weights["config"].refuse("is no object");
    spec.config = value["config"].dump(2) + "\n";
  }
}

/// Reads the fields that only describe the artifact for people. They may be missing: an artifact that was compiled from
/// IR has no model.
void readDescription(const JsonField &top, Manifest &manifest) {
  if (top.has("compiler"))
    manifest.compiler = top["compiler"].string();
  if (top.has("seed"))
    manifest.seed = top["seed"].number();
  if (top.has("model") && top["model"].isObject()) {
    const JsonField model = top["model"];
    if (model.has("type"))
      manifest.model.type = model["type"].string();
    if (model.has("num_layers"))
      manifest.model.numLayers = model["num_layers"].number();
    if (model.has("tied"))
      manifest.model.tied = model["tied"].boolean();
  }
  if (top.has("policy") && top["policy"].has("description"))
    manifest.policy = top["policy"]["description"].string();
  if (top.has("report") && top["report"].has("peak_bytes"))
    manifest.peakBytes = top["report"]["peak_bytes"].number();
}

} // namespace

Manifest txrt::readManifest(const std::string &artifact, const std::string &text) {
  const std::string what = printable(artifact, 200) + ": manifest";
  if (text.size() > maxText)
    fail(TXRT_BAD_INPUT, "%s: %s long; at most %s", what.c_str(), readableBytes(double(text.size())).c_str(),
         readableBytes(double(maxText)).c_str());
  const json root = parseJson(text.data(), text.data() + text.size(), what);
  const JsonField top(root, what);
  Manifest manifest;
  if (top["format"].string() != "tx-artifact")
    top["format"].refuse("is not 'tx-artifact'");
  if (uint64_t version = top["abi_version"].number(); version != TXRT_ABI_VERSION)
    top["abi_version"].refuse(format("is %llu, this runtime has %u", static_cast<ull>(version), TXRT_ABI_VERSION));
  manifest.backend = top["target"]["backend"].string();
  manifest.triple = top["target"]["triple"].string();
  for (const JsonField &feature : top["target"]["features"].items())
    manifest.features.push_back(feature.string());
  readSegments(top["arena"], manifest);
  readGlobals(top["globals"], manifest);
  readEntries(top["entries"], manifest);
  if (top.has("weights"))
    readWeights(top["weights"], root["weights"], manifest);
  if (top.has("mesh"))
    readMesh(top["mesh"], manifest);
  readDescription(top, manifest);
  return manifest;
}
