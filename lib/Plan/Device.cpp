//===- Device.cpp - What a machine can do -------------------------------------------------------------------------===//

#include "tx/Plan/Device.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace tx;
using namespace tx::plan;

double Rate::getShare(double amount) const {
  if (efficiency.empty())
    return 1;
  auto above = llvm::find_if(efficiency, [&](const auto &point) { return point.first >= amount; });
  if (above == efficiency.begin())
    return above->second;
  auto below = std::prev(above);
  if (above == efficiency.end())
    return below->second;
  double way = std::log(amount / below->first) / std::log(above->first / below->first);
  return below->second * std::pow(above->second / below->second, way);
}

double Rate::secondsOf(double amount) const { return amount > 0 ? amount / (perSecond * getShare(amount)) : 0; }

const Rate &TypedRates::get(ElementType type) const {
  auto found = rates.find(type);
  return found == rates.end() ? rates.at(ElementType::F32) : found->second;
}

void Samples::add(const Sizes &sizes, double amount, double seconds) {
  Sample sample{sizes, {}, seconds, amount / seconds};
  for (size_t i = 0; i < sizes.size(); ++i)
    sample.logarithms[i] = std::log(std::max(sizes[i], 1.0));
  samples.push_back(sample);
}

std::optional<double> Samples::find(const Sizes &sizes) const {
  auto found = llvm::find_if(samples, [&](const Sample &sample) { return sample.sizes == sizes; });
  return found == samples.end() ? std::nullopt : std::optional(found->seconds);
}

double Samples::estimate(const Sizes &sizes, double amount) const {
  Sizes logarithms;
  for (size_t i = 0; i < sizes.size(); ++i)
    logarithms[i] = std::log(std::max(sizes[i], 1.0));
  // Each sample counts by the inverse fourth power of its distance.
  double sum = 0, weights = 0;
  for (const Sample &sample : samples) {
    double square = 0;
    for (size_t i = 0; i < sizes.size(); ++i)
      square += (logarithms[i] - sample.logarithms[i]) * (logarithms[i] - sample.logarithms[i]);
    double weight = 1 / (square * square + 1e-12);
    sum += weight * sample.rate, weights += weight;
  }
  return amount * weights / sum;
}

int64_t Device::getOutsideBytes(int64_t communicators) const {
  int64_t bytes = 0;
  for (const OutsideMemory &row : outside)
    bytes += row.isOfCommunicator ? communicators * row.bytes : row.bytes;
  return bytes;
}

double Device::secondsToMove(double bytes) const {
  auto level = llvm::find_if(memory, [&](const MemoryLevel &each) { return bytes <= each.bytes; });
  return (level == memory.end() ? memory.back() : *level).rate.secondsOf(bytes);
}

static constexpr std::pair<ElementType, const char *> kElementTypes[] = {
    {ElementType::F32, "f32"}, {ElementType::BF16, "bf16"}, {ElementType::F16, "f16"}, {ElementType::F64, "f64"},
    {ElementType::I32, "i32"}, {ElementType::I1, "i1"},     {ElementType::I8, "i8"}};

llvm::StringRef tx::plan::stringify(ElementType type) {
  return llvm::find_if(kElementTypes, [&](const auto &each) { return each.first == type; })->second;
}
