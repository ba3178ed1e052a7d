//===- DeviceFile.cpp - A machine's times as a file for tx-compile's --device -------------------------------------===//

#include "DeviceFile.h"
#include "Bench.h"
#include "Error.h"
#include "core/File.h"
#include "core/Json.h"
#include "core/OutputFile.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <unistd.h>

namespace txrun {

using Json = nlohmann::ordered_json;
using Points = std::vector<std::pair<double, double>>; // size, rate

//===--------------------------------------------------------------------------------------------------------------===//
// Times of launches
//===--------------------------------------------------------------------------------------------------------------===//

/// What a plan calls the kernel `row7_layer_norm`: `row layer_norm`; with `bf16` behind it if it touches such a tensor.
static std::string kernelKind(const txrt_launch_info &info) {
  const std::string symbol = info.kernel;
  const size_t number = symbol.find_first_of("0123456789");
  const size_t op = symbol.find('_', number);
  if (number == std::string::npos || op == std::string::npos)
    return "";
  std::string kind = symbol.substr(0, number) + " " + symbol.substr(op + 1);
  kind.erase(kind.find_last_not_of('_') + 1); // an entry had this name
  return info.dtype == TXRT_DTYPE_BF16 ? kind + " bf16" : kind;
}

void DeviceTimes::add(const std::vector<txrt_launch_info> &launches) {
  const txrt_launch_info *before = nullptr;
  for (const txrt_launch_info &info : launches) {
    if (info.kind == TXRT_LAUNCH_COLLECTIVE || !info.runs)
      continue;
    if (before)
      gaps.push_back(std::max(0.0, info.last_start - before->last_start - before->last_seconds));
    before = &info;
    const double seconds = info.seconds / double(info.runs);
    if (!(seconds > 0))
      continue;
    if (info.kind == TXRT_LAUNCH_GEMM) {
      products[{txrt_dtype_name(info.dtype), info.transpose_a != 0, info.transpose_b != 0, info.gemm[0], info.gemm[1],
                info.gemm[2], info.batch}]
          .push_back(seconds);
    } else if (const std::string kind = kernelKind(info); !kind.empty() && (info.flops || info.bytes)) {
      Kernel &kernel = kernels[{kind, info.flops, info.buffers}];
      kernel.bytes = std::max(kernel.bytes, info.bytes);
      kernel.seconds.push_back(seconds);
    }
  }
}

/// Adds what the old file has of shapes that were not measured now.
static void addOld(DeviceTimes &times, const Machine &machine, const std::string &path) {
  constexpr uint64_t mostBytes = 16 << 20;
  const std::vector<uint8_t> bytes = readFile(path, mostBytes);
  const char *text = reinterpret_cast<const char *>(bytes.data());
  const std::string what = printable(path, 200);
  const nlohmann::json root = parseJson(text, text + bytes.size(), what);
  const JsonField measured = JsonField(root, what)["measured"];
  const std::string old = measured["machine"].string();
  if (old != machine.description)
    fail(TXRT_BAD_INPUT, "%s: --merge-device: it was measured on '%s', and this is '%s'; name another file",
         what.c_str(), printable(old, 200).c_str(), machine.description.c_str());
  for (const JsonField &product : measured["products"].items()) {
    auto &seconds =
        times
            .products[{product["dtype"].string(), product["transpose_a"].boolean(), product["transpose_b"].boolean(),
                       product["m"].number(), product["n"].number(), product["k"].number(), product["batch"].number()}];
    if (seconds.empty())
      seconds.push_back(product["seconds"].real());
  }
  for (const JsonField &kernel : measured["kernels"].items()) {
    auto &known = times.kernels[{kernel["kind"].string(), kernel["flops"].number(), kernel["buffers"].number()}];
    if (known.seconds.empty())
      known = {kernel["bytes"].number(), {kernel["seconds"].real()}};
  }
}

//===--------------------------------------------------------------------------------------------------------------===//
// Rates
//===--------------------------------------------------------------------------------------------------------------===//

static double sixDigits(double value) {
  if (!(value > 0))
    return 0;
  const double scale = std::pow(10.0, 5 - std::floor(std::log10(value)));
  return std::round(value * scale) / scale;
}

/// The best rate of each size, as a rate with shares of it. One size stands for those up to four times as large.
static Json rateOf(Points points, const char *key, const std::string &source) {
  std::sort(points.begin(), points.end());
  Points best;
  for (const auto &[size, rate] : points)
    if (best.empty() || size >= 4 * best.back().first)
      best.push_back({size, rate});
    else
      best.back().second = std::max(best.back().second, rate);
  double most = 0;
  for (const auto &point : best)
    most = std::max(most, point.second);
  Json shares = Json::array();
  double sizeBefore = 0, shareBefore = 0;
  for (const auto &[size, rate] : best) {
    double share = rate / most;
    if (sizeBefore > 0) // more work never takes less time; the margin is for the digits that are not written
      share = std::min(share, 0.999 * shareBefore * size / sizeBefore);
    sizeBefore = size;
    shareBefore = sixDigits(share);
    shares.push_back({size, shareBefore});
  }
  return {{key, sixDigits(most)}, {"efficiency", std::move(shares)}, {"source", source}};
}

static double medianOf(const std::vector<double> &seconds) { return spreadOf(seconds).median; }

/// The points of products or kernels that `take` gives a size for.
template <typename Table, typename Take> static Points collect(const Table &table, Take take) {
  Points points;
  for (const auto &[key, value] : table)
    take(points, key, value);
  return points;
}

static Json matrixRates(const DeviceTimes &times) {
  Json rates = Json::object();
  for (const char *type : {"f32", "bf16"}) {
    const Points points = collect(times.products, [&](Points &points, const auto &key, const auto &seconds) {
      const auto &[dtype, transposeA, transposeB, m, n, k, batch] = key;
      const double flops = 2.0 * double(m) * double(n) * double(k) * double(batch);
      if (dtype == type)
        points.push_back({flops, flops / medianOf(seconds)});
    });
    if (!points.empty())
      rates[type] = rateOf(points, "flops_per_second", "the fastest products of a step");
  }
  if (!rates.contains("f32") && rates.contains("bf16")) {
    rates["f32"] = rates["bf16"];
    rates["f32"]["source"] = "not measured: as bf16";
  }
  return rates;
}

static bool isTile(const std::string &kind) { return kind.compare(0, 5, "tile ") == 0; }

static bool isBackwardTile(const std::string &kind) { return isTile(kind) && kind.find("_grad") != std::string::npos; }
static bool isForwardTile(const std::string &kind) { return isTile(kind) && !isBackwardTile(kind); }
static bool isRow(const std::string &kind) { return kind.compare(0, 4, "row ") == 0; }
/// Such kernels, the optimizer's, touch each byte of their operands once.
static bool isFlat(const std::string &kind) { return kind.compare(0, 5, "flat ") == 0; }

static Points kernelPoints(const DeviceTimes &times, bool (*isWanted)(const std::string &kind), bool byBytes) {
  return collect(times.kernels, [&](Points &points, const auto &key, const DeviceTimes::Kernel &kernel) {
    const auto &[kind, flops, buffers] = key;
    const double amount = double(byBytes ? kernel.bytes : flops);
    if (isWanted(kind) && amount > 0)
      points.push_back({amount, amount / medianOf(kernel.seconds)});
  });
}

static uint64_t memoryBytes(const Machine &machine) {
  if (machine.memory.total)
    return machine.memory.total;
  return uint64_t(::sysconf(_SC_PHYS_PAGES)) * uint64_t(::sysconf(_SC_PAGE_SIZE));
}

static Json describeOutside(const Machine &machine) {
  Json rows = Json::array();
  for (const auto &[name, bytes] :
       {std::pair("context", machine.memory.context), std::pair("libraries and graphs", machine.memory.libraries)})
    if (machine.memory.total && bytes)
      rows.push_back({{"name", name}, {"for", "process"}, {"bytes", bytes}, {"source", "the driver, in this run"}});
  return rows;
}

static Json describeMeasured(const DeviceTimes &times, const Machine &machine) {
  Json products = Json::array(), kernels = Json::array();
  for (const auto &[key, seconds] : times.products) {
    const auto &[dtype, transposeA, transposeB, m, n, k, batch] = key;
    products.push_back({{"dtype", dtype},
                        {"transpose_a", transposeA},
                        {"transpose_b", transposeB},
                        {"m", m},
                        {"n", n},
                        {"k", k},
                        {"batch", batch},
                        {"seconds", sixDigits(medianOf(seconds))}});
  }
  for (const auto &[key, kernel] : times.kernels) {
    const auto &[kind, flops, buffers] = key;
    kernels.push_back({{"kind", kind},
                       {"flops", flops},
                       {"buffers", buffers},
                       {"bytes", kernel.bytes},
                       {"seconds", sixDigits(medianOf(kernel.seconds))}});
  }
  return {{"machine", machine.description}, {"products", std::move(products)}, {"kernels", std::move(kernels)}};
}

void writeDevice(const DeviceTimes &measured, const Machine &machine, const std::string &path, bool merge) {
  DeviceTimes times = measured;
  if (merge && std::filesystem::exists(path))
    addOld(times, machine, path);
  for (const auto &[isEmpty, what] : {std::pair(times.products.empty(), "matrix products"),
                                      std::pair(kernelPoints(times, isRow, false).empty(), "kernels of rows"),
                                      std::pair(kernelPoints(times, isFlat, true).empty(), "kernels of an optimizer")})
    if (isEmpty)
      fail(TXRT_BAD_INPUT, "--write-device: the step has no %s to measure; take the artifact of a model", what);
  const std::string source = "the fastest kernels of a step";
  Json device = {{"name", std::filesystem::path(path).stem().string()},
                 {"description", machine.description},
                 {"matrix", matrixRates(times)}};
  const Points forward = kernelPoints(times, isForwardTile, false);
  const Points backward = kernelPoints(times, isBackwardTile, false);
  if (!forward.empty() && !backward.empty())
    device["tiles"] = {{"forward", {{"f32", rateOf(forward, "flops_per_second", source)}}},
                       {"backward", {{"f32", rateOf(backward, "flops_per_second", source)}}}};
  device["vector"] = {{"f32", rateOf(kernelPoints(times, isRow, false), "flops_per_second", source)}};
  Json memory = {{"name", "memory"}, {"bytes", memoryBytes(machine)}};
  memory.update(rateOf(kernelPoints(times, isFlat, true), "bytes_per_second", "the optimizer's kernels"));
  device["memory"] = Json::array({memory});
  device["launch"] = {{"seconds", sixDigits(medianOf(times.gaps))}, {"source", "the median between two launches"}};
  device["links"] = Json::array();
  device["outside"] = describeOutside(machine);
  device["measured"] = describeMeasured(times, machine);
  const std::string text = device.dump(1) + "\n";
  AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

} // namespace txrun
