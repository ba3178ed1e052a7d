#include "backends/cuda/TuningCache.h"
#include "core/File.h"
#include "core/Json.h"
#include "core/OutputFile.h"

#include <unistd.h>

using namespace txrt;
using namespace txrt::cuda;
using nlohmann::json;

static constexpr uint64_t maxBytes = 64 << 20;
static const char *const formatName = "tx-tuning";

/// The bytes of an algorithm in hexadecimal. The library's manual says that an algorithm may be stored as its bytes.
static std::string hexOf(const lt::Algorithm &algorithm) {
  std::string text;
  for (uint64_t word : algorithm.data)
    text += format("%016llx", static_cast<unsigned long long>(word));
  return text;
}

static lt::Algorithm algorithmOf(const JsonField &field) {
  const std::string hex = field.string();
  lt::Algorithm algorithm = {};
  if (hex.size() != 16 * std::size(algorithm.data) || hex.find_first_not_of("0123456789abcdef") != std::string::npos)
    field.refuse("is not of 128 hexadecimal digits");
  for (size_t i = 0; i < std::size(algorithm.data); ++i)
    algorithm.data[i] = std::stoull(hex.substr(16 * i, 16), nullptr, 16);
  return algorithm;
}

TuningCache::Choices TuningCache::read(const std::string &path) {
  Choices choices;
  if (access(path.c_str(), F_OK) != 0)
    return choices;
  const std::vector<uint8_t> bytes = readFile(path, maxBytes);
  const auto *text = reinterpret_cast<const char *>(bytes.data());
  const std::string what = printable(path, 200) + ": no tuning cache";
  const json root = parseJson(text, text + bytes.size(), what);
  const JsonField top(root, what);
  if (top["format"].string() != formatName || top["version"].number() != 1)
    fail(TXRT_BAD_INPUT, "%s: it has another format", what.c_str());
  for (const JsonField &item : top["choices"].items())
    choices[{item["gpu"].string(), item["library"].string(), item["product"].string()}] = {
        algorithmOf(item["algorithm"]), item["microseconds"].real() * 1e-6,
        item["heuristic_microseconds"].real() * 1e-6};
  return choices;
}

TuningCache::TuningCache(std::string path, std::string gpu, std::string library)
    : path(std::move(path)), gpu(std::move(gpu)), library(std::move(library)), choices(read(this->path)) {}

std::optional<TunedChoice> TuningCache::find(const std::string &product) const {
  auto found = choices.find({gpu, library, product});
  if (found == choices.end())
    return std::nullopt;
  return found->second;
}

void TuningCache::set(const std::string &product, const TunedChoice &choice) {
  choices[{gpu, library, product}] = choice;
  added[{gpu, library, product}] = choice;
}

void TuningCache::save() const {
  Choices all = read(path);
  for (const auto &[key, choice] : added)
    all[key] = choice;
  json list = json::array();
  for (const auto &[key, choice] : all)
    list.push_back({{"gpu", std::get<0>(key)},
                    {"library", std::get<1>(key)},
                    {"product", std::get<2>(key)},
                    {"algorithm", hexOf(choice.algorithm)},
                    {"microseconds", choice.seconds * 1e6},
                    {"heuristic_microseconds", choice.heuristicSeconds * 1e6}});
  const json root = {{"format", formatName}, {"version", 1}, {"choices", std::move(list)}};
  writeFileAtomically(path, root.dump(1) + "\n");
}
