//===- Safetensors.cpp - Named tensors in one file ----------------------------------------------------------------===//

#include "train/Safetensors.h"
#include "core/Failure.h"
#include "core/Json.h"
#include "core/OutputFile.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace txrt::train {

using nlohmann::json;

// The reference implementation has the same limit.
static constexpr uint64_t maxHeaderBytes = 100u * 1000u * 1000u;
// The largest models have some 100,000 tensors, in many files.
static constexpr size_t maxTensors = size_t(1) << 17;

uint64_t storedElementBytes(const std::string &dtype) {
  static const std::map<std::string, uint64_t> sizes = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"U16", 2}, {"I16", 2}, {"F16", 2},
      {"BF16", 2}, {"U32", 4}, {"I32", 4}, {"F32", 4},     {"U64", 8},     {"I64", 8}, {"F64", 8}};
  auto found = sizes.find(dtype);
  return found == sizes.end() ? 0 : found->second;
}

float halfToFloat(uint16_t bits) {
  int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  if (exponent == 31) {
    uint32_t wide = uint32_t(bits & 0x8000) << 16 | 0x7f800000u | uint32_t(mantissa) << 13;
    float value;
    std::memcpy(&value, &wide, sizeof value);
    return value;
  }
  float value = exponent == 0 ? std::ldexp(float(mantissa), -24) : std::ldexp(float(mantissa + 1024), exponent - 25);
  return bits & 0x8000 ? -value : value;
}

namespace {

/// The checks of one header, each with the field's name in its message.
class HeaderCheck {
public:
  HeaderCheck(const std::string &path, uint64_t dataBytes) : path(printable(path, 200)), dataBytes(dataBytes) {}

  StoredTensor tensor(const std::string &name, const json &value) const {
    StoredTensor result;
    result.name = name;
    std::string where = "tensor '" + printable(name) + "'";
    if (!value.is_object())
      refuse(where + ": is no object");
    for (const auto &item : value.items())
      if (item.key() != "dtype" && item.key() != "shape" && item.key() != "data_offsets")
        refuse(where + ": has the unknown field '" + printable(item.key()) + "'");
    const json &dtype = field(value, "dtype", where);
    if (!dtype.is_string() || !storedElementBytes(dtype.get<std::string>()))
      refuse(where + ": dtype is " + printable(dtype.dump(-1, ' ', true)) + ", which is none of the format's");
    result.dtype = dtype.get<std::string>();

    const json &shape = field(value, "shape", where);
    if (!shape.is_array())
      refuse(where + ": shape is no list");
    result.elements = 1;
    for (const json &size : shape) {
      result.shape.push_back(number(size, where + ": shape"));
      if (__builtin_mul_overflow(result.elements, result.shape.back(), &result.elements))
        refuse(where + ": the product of its shape overflows 64 bits");
    }
    uint64_t needed;
    if (__builtin_mul_overflow(result.elements, storedElementBytes(result.dtype), &needed))
      refuse(where + ": its size in bytes overflows 64 bits");

    const json &offsets = field(value, "data_offsets", where);
    if (!offsets.is_array() || offsets.size() != 2)
      refuse(where + ": data_offsets is no list of two numbers");
    uint64_t begin = number(offsets[0], where + ": data_offsets");
    uint64_t end = number(offsets[1], where + ": data_offsets");
    if (begin > end)
      refuse(where + format(": data_offsets begin at %llu behind their end %llu", (unsigned long long)begin,
                            (unsigned long long)end));
    if (end > dataBytes)
      refuse(where + format(": ends at byte %llu of the data, the file has %llu", (unsigned long long)end,
                            (unsigned long long)dataBytes));
    if (end - begin != needed)
      refuse(where + format(": has %llu bytes, %s %s needs %llu", (unsigned long long)(end - begin),
                            result.dtype.c_str(), shapeText(result.shape).c_str(), (unsigned long long)needed));
    result.offset = begin; // counted from the begin of the data; the caller adds where that starts in the file
    result.bytes = needed;
    return result;
  }

  std::map<std::string, std::string> metadata(const json &value) const {
    std::map<std::string, std::string> result;
    if (!value.is_object())
      refuse("__metadata__ is no object");
    for (const auto &pair : value.items()) {
      if (!pair.value().is_string())
        refuse("__metadata__: '" + printable(pair.key()) + "' is no string");
      result.emplace(pair.key(), pair.value().get<std::string>());
    }
    return result;
  }

  void tiling(const std::map<std::string, StoredTensor> &table) const {
    std::vector<const StoredTensor *> order;
    for (const auto &item : table)
      order.push_back(&item.second);
    std::sort(order.begin(), order.end(), [](const StoredTensor *a, const StoredTensor *b) {
      return std::make_pair(a->offset, a->bytes) < std::make_pair(b->offset, b->bytes);
    });
    uint64_t at = 0;
    for (const StoredTensor *tensor : order) {
      if (tensor->offset != at)
        refuse(format("tensor '%s': begins at byte %llu of the data, %s byte "
                      "%llu",
                      printable(tensor->name).c_str(), (unsigned long long)tensor->offset,
                      tensor->offset < at ? "inside the tensor before it, which ends at" : "leaving a hole from",
                      (unsigned long long)at));
      at += tensor->bytes;
    }
    if (at != dataBytes)
      refuse(format("its tensors end at byte %llu of the data, the file has "
                    "%llu",
                    (unsigned long long)at, (unsigned long long)dataBytes));
  }

  [[noreturn]] void refuse(const std::string &reason) const {
    fail(TXRT_BAD_INPUT, "%s: %s", path.c_str(), reason.c_str());
  }

private:
  const json &field(const json &object, const char *name, const std::string &where) const {
    auto found = object.find(name);
    if (found == object.end())
      refuse(where + ": has no field '" + name + "'");
    return *found;
  }

  uint64_t number(const json &value, const std::string &where) const {
    if (!value.is_number_unsigned())
      refuse(where + ": " + printable(value.dump(-1, ' ', true)) + " is no number of 64 bits without sign");
    return value.get<uint64_t>();
  }

  std::string path;
  uint64_t dataBytes;
};

} // namespace

SafetensorsReader::SafetensorsReader(const std::string &path) : file(path) {
  std::string shown = printable(path, 200);
  if (file.size() < 8)
    fail(TXRT_BAD_INPUT,
         "%s: is no safetensors file: %llu bytes, the header's length alone "
         "takes 8",
         shown.c_str(), (unsigned long long)file.size());
  unsigned char prefix[8];
  file.readAt(0, prefix, 8);
  uint64_t length = 0;
  for (int i = 7; i >= 0; --i)
    length = length << 8 | prefix[i];
  if (length > maxHeaderBytes)
    fail(TXRT_BAD_INPUT,
         "%s: is no safetensors file: its header would take %llu bytes, the "
         "format allows %llu",
         shown.c_str(), (unsigned long long)length, (unsigned long long)maxHeaderBytes);
  if (length > file.size() - 8)
    fail(TXRT_BAD_INPUT, "%s: is cut off: its header takes %llu bytes, the file has %llu", shown.c_str(),
         (unsigned long long)length, (unsigned long long)(file.size() - 8));
  std::string header(length, '\0');
  file.readAt(8, &header[0], length);
  if (header.empty() || header[0] != '{')
    fail(TXRT_BAD_INPUT, "%s: is no safetensors file: its header does not begin with '{'", shown.c_str());
  HeaderCheck check(path, file.size() - 8 - length);
  auto member = [&](const std::string &key, const json &value) {
    if (key == "__metadata__")
      extra = check.metadata(value);
    else
      table.emplace(key, check.tensor(key, value));
  };
  parseJsonMembers(header.data(), header.data() + header.size(), shown + ": header", maxTensors, member);
  check.tiling(table);
  for (auto &item : table)
    item.second.offset += 8 + length;
}

const StoredTensor *SafetensorsReader::find(const std::string &name) const {
  auto found = table.find(name);
  return found == table.end() ? nullptr : &found->second;
}

void SafetensorsReader::readRaw(const StoredTensor &tensor, uint64_t at, uint64_t bytes, void *to) const {
  file.readAt(tensor.offset + at, to, bytes);
}

void SafetensorsReader::readF32(const StoredTensor &tensor, uint64_t first, uint64_t count, float *to) const {
  if (tensor.dtype == "F32")
    return readRaw(tensor, first * 4, count * 4, to);
  if (tensor.dtype != "F16" && tensor.dtype != "BF16")
    fail(TXRT_BAD_INPUT, "%s: tensor '%s': dtype %s cannot become f32; F32, F16 and BF16 can",
         printable(path(), 200).c_str(), printable(tensor.name).c_str(), tensor.dtype.c_str());
  auto convert = tensor.dtype == "F16" ? halfToFloat : txrt_bf16_to_f32;
  std::vector<uint16_t> narrow(static_cast<size_t>(std::min<uint64_t>(count, 1u << 20)));
  for (uint64_t done = 0; done < count;) {
    uint64_t part = std::min<uint64_t>(narrow.size(), count - done);
    readRaw(tensor, (first + done) * 2, part * 2, narrow.data());
    std::transform(narrow.begin(), narrow.begin() + part, to + done, convert);
    done += part;
  }
}

void SafetensorsWriter::add(const std::string &name, const std::string &dtype, const std::vector<uint64_t> &shape,
                            uint64_t bytes, Source source) {
  entries.push_back({name, dtype, shape, bytes, std::move(source)});
}

void SafetensorsWriter::add(const std::string &name, const std::string &dtype, const std::vector<uint64_t> &shape,
                            const void *data, uint64_t bytes) {
  add(name, dtype, shape, bytes,
      [data](uint64_t at, uint64_t count, void *to) { std::memcpy(to, static_cast<const char *>(data) + at, count); });
}

void SafetensorsWriter::setMetadata(const std::string &key, const std::string &value) { metadata[key] = value; }

std::string SafetensorsWriter::begin() const {
  // The header is written by hand, with the tensors in the order of add(), which is also the order of the data. The
  // reference implementation reads keys in any order.
  std::string header = "{\"__metadata__\":" + json(metadata).dump();
  uint64_t at = 0;
  for (const Entry &entry : entries) {
    json value = {{"dtype", entry.dtype}, {"shape", entry.shape}, {"data_offsets", {at, at + entry.bytes}}};
    header += "," + json(entry.name).dump() + ":" + value.dump();
    at += entry.bytes;
  }
  header += "}";
  // Spaces at the end of the header align the data to a multiple of 8 bytes, as in the reference implementation.
  header.append((8 - header.size() % 8) % 8, ' ');
  std::string prefix(8, '\0');
  for (int i = 0; i < 8; ++i)
    prefix[static_cast<size_t>(i)] = static_cast<char>(uint64_t(header.size()) >> (8 * i));
  return prefix + header;
}

uint64_t SafetensorsWriter::dataBytes() const {
  uint64_t bytes = 0;
  for (const Entry &entry : entries)
    bytes += entry.bytes;
  return bytes;
}

std::vector<std::string> SafetensorsWriter::names() const {
  std::vector<std::string> result;
  for (const Entry &entry : entries)
    result.push_back(entry.name);
  return result;
}

void SafetensorsWriter::write(const Sink &put) const {
  const std::string first = begin();
  put(first.data(), first.size());
  std::vector<char> part(1u << 20);
  for (const Entry &entry : entries)
    for (uint64_t at = 0; at < entry.bytes; at += part.size()) {
      uint64_t bytes = std::min<uint64_t>(part.size(), entry.bytes - at);
      entry.source(at, bytes, part.data());
      put(part.data(), bytes);
    }
}

void SafetensorsWriter::write(const std::string &path) const {
  AtomicFile file(path);
  write([&](const void *from, size_t bytes) { file.write(from, bytes); });
  file.commit();
}

} // namespace txrt::train
