//===- Function.cpp - One entry on arrays from files --------------------------------------------------------------===//

#include "Function.h"
#include "Error.h"
#include "Npy.h"
#include "train/Safetensors.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

namespace txrun {

static bool endsWith(const std::string &text, const char *end) {
  size_t length = std::strlen(end);
  return text.size() >= length && text.compare(text.size() - length, length, end) == 0;
}

std::optional<double> numberOf(const std::string &value) {
  double number = 0;
  const char *end = value.data() + value.size();
  auto parsed = std::from_chars(value.data(), end, number);
  // A number that is too large for a double is still a number and no file; it then fits no argument.
  if (parsed.ec == std::errc::result_out_of_range && parsed.ptr == end)
    return std::numeric_limits<double>::max();
  if (parsed.ec != std::errc() || parsed.ptr != end)
    return std::nullopt;
  return number;
}

/// Whether elements of the type can hold the number. Floats can hold NaN and Inf.
static bool fits(txrt_dtype dtype, double value) {
  const bool isFinite = std::isfinite(value);
  switch (dtype) {
  case TXRT_DTYPE_F32:
    return !isFinite || std::fabs(value) <= std::numeric_limits<float>::max();
  case TXRT_DTYPE_BF16:
    return !isFinite || (std::fabs(value) <= std::numeric_limits<float>::max() &&
                         std::isfinite(txrt_bf16_to_f32(txrt_bf16_from_f32(static_cast<float>(value)))));
  case TXRT_DTYPE_I32:
    return std::trunc(value) == value && value >= -2147483648.0 && value <= 2147483647.0;
  case TXRT_DTYPE_I1:
    return value == 0 || value == 1;
  case TXRT_DTYPE_BYTE:
    return false;
  }
  return false;
}

/// Fills an argument with one number that its type can hold.
static void fillWith(const Model &model, const TensorSpec &tensor, double value) {
  if (!fits(tensor.dtype, value))
    fail(TXRT_BAD_INPUT, "--input: %g does not fit '%s', which is %s", value, printable(tensor.name).c_str(),
         dtypeName(tensor.dtype));
  std::vector<char> data(tensor.bytes);
  for (uint64_t i = 0; i < tensor.elements(); ++i) {
    char *at = data.data() + i * dtypeBytes(tensor.dtype);
    if (tensor.dtype == TXRT_DTYPE_F32) {
      float narrow = static_cast<float>(value);
      std::memcpy(at, &narrow, 4);
    } else if (tensor.dtype == TXRT_DTYPE_BF16) {
      uint16_t narrow = txrt_bf16_from_f32(static_cast<float>(value));
      std::memcpy(at, &narrow, 2);
    } else if (tensor.dtype == TXRT_DTYPE_I32) {
      int32_t narrow = static_cast<int32_t>(value);
      std::memcpy(at, &narrow, 4);
    } else {
      *at = value != 0;
    }
  }
  model.write(tensor, 0, data.size(), data.data());
}

static NpyArray readStored(const std::string &path, const std::string &name) {
  SafetensorsReader reader(path);
  const StoredTensor *stored = reader.find(name);
  if (!stored)
    fail(TXRT_BAD_INPUT, "%s: has no tensor '%s'", printable(path, 200).c_str(), printable(name).c_str());
  NpyArray array;
  array.shape = stored->shape;
  if (stored->dtype == "I32") {
    array.dtype = TXRT_DTYPE_I32;
  } else if (stored->dtype == "BOOL") {
    array.dtype = TXRT_DTYPE_I1;
  } else {
    array.data.resize(stored->elements * 4);
    reader.readF32(*stored, reinterpret_cast<float *>(array.data.data()));
    return array;
  }
  array.data.resize(stored->bytes);
  reader.readRaw(*stored, array.data.data());
  return array;
}

/// Rounds f32 elements to bf16.
static std::vector<unsigned char> rounded(const std::vector<unsigned char> &wide) {
  std::vector<unsigned char> narrow(wide.size() / 2);
  for (size_t i = 0; i < wide.size() / 4; ++i) {
    float value;
    std::memcpy(&value, &wide[i * 4], 4);
    uint16_t bits = txrt_bf16_from_f32(value);
    std::memcpy(&narrow[i * 2], &bits, 2);
  }
  return narrow;
}

static void setInput(const Model &model, const TensorSpec &tensor, const std::string &value) {
  if (std::optional<double> number = numberOf(value))
    return fillWith(model, tensor, *number);
  NpyArray array = endsWith(value, ".safetensors") ? readStored(value, tensor.name) : readNpy(value);
  const bool isRounded = array.dtype == TXRT_DTYPE_F32 && tensor.dtype == TXRT_DTYPE_BF16;
  if ((array.dtype != tensor.dtype && !isRounded) || array.shape != tensor.shape)
    fail(TXRT_BAD_INPUT, "%s: is %s %s, '%s' is %s %s", printable(value, 200).c_str(), dtypeName(array.dtype),
         shapeText(array.shape).c_str(), printable(tensor.name).c_str(), dtypeName(tensor.dtype),
         shapeText(tensor.shape).c_str());
  if (isRounded) // NumPy has no bf16
    array.data = rounded(array.data);
  model.write(tensor, 0, array.data.size(), array.data.data());
}

/// Throws if a token id is out of range: a kernel would read outside of its table. Checks the ids of any entry.
static void checkIds(const Model &model, const EntrySpec &entry) {
  for (const TensorSpec &tensor : entry.arguments) {
    if (tensor.dtype != TXRT_DTYPE_I32 || !tensor.ids.isSet)
      continue;
    std::vector<int32_t> ids(tensor.elements());
    model.read(tensor, 0, tensor.bytes, ids.data());
    std::string except;
    if (tensor.ids.ignored)
      except = format(", or %d, which is ignored", *tensor.ids.ignored);
    for (uint64_t i = 0; i < tensor.elements(); ++i)
      if (!tensor.ids.holds(ids[i]))
        fail(TXRT_BAD_INPUT,
             "'%s' has %d at index %llu; its ids must be at least 0 and below "
             "%llu%s",
             printable(tensor.name).c_str(), ids[i], (unsigned long long)i, (unsigned long long)tensor.ids.below,
             except.c_str());
  }
}

/// Reads an f32 or bf16 element.
static float elementAt(txrt_dtype dtype, const void *at) {
  if (dtype == TXRT_DTYPE_BF16) {
    uint16_t bits;
    std::memcpy(&bits, at, 2);
    return txrt_bf16_to_f32(bits);
  }
  float value;
  std::memcpy(&value, at, 4);
  return value;
}

static void writeOutput(const Model &model, const TensorSpec &tensor, const std::string &path) {
  std::vector<unsigned char> bytes(tensor.bytes);
  model.read(tensor, 0, tensor.bytes, bytes.data());
  NpyArray array;
  array.shape = tensor.shape;
  array.dtype = tensor.dtype;
  if (tensor.dtype == TXRT_DTYPE_BF16) {
    // NumPy has no bf16; f32 holds every value of it.
    array.dtype = TXRT_DTYPE_F32;
    array.data.resize(tensor.elements() * 4);
    for (uint64_t i = 0; i < tensor.elements(); ++i) {
      float wide = elementAt(tensor.dtype, &bytes[i * 2]);
      std::memcpy(array.data.data() + i * 4, &wide, 4);
    }
  } else {
    array.data.assign(bytes.begin(), bytes.end());
  }
  writeNpy(path, array);
}

static std::string list(const std::vector<TensorSpec> &tensors) {
  std::string text;
  for (const TensorSpec &tensor : tensors)
    text +=
        (text.empty() ? "" : ", ") + printable(tensor.name) + " " + dtypeName(tensor.dtype) + shapeText(tensor.shape);
  return text.empty() ? "none" : text;
}

void runFunction(const Model &model, const std::string &entryName, const std::vector<NameAndFile> &inputs,
                 const std::vector<NameAndFile> &outputs, Console &console) {
  Entry entry = model.entry(entryName);
  const EntrySpec &spec = entry.specification();
  std::set<std::string> given;
  for (const NameAndFile &input : inputs) {
    const TensorSpec *tensor = spec.argument(input.first);
    if (!tensor)
      tensor = model.manifest().findGlobal(input.first);
    if (!tensor)
      fail(TXRT_BAD_INPUT, "--input: entry '%s' has no argument '%s'; it takes: %s", printable(entryName).c_str(),
           printable(input.first).c_str(), list(spec.arguments).c_str());
    setInput(model, *tensor, input.second);
    given.insert(input.first);
  }
  for (const TensorSpec &tensor : spec.arguments)
    if (!given.count(tensor.name))
      fail(TXRT_BAD_INPUT, "--input %s=... is missing; entry '%s' takes: %s", printable(tensor.name).c_str(),
           printable(entryName).c_str(), list(spec.arguments).c_str());
  std::vector<std::pair<const TensorSpec *, std::string>> targets;
  for (const NameAndFile &output : outputs) {
    const TensorSpec *tensor = spec.result(output.first);
    if (!tensor)
      tensor = model.manifest().findGlobal(output.first);
    if (!tensor)
      fail(TXRT_BAD_INPUT, "--output: entry '%s' has no result '%s'; it gives: %s", printable(entryName).c_str(),
           printable(output.first).c_str(), list(spec.results).c_str());
    targets.emplace_back(tensor, output.second);
  }
  checkIds(model, spec);
  entry.run();
  for (const TensorSpec &tensor : spec.results)
    if (tensor.elements() == 1 && (tensor.dtype == TXRT_DTYPE_F32 || tensor.dtype == TXRT_DTYPE_BF16)) {
      char element[4];
      model.read(tensor, 0, tensor.bytes, element);
      console.line(format("%s = %.9g", printable(tensor.name).c_str(), shown(elementAt(tensor.dtype, element))));
    }
  for (const auto &target : targets)
    writeOutput(model, *target.first, target.second);
}

} // namespace txrun
