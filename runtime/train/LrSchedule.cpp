//===- LrSchedule.cpp - The learning rate of an iteration ---------------------------------------------------------===//

#include "train/LrSchedule.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

namespace txrt::train {

bool isRate(double value) {
  return value >= 0 && value <= double(std::numeric_limits<float>::max()) &&
         (value == 0 || static_cast<float>(value) > 0);
}

double LrSchedule::at(int64_t done) const {
  if (warmupIterations > 0 && done <= warmupIterations)
    return maximum * double(done) / double(warmupIterations);
  if (style == DecayStyle::Constant)
    return maximum;
  if (done > decayIterations)
    return minimum;
  if (style == DecayStyle::InverseSquareRoot) {
    double warmup = double(std::max<int64_t>(warmupIterations, 1));
    double steps = double(std::max<int64_t>(done, 1));
    return std::max(minimum, maximum * std::sqrt(warmup) / std::sqrt(steps));
  }
  double ratio = double(done - warmupIterations) / double(std::max<int64_t>(decayIterations - warmupIterations, 1));
  double coefficient =
      style == DecayStyle::Linear ? 1.0 - ratio : 0.5 * (std::cos(3.14159265358979323846 * ratio) + 1.0);
  return minimum + coefficient * (maximum - minimum);
}

// In the order of the enum.
static const char *const styleNames[] = {"constant", "linear", "cosine", "inverse-square-root"};

const char *decayStyleName(DecayStyle style) { return styleNames[static_cast<size_t>(style)]; }

bool findDecayStyle(const std::string &text, DecayStyle &style) {
  const auto found = std::find(std::begin(styleNames), std::end(styleNames), text);
  if (found == std::end(styleNames))
    return false;
  style = static_cast<DecayStyle>(found - std::begin(styleNames));
  return true;
}

std::string decayStyleNames() {
  std::string names;
  for (const char *name : styleNames)
    names += std::string(names.empty() ? "" : ", ") + name;
  return names;
}

} // namespace txrt::train
