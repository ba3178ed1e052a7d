//===- Manifest.cpp - The artifact's manifest with types ----------------------------------------------------------===//

#include "Manifest.h"
#include "Error.h"

#include <cmath>

namespace txrun {

using nlohmann::json;

uint64_t dtypeBytes(txrt_dtype dtype) {
  switch (dtype) {
  case TXRT_DTYPE_F32:
  case TXRT_DTYPE_I32:
    return 4;
  case TXRT_DTYPE_BF16:
    return 2;
  case TXRT_DTYPE_I1:
  case TXRT_DTYPE_BYTE:
    return 1;
  }
  return 0;
}

const char *dtypeName(txrt_dtype dtype) {
  switch (dtype) {
  case TXRT_DTYPE_F32:
    return "f32";
  case TXRT_DTYPE_BF16:
    return "bf16";
  case TXRT_DTYPE_I32:
    return "i32";
  case TXRT_DTYPE_I1:
    return "i1";
  case TXRT_DTYPE_BYTE:
    return "byte";
  }
  return "?";
}

uint64_t TensorSpec::elements() const {
  uint64_t count = 1;
  for (uint64_t size : shape)
    count *= size; // parseManifest has checked the product
  return count;
}

namespace {

/// Reads fields of one object and knows its place in the file for messages.
class Fields {
public:
  Fields(const json &object, std::string where) : object(object), where(std::move(where)) {
    if (!object.is_object())
      refuse("is no object");
  }

  [[noreturn]] void refuse(const std::string &reason) const {
    fail(ExitCode::BadInput,
         "%s %s; was it written by another version of "
         "tx-compile?",
         where.c_str(), reason.c_str());
  }
  const json &get(const char *name) const {
    auto found = object.find(name);
    if (found == object.end())
      refuse(format("has no field '%s'", name));
    return *found;
  }
  bool has(const char *name) const { return object.count(name) != 0; }
  std::string text(const char *name) const {
    const json &value = get(name);
    if (!value.is_string())
      refuse(format("has a field '%s' that is no string", name));
    return value.get<std::string>();
  }
  uint64_t number(const char *name) const {
    const json &value = get(name);
    if (!value.is_number_unsigned())
      refuse(format("has a field '%s' that is no whole number", name));
    return value.get<uint64_t>();
  }
  double real(const char *name) const {
    const json &value = get(name);
    if (!value.is_number())
      refuse(format("has a field '%s' that is no number", name));
    return value.get<double>();
  }
  bool boolean(const char *name, bool otherwise) const {
    if (!has(name))
      return otherwise;
    const json &value = get(name);
    if (!value.is_boolean())
      refuse(format("has a field '%s' that is neither true nor false", name));
    return value.get<bool>();
  }
  const json &list(const char *name) const {
    const json &value = get(name);
    if (!value.is_array())
      refuse(format("has a field '%s' that is no list", name));
    return value;
  }
  Fields child(const char *name) const { return Fields(get(name), where + ": " + name); }
  /// The position of a name in `names`.
  template <size_t N> size_t choice(const char *name, const char *const (&names)[N]) const {
    std::string value = text(name);
    for (size_t i = 0; i < N; ++i)
      if (value == names[i])
        return i;
    refuse(format("has the %s '%s', which is unknown", name, printable(value).c_str()));
  }

private:
  const json &object;
  std::string where;
};

void parseTensor(const Fields &fields, TensorSpec &tensor) {
  static const char *const dtypes[] = {"f32", "bf16", "i32", "i1"};
  static const char *const segments[] = {"persistent", "argument", "saved", "transient"};
  tensor.name = fields.text("name");
  tensor.dtype = static_cast<txrt_dtype>(fields.choice("dtype", dtypes));
  tensor.segment = static_cast<txrt_segment>(fields.choice("segment", segments));
  uint64_t bytes = dtypeBytes(tensor.dtype);
  for (const json &size : fields.list("shape")) {
    if (!size.is_number_unsigned())
      fields.refuse("has a shape with something that is no size");
    tensor.shape.push_back(size.get<uint64_t>());
    if (__builtin_mul_overflow(bytes, tensor.shape.back(), &bytes))
      fields.refuse("has a shape whose product overflows");
  }
  tensor.offset = fields.number("offset");
  tensor.bytes = fields.number("bytes");
  if (tensor.bytes != bytes)
    fields.refuse(format("says %llu bytes, its shape and dtype say %llu", (unsigned long long)tensor.bytes,
                         (unsigned long long)bytes));
  if (fields.has("ids")) {
    Fields ids = fields.child("ids");
    tensor.ids.isSet = true;
    if (ids.has("below") && (tensor.ids.below = ids.number("below")) == 0)
      ids.refuse("has a field 'below' that leaves no id");
    // What no element can hold is never met.
    if (ids.has("ignored"))
      if (double value = ids.real("ignored"); std::fabs(value) <= 2147483647.0)
        tensor.ids.ignored = static_cast<int32_t>(value);
  }
  if (tensor.offset % dtypeBytes(tensor.dtype))
    fields.refuse("lies at an address that does not fit its dtype");
}

GlobalSpec parseGlobal(const Fields &fields) {
  static const char *const roles[] = {"parameter", "gradient", "moment1", "moment2", "master"};
  static const char *const kinds[] = {"normal", "ones", "zeros"};
  GlobalSpec global;
  parseTensor(fields, global);
  global.role = static_cast<Role>(fields.choice("role", roles));
  if (global.role != Role::Parameter) {
    global.of = fields.text("of");
    return global;
  }
  Fields init = fields.child("init");
  switch (init.choice("kind", kinds)) {
  case 0:
    global.init = InitKind::Normal;
    global.stddev = init.real("stddev");
    if (!(global.stddev >= 0) || global.stddev > double(std::numeric_limits<float>::max()))
      init.refuse("has a field 'stddev' that is no spread of f32 numbers");
    break;
  case 1:
    global.init = InitKind::Ones;
    break;
  default:
    global.init = InitKind::Zeros;
  }
  return global;
}

} // namespace

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

Manifest parseManifest(const std::string &text, const std::string &path) {
  std::string where = printable(path, 200) + ": manifest";
  json root = parseJson(text.data(), text.data() + text.size(), where);
  Fields fields(root, where);
  Manifest manifest;
  manifest.compiler = fields.has("compiler") ? fields.text("compiler") : "";

  if (fields.has("seed"))
    manifest.seed = fields.number("seed");
  // An artifact made of IR has no model.
  if (fields.has("model") && !fields.get("model").is_null()) {
    Fields model = fields.child("model");
    ModelSpec &spec = manifest.model;
    spec.type = model.has("type") ? model.text("type") : "";
    spec.numLayers = model.has("num_layers") ? model.number("num_layers") : 0;
    spec.tied = model.boolean("tied", false);
  }
  if (fields.has("policy") && fields.get("policy").is_object()) {
    Fields policy = fields.child("policy");
    if (policy.has("description"))
      manifest.policy = policy.text("description");
  }
  Fields arena = fields.child("arena");
  static const char *const sizes[] = {"persistent_bytes", "argument_bytes", "saved_bytes", "transient_bytes"};
  for (int i = 0; i < TXRT_SEGMENT_COUNT; ++i)
    manifest.segmentBytes[i] = arena.number(sizes[i]);
  if (fields.has("report") && fields.get("report").is_object()) {
    manifest.report = fields.get("report");
    Fields report = fields.child("report");
    if (report.has("peak_bytes"))
      manifest.peakBytes = report.number("peak_bytes");
  }

  size_t index = 0;
  static const char *const axisKinds[] = {"batch", "sequence", "tensor", "expert", "stage"};
  for (const json &value : fields.has("mesh") ? fields.list("mesh") : json::array()) {
    Fields axis(value, where + format(": mesh[%zu]", index++));
    AxisSpec spec;
    spec.name = axis.text("axis");
    spec.size = axis.number("size");
    if (spec.size == 0 || __builtin_mul_overflow(manifest.ranks, spec.size, &manifest.ranks))
      axis.refuse("has an impossible size");
    if (axis.has("kind"))
      spec.kind = static_cast<AxisKind>(axis.choice("kind", axisKinds));
    manifest.mesh.push_back(spec);
  }
  index = 0;
  for (const json &value : fields.list("globals"))
    manifest.globals.push_back(parseGlobal(Fields(value, where + format(": globals[%zu]", index++))));
  for (const GlobalSpec &global : manifest.globals)
    if (!manifest.places.emplace(global.name, manifest.places.size()).second)
      fields.refuse("has the global '" + printable(global.name) + "' twice");
  for (const GlobalSpec &global : manifest.globals) {
    if (global.role == Role::Parameter)
      continue;
    const GlobalSpec *parameter = manifest.findGlobal(global.of);
    if (!parameter || parameter->role != Role::Parameter || parameter->shape != global.shape)
      fields.refuse("has the global '" + printable(global.name) +
                    "' of a parameter that does not exist or has another "
                    "shape");
  }

  index = 0;
  for (const json &value : fields.list("entries")) {
    std::string place = where + format(": entries[%zu]", index++);
    Fields entry(value, place);
    EntrySpec spec;
    spec.name = entry.text("name");
    for (const char *side : {"arguments", "results"}) {
      size_t at = 0;
      for (const json &tensor : entry.list(side)) {
        TensorSpec parsed;
        parseTensor(Fields(tensor, place + format(": %s[%zu]", side, at++)), parsed);
        (side[0] == 'a' ? spec.arguments : spec.results).push_back(parsed);
      }
    }
    manifest.entries.push_back(spec);
  }
  manifest.batch = findBatch(manifest, manifest.noBatch);
  return manifest;
}

} // namespace txrun
