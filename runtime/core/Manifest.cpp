#include "core/Manifest.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <tuple>

using namespace txrt;
using nlohmann::json;

using ull = unsigned long long;

static constexpr uint64_t maxText = uint64_t(256) << 20;
static constexpr size_t maxDepth = 64;
// A parsed value costs far more memory than its text: "[],[],..." must not fill the machine.
static constexpr size_t maxValues = size_t(4) << 20;

static const char *const segmentNames[] = {"persistent", "argument", "saved", "transient"};
static const char *const dtypeNames[] = {"f32", "bf16", "i32", "i1", "byte"};
static const uint64_t dtypeSizes[] = {4, 2, 4, 1, 1};

uint64_t txrt::dtypeBytes(uint32_t dtype) { return dtype <= TXRT_DTYPE_BYTE ? dtypeSizes[dtype] : 0; }
const char *txrt::dtypeName(uint32_t dtype) { return dtype <= TXRT_DTYPE_BYTE ? dtypeNames[dtype] : "?"; }
const char *txrt::segmentName(uint32_t segment) { return segment < TXRT_SEGMENT_COUNT ? segmentNames[segment] : "?"; }

const char *txrt::collectiveName(uint32_t collective) {
  static const char *const names[TXRT_COLLECTIVE_COUNT] = {"all_reduce", "all_gather", "reduce_scatter", "all_to_all",
                                                           "broadcast",  "reduce",     "send_recv"};
  return collective < TXRT_COLLECTIVE_COUNT ? names[collective] : "?";
}

namespace {

/// Parses within the limits.
class Reader {
public:
  explicit Reader(const std::string &artifact) : artifact(artifact) {}

  [[noreturn]] void refuse(const std::string &what) const {
    fail(TXRT_BAD_INPUT, "%s: manifest: %s", artifact.c_str(), what.c_str());
  }

  json parse(Span text) {
    if (text.size > maxText)
      refuse(format("%s long; at most %s", readableBytes(text.size).c_str(), readableBytes(maxText).c_str()));
    // The parser takes the text to end there.
    if (std::find(text.data, text.data + text.size, 0) != text.data + text.size)
      refuse("it has a NUL, so it is no JSON");
    try {
      // A second pass: the parser's own callback looks at all that an object or a list has so far whenever one inside
      // of it ends.
      Limits limits(*this);
      json::sax_parse(text.data, text.data + text.size, &limits);
      return json::parse(text.data, text.data + text.size);
    } catch (const json::parse_error &error) {
      refuse(format("not JSON: byte %zu", error.byte));
    } catch (const json::exception &error) {
      refuse(printable(error.what()));
    }
  }

private:
  class Limits : public nlohmann::json_sax<json> {
  public:
    explicit Limits(const Reader &reader) : reader(reader) {}
    bool null() override { return count(); }
    bool boolean(bool) override { return count(); }
    bool number_integer(number_integer_t) override { return count(); }
    bool number_unsigned(number_unsigned_t) override { return count(); }
    bool number_float(number_float_t, const string_t &) override { return count(); }
    bool string(string_t &) override { return count(); }
    bool binary(binary_t &) override { return count(); }
    bool start_object(size_t) override { return open(); }
    bool start_array(size_t) override { return open(); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }
    bool key(string_t &key) override {
      if (!keys.back().insert(key).second)
        reader.refuse("duplicate key '" + printable(key) + "'");
      return count();
    }
    // The parser itself says what is wrong there.
    bool parse_error(size_t, const std::string &, const json::exception &) override { return false; }

  private:
    bool count() {
      if (++values > maxValues)
        reader.refuse(format("more than %zu values", maxValues));
      return true;
    }
    bool open() {
      if (keys.size() == maxDepth)
        reader.refuse(format("nested deeper than %zu", maxDepth));
      keys.emplace_back();
      return count();
    }
    bool close() {
      keys.pop_back();
      return count();
    }

    const Reader &reader;
    std::vector<std::set<std::string>> keys; // of the objects that are open
    size_t values = 0;
  };

  const std::string &artifact;
};

/// A value with the path that leads to it, for messages.
class Field {
public:
  Field(const Reader &reader, const json &value, std::string path)
      : reader(reader), value(value), path(std::move(path)) {}

  Field operator[](const char *key) const {
    if (!value.is_object())
      refuse("is no object");
    auto found = value.find(key);
    std::string inner = path.empty() ? key : path + "." + key;
    if (found == value.end())
      reader.refuse("field '" + inner + "' is missing");
    return Field(reader, *found, inner);
  }
  bool has(const char *key) const { return value.is_object() && value.count(key) != 0; }
  std::vector<Field> items() const {
    if (!value.is_array())
      refuse("is no list");
    std::vector<Field> result;
    for (size_t i = 0; i < value.size(); ++i)
      result.emplace_back(reader, value[i], path + format("[%zu]", i));
    return result;
  }
  uint64_t number() const {
    if (!value.is_number_unsigned())
      refuse("is no non-negative integer");
    return value.get<uint64_t>();
  }
  std::string string() const {
    if (!value.is_string())
      refuse("is no string");
    std::string text = value.get<std::string>();
    // Such a string would end early in C, and mean two things.
    if (text.find('\0') != std::string::npos)
      refuse("contains a NUL character");
    return text;
  }
  uint32_t oneOf(const char *const *names, uint32_t count) const {
    std::string text = string(), known;
    for (uint32_t i = 0; i < count; ++i) {
      if (text == names[i])
        return i;
      known += std::string(i ? ", " : "") + names[i];
    }
    refuse("is '" + printable(text) + "'; known: " + known);
  }
  [[noreturn]] void refuse(const std::string &what) const { reader.refuse("field '" + printable(path) + "' " + what); }

private:
  const Reader &reader;
  const json &value;
  std::string path;
};

/// Where a named tensor lies.
struct Place {
  uint64_t segment, begin, end;
  std::string name;
};

/// What is written through one name must not change under another.
void checkApart(const Field &list, std::vector<Place> places) {
  std::sort(places.begin(), places.end(),
            [](const Place &a, const Place &b) { return std::tie(a.segment, a.begin) < std::tie(b.segment, b.begin); });
  places.erase(std::remove_if(places.begin(), places.end(), [](const Place &p) { return p.begin == p.end; }),
               places.end());
  for (size_t i = 1; i < places.size(); ++i)
    if (places[i].segment == places[i - 1].segment && places[i].begin < places[i - 1].end)
      list.refuse("has '" + printable(places[i - 1].name) + "' and '" + printable(places[i].name) +
                  "' at the same bytes");
}

/// A named tensor at a place: a global, an argument or a result.
Place checkTensor(const Field &tensor, const Manifest &manifest, std::set<std::string> &names) {
  std::string name = tensor["name"].string();
  if (!names.insert(name).second)
    tensor.refuse("has the name '" + printable(name) + "' a second time");
  uint32_t dtype = tensor["dtype"].oneOf(dtypeNames, TXRT_DTYPE_I1 + 1);
  uint64_t bytes = dtypeBytes(dtype);
  for (const Field &extent : tensor["shape"].items())
    if (__builtin_mul_overflow(bytes, extent.number(), &bytes))
      tensor.refuse("has a shape whose product is too large");
  if (tensor["bytes"].number() != bytes)
    tensor.refuse(format("has %llu bytes, but its shape and dtype make %llu",
                         static_cast<ull>(tensor["bytes"].number()), static_cast<ull>(bytes)));
  uint32_t segment = tensor["segment"].oneOf(segmentNames, TXRT_SEGMENT_COUNT);
  uint64_t offset = tensor["offset"].number();
  uint64_t size = manifest.segmentBytes[segment];
  if (offset > size || bytes > size - offset)
    tensor.refuse(format("ends outside its segment %s (%llu bytes at %llu of "
                         "%llu)",
                         segmentNames[segment], static_cast<ull>(bytes), static_cast<ull>(offset),
                         static_cast<ull>(size)));
  if (offset % dtypeBytes(dtype) != 0)
    tensor.refuse(format("has offset %llu, not aligned to its dtype", static_cast<ull>(offset)));
  return {segment, offset, offset + bytes, name};
}

} // namespace

Manifest txrt::readManifest(const std::string &artifact, Span text) {
  Reader reader(artifact);
  json root = reader.parse(text);
  Field top(reader, root, "");
  Manifest manifest;

  if (top["format"].string() != "tx-artifact")
    top["format"].refuse("is not 'tx-artifact'");
  if (uint64_t version = top["abi_version"].number(); version != TXRT_ABI_VERSION)
    top["abi_version"].refuse(format("is %llu, this runtime has %u", static_cast<ull>(version), TXRT_ABI_VERSION));
  manifest.backend = top["target"]["backend"].string();
  manifest.triple = top["target"]["triple"].string();
  for (const Field &feature : top["target"]["features"].items())
    manifest.features.push_back(feature.string());

  uint64_t total = 0;
  for (uint32_t s = 0; s < TXRT_SEGMENT_COUNT; ++s) {
    std::string key = std::string(segmentNames[s]) + "_bytes";
    Field size = top["arena"][key.c_str()];
    manifest.segmentBytes[s] = size.number();
    // Otherwise the arena would be larger than the sum, that is, than planned.
    if (size.number() % TXRT_BUFFER_ALIGNMENT != 0)
      size.refuse(format("is %llu, no multiple of %u", static_cast<ull>(size.number()), TXRT_BUFFER_ALIGNMENT));
    if (__builtin_add_overflow(total, size.number(), &total) || total > uint64_t(INT64_MAX))
      size.refuse("makes an arena of 2^63 bytes or more");
  }

  std::set<std::string> names;
  std::vector<Place> globals;
  for (const Field &global : top["globals"].items())
    globals.push_back(checkTensor(global, manifest, names));
  checkApart(top["globals"], std::move(globals));
  std::set<std::string> entryNames;
  for (const Field &entry : top["entries"].items()) {
    std::string name = entry["name"].string();
    if (!entryNames.insert(name).second)
      entry.refuse("has the name '" + printable(name) + "' a second time");
    manifest.entries.push_back(name);
    std::set<std::string> arguments, results;
    std::vector<Place> places;
    for (const Field &argument : entry["arguments"].items())
      places.push_back(checkTensor(argument, manifest, arguments));
    checkApart(entry["arguments"], std::move(places));
    for (const Field &result : entry["results"].items())
      checkTensor(result, manifest, results);
  }
  if (top.has("mesh"))
    for (const Field &axis : top["mesh"].items())
      manifest.mesh.push_back({axis["axis"].string(), axis["size"].number()});
  return manifest;
}
