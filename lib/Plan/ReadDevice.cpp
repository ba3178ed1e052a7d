//===- ReadDevice.cpp - Machines from JSON ------------------------------------------------------------------------===//
//
// Reading is strict: a key that is not known, or not there, is an error that names its place in the file. A misspelt
// key would else change a plan in silence.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Plan/Device.h"

#include "tx/Support/InputLimits.h"
#include "tx/Support/UserError.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"

#include <cmath>

using namespace tx;
using namespace tx::plan;
using llvm::StringRef;
namespace json = llvm::json;

namespace {

/// The types that rates are given for. Other types take the rates of f32.
constexpr ElementType kRateTypes[] = {ElementType::F32, ElementType::BF16, ElementType::F16};
constexpr StringRef kCollectives[] = {"all_reduce", "all_gather", "reduce_scatter", "all_to_all",
                                      "broadcast",  "reduce",     "send_recv"};

/// Walks over a file's values. After the first fault it reads on, gives zeros, and keeps that fault.
class Reader {
public:
  explicit Reader(StringRef file) : file(file) {}

  llvm::Error takeFault() { return fault.empty() ? llvm::Error::success() : badInput(file + ": " + fault); }

  void refuse(const llvm::Twine &text) {
    if (fault.empty())
      fault = text.str();
  }

  /// The object at `path`, with none but these keys; those that end in `?` may be missing.
  const json::Object *object(const json::Value *value, const std::string &path, llvm::ArrayRef<StringRef> keys) {
    const json::Object *object = value ? value->getAsObject() : nullptr;
    if (!object) {
      wrongType(value, path, "an object");
      return nullptr;
    }
    llvm::SmallVector<StringRef> names;
    for (StringRef key : keys) {
      names.push_back(key.rtrim('?'));
      if (!key.ends_with("?") && !object->get(key))
        refuse(join(path, key) + " is missing");
    }
    for (const auto &[key, member] : *object)
      if (!llvm::is_contained(names, StringRef(key)))
        refuse(join(path, StringRef(key)) + " is unknown; known there: " + llvm::join(names, ", "));
    return object;
  }

  /// Calls `read(value, path)` for each value of the array.
  template <typename Read> void array(const json::Value *value, const std::string &path, Read read) {
    const json::Array *array = value ? value->getAsArray() : nullptr;
    if (!array)
      return wrongType(value, path, "an array");
    for (auto [index, each] : llvm::enumerate(*array))
      read(each, path + "[" + std::to_string(index) + "]");
  }

  std::string text(const json::Value *value, const std::string &path) {
    std::optional<StringRef> text = value ? value->getAsString() : std::nullopt;
    if (!text || text->empty())
      wrongType(value, path, "a text that is not empty");
    return text.value_or("").str();
  }

  double number(const json::Value *value, const std::string &path, bool mayBeZero = false) {
    std::optional<double> number = value ? value->getAsNumber() : std::nullopt;
    if (!number)
      wrongType(value, path, "a number");
    else if (!std::isfinite(*number) || *number < 0 || (*number == 0 && !mayBeZero))
      refuse(path + " is " + show(*number) + "; it must be " + (mayBeZero ? "at least 0" : "above 0") + " and finite");
    else
      return *number;
    return 1;
  }

  int64_t integer(const json::Value *value, const std::string &path, int64_t least = 1) {
    std::optional<int64_t> number = value ? value->getAsInteger() : std::nullopt;
    if (!number)
      wrongType(value, path, "a whole number");
    else if (*number < least)
      refuse(path + " is " + std::to_string(*number) + "; it must be at least " + std::to_string(least));
    return number.value_or(least);
  }

  bool boolean(const json::Value *value, const std::string &path) {
    std::optional<bool> boolean = value ? value->getAsBoolean() : std::nullopt;
    if (!boolean)
      wrongType(value, path, "true or false");
    return boolean.value_or(false);
  }

  static std::string join(const std::string &path, StringRef key) {
    return path.empty() ? key.str() : path + "." + key.str();
  }

private:
  /// A value that is missing was refused where its object was read.
  void wrongType(const json::Value *value, const std::string &path, StringRef expected) {
    if (!value)
      return;
    std::string shown = llvm::formatv("{0}", *value);
    if (shown.size() > 40)
      shown = shown.substr(0, 40) + "…";
    refuse((path.empty() ? "it" : path) + " is " + shown + "; it must be " + expected);
  }

  const std::string file;
  std::string fault;
};

/// Reads the parts of a device.
class DeviceReader {
public:
  explicit DeviceReader(StringRef file) : reader(file) {}

  llvm::Expected<Device> run(const json::Value &root) {
    const json::Object *top = reader.object(
        &root, "",
        {"name", "description?", "matrix", "tiles?", "vector", "memory", "launch", "links", "outside", "measured?"});
    if (!top)
      return reader.takeFault();
    device.name = reader.text(top->get("name"), "name");
    readTypedRates(top->get("matrix"), "matrix", "flops_per_second", device.matrix);
    readTypedRates(top->get("vector"), "vector", "flops_per_second", device.vector);
    device.tilesForward = device.tilesBackward = device.matrix;
    if (const json::Value *tiles = top->get("tiles"))
      readTiles(tiles);
    readMemory(top->get("memory"));
    if (const json::Object *launch = reader.object(top->get("launch"), "launch", {"seconds", "source"})) {
      device.launchSeconds = reader.number(launch->get("seconds"), "launch.seconds", /*mayBeZero=*/true);
      reader.text(launch->get("source"), "launch.source");
    }
    readLinks(top->get("links"));
    readOutside(top->get("outside"));
    if (const json::Value *measured = top->get("measured"))
      readMeasured(measured);
    if (llvm::Error error = reader.takeFault())
      return std::move(error);
    return std::move(device);
  }

private:
  Rate readRate(const json::Object &object, const std::string &path, StringRef key) {
    Rate rate;
    rate.perSecond = reader.number(object.get(key), Reader::join(path, key));
    readEfficiency(object.get("efficiency"), path + ".efficiency", rate);
    reader.text(object.get("source"), path + ".source");
    return rate;
  }

  /// One share for all sizes, or a table of [size, share].
  void readEfficiency(const json::Value *value, const std::string &path, Rate &rate) {
    auto readShare = [&](const json::Value *share, const std::string &path) {
      double number = reader.number(share, path);
      if (number > 1)
        reader.refuse(path + " is " + show(number) + "; a share is at most 1");
      return number;
    };
    if (value && value->getAsNumber()) {
      rate.efficiency = {{1, readShare(value, path)}};
      return;
    }
    reader.array(value, path, [&](const json::Value &each, const std::string &path) {
      const json::Array *pair = each.getAsArray();
      if (!pair || pair->size() != 2)
        return reader.refuse(path + " must be a pair, [size, share]");
      rate.efficiency.push_back({reader.number(&(*pair)[0], path + "[0]"), readShare(&(*pair)[1], path + "[1]")});
      checkOrder(rate, path);
    });
  }

  /// The last point against the one before it.
  void checkOrder(const Rate &rate, const std::string &path) {
    if (rate.efficiency.size() < 2)
      return;
    auto [size, share] = rate.efficiency.back();
    auto [sizeBefore, shareBefore] = rate.efficiency[rate.efficiency.size() - 2];
    if (size <= sizeBefore)
      reader.refuse(path + "[0] is " + show(size) + " after " + show(sizeBefore) + "; sizes must ascend");
    else if (share * sizeBefore > shareBefore * size)
      reader.refuse(path + "[1] is " + show(share) +
                    ": it grows faster than the size, so that more work would take "
                    "less time; at most " +
                    show(shareBefore * size / sizeBefore) + " would do");
  }

  void readTypedRates(const json::Value *value, const std::string &path, StringRef key, TypedRates &rates) {
    llvm::SmallVector<StringRef> names = {"f32"};
    std::vector<std::string> others;
    for (ElementType type : kRateTypes)
      if (type != ElementType::F32)
        others.push_back(stringify(type).str() + "?");
    names.append(others.begin(), others.end());
    const json::Object *object = reader.object(value, path, names);
    for (ElementType type : kRateTypes)
      if (const json::Value *rate = object ? object->get(stringify(type)) : nullptr) {
        std::string place = path + "." + stringify(type).str();
        if (const json::Object *members = reader.object(rate, place, {key, "efficiency", "source"}))
          rates.set(type, readRate(*members, place, key));
      }
  }

  void readTiles(const json::Value *value) {
    const json::Object *object = reader.object(value, "tiles", {"forward", "backward"});
    if (!object)
      return;
    device.tilesForward = device.tilesBackward = {};
    readTypedRates(object->get("forward"), "tiles.forward", "flops_per_second", device.tilesForward);
    readTypedRates(object->get("backward"), "tiles.backward", "flops_per_second", device.tilesBackward);
  }

  void readMemory(const json::Value *value) {
    reader.array(value, "memory", [&](const json::Value &each, const std::string &path) {
      const json::Object *object =
          reader.object(&each, path, {"name", "bytes", "bytes_per_second", "efficiency", "source"});
      if (!object)
        return;
      MemoryLevel level;
      level.name = reader.text(object->get("name"), path + ".name");
      level.bytes = reader.integer(object->get("bytes"), path + ".bytes");
      level.rate = readRate(*object, path, "bytes_per_second");
      if (!device.memory.empty())
        checkNextLevel(device.memory.back(), level, path);
      device.memory.push_back(std::move(level));
    });
    if (value && device.memory.empty())
      reader.refuse("memory is empty; its last level is the device's memory");
  }

  void checkNextLevel(const MemoryLevel &before, const MemoryLevel &level, const std::string &path) {
    if (level.bytes <= before.bytes)
      return reader.refuse(path + ".bytes is " + std::to_string(level.bytes) + " after " +
                           std::to_string(before.bytes) + "; levels ascend from the smallest cache to the memory");
    double bytes = before.bytes;
    if (level.rate.secondsOf(bytes) < before.rate.secondsOf(bytes))
      reader.refuse(path + ".bytes_per_second: the level moves " + std::to_string(before.bytes) +
                    " bytes faster than " + before.name + ", the smaller one");
  }

  void readLinks(const json::Value *value) {
    reader.array(value, "links", [&](const json::Value &each, const std::string &path) {
      const json::Object *object = reader.object(
          &each, path, {"name", "ranks", "latency_seconds", "bytes_per_second", "efficiency", "factors?", "source"});
      if (!object)
        return;
      Link link;
      link.name = reader.text(object->get("name"), path + ".name");
      link.ranks = reader.integer(object->get("ranks"), path + ".ranks", /*least=*/2);
      link.latencySeconds = reader.number(object->get("latency_seconds"), path + ".latency_seconds", true);
      link.rate = readRate(*object, path, "bytes_per_second");
      if (const json::Value *factors = object->get("factors"))
        readFactors(factors, path + ".factors", link);
      if (!device.links.empty() && link.ranks <= device.links.back().ranks)
        reader.refuse(path + ".ranks is " + std::to_string(link.ranks) + " after " +
                      std::to_string(device.links.back().ranks) + "; links ascend");
      device.links.push_back(std::move(link));
    });
  }

  void readFactors(const json::Value *value, const std::string &path, Link &link) {
    llvm::SmallVector<std::string> names;
    for (StringRef name : kCollectives)
      names.push_back(name.str() + "?");
    const json::Object *object = reader.object(value, path, llvm::SmallVector<StringRef>(names.begin(), names.end()));
    if (!object)
      return;
    for (const auto &[name, factor] : *object)
      link.factors[StringRef(name).str()] = reader.number(&factor, path + "." + StringRef(name).str());
  }

  void readOutside(const json::Value *value) {
    reader.array(value, "outside", [&](const json::Value &each, const std::string &path) {
      const json::Object *object = reader.object(&each, path, {"name", "for", "bytes", "source"});
      if (!object)
        return;
      OutsideMemory row;
      row.name = reader.text(object->get("name"), path + ".name");
      std::string taker = reader.text(object->get("for"), path + ".for");
      if (taker != "process" && taker != "communicator")
        reader.refuse(path + ".for is '" + taker + "'; it must be process or communicator");
      row.isOfCommunicator = taker == "communicator";
      row.bytes = reader.integer(object->get("bytes"), path + ".bytes", /*least=*/0);
      row.source = reader.text(object->get("source"), path + ".source");
      device.outside.push_back(std::move(row));
    });
  }

  void readMeasured(const json::Value *value) {
    const json::Object *object = reader.object(value, "measured", {"machine", "products", "kernels"});
    if (!object)
      return;
    reader.text(object->get("machine"), "measured.machine");
    reader.array(object->get("products"), "measured.products",
                 [&](const json::Value &each, const std::string &path) { readProduct(each, path); });
    reader.array(object->get("kernels"), "measured.kernels",
                 [&](const json::Value &each, const std::string &path) { readKernel(each, path); });
  }

  void readProduct(const json::Value &value, const std::string &path) {
    const json::Object *object =
        reader.object(&value, path, {"dtype", "transpose_a", "transpose_b", "m", "n", "k", "batch", "seconds"});
    if (!object)
      return;
    ProductKind kind = {ElementType::F32, reader.boolean(object->get("transpose_a"), path + ".transpose_a"),
                        reader.boolean(object->get("transpose_b"), path + ".transpose_b"), false};
    std::string dtype = reader.text(object->get("dtype"), path + ".dtype");
    const ElementType *type = llvm::find_if(kRateTypes, [&](ElementType each) { return stringify(each) == dtype; });
    if (type == std::end(kRateTypes))
      return reader.refuse(path + ".dtype is '" + dtype + "'; it must be one of " +
                           llvm::join(llvm::map_range(kRateTypes, stringify), ", "));
    kind.type = *type;
    Samples::Sizes sizes;
    for (auto [index, key] : llvm::enumerate(std::initializer_list<StringRef>{"m", "n", "k", "batch"}))
      sizes[index] = static_cast<double>(reader.integer(object->get(key), Reader::join(path, key)));
    kind.isBatch = sizes[3] > 1;
    double seconds = reader.number(object->get("seconds"), path + ".seconds");
    addOnce(device.products[kind], sizes, 2 * sizes[0] * sizes[1] * sizes[2] * sizes[3], seconds, path);
  }

  void readKernel(const json::Value &value, const std::string &path) {
    const json::Object *object = reader.object(&value, path, {"kind", "flops", "buffers", "bytes", "seconds"});
    if (!object)
      return;
    std::string kind = reader.text(object->get("kind"), path + ".kind");
    int64_t flops = reader.integer(object->get("flops"), path + ".flops", /*least=*/0);
    int64_t buffers = reader.integer(object->get("buffers"), path + ".buffers");
    int64_t bytes = reader.integer(object->get("bytes"), path + ".bytes", /*least=*/0);
    double seconds = reader.number(object->get("seconds"), path + ".seconds");
    if (flops == 0 && bytes == 0)
      reader.refuse(path + " has neither FLOPs nor bytes; leave it out");
    double amount = static_cast<double>(flops > 0 ? flops : bytes);
    addOnce(device.kernels[kind], {amount, static_cast<double>(buffers), 1, 1}, amount, seconds, path);
  }

  void addOnce(Samples &samples, const Samples::Sizes &sizes, double amount, double seconds, const std::string &path) {
    if (samples.find(sizes))
      return reader.refuse(path + " is there twice: another entry has its kind and sizes; leave one out");
    samples.add(sizes, amount, seconds);
  }

  Reader reader;
  Device device;
};

struct Preset {
  StringRef name, text;
};

constexpr Preset kPresets[] = {
#define TX_DEVICE(NAME, TEXT) {NAME, TEXT},
#include "tx/Plan/Devices.def"
};

} // namespace

llvm::Expected<Device> tx::plan::parseDevice(StringRef text, StringRef file) {
  if (llvm::Error error = checkJsonLimits(text, file))
    return std::move(error);
  llvm::Expected<json::Value> root = json::parse(text);
  if (!root)
    return badInput(file + ": " + llvm::toString(root.takeError()));
  return DeviceReader(file).run(*root);
}

std::vector<StringRef> tx::plan::getDeviceNames() {
  std::vector<StringRef> names;
  for (const Preset &preset : kPresets)
    names.push_back(preset.name);
  return names;
}

llvm::Expected<Device> tx::plan::findDevice(StringRef nameOrFile) {
  for (const Preset &preset : kPresets)
    if (preset.name == nameOrFile)
      return parseDevice(preset.text, preset.name);
  if (!nameOrFile.ends_with(".json"))
    return badUsage("device '" + nameOrFile + "' is not known; known: " + llvm::join(getDeviceNames(), ", ") +
                    ", or a file whose name ends in .json");
  constexpr uint64_t kMostBytes = 16 << 20;
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> file = readRegularFile(nameOrFile, kMostBytes);
  if (!file)
    return file.takeError();
  return parseDevice((*file)->getBuffer(), nameOrFile);
}
