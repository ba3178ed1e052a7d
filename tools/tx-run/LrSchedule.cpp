//===- LrSchedule.cpp - The learning rate of an iteration -----------------===//

#include "LrSchedule.h"
#include "Error.h"

#include <algorithm>
#include <cmath>

namespace txrun {

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
  double ratio = double(done - warmupIterations) /
                 double(std::max<int64_t>(decayIterations - warmupIterations, 1));
  double coefficient = style == DecayStyle::Linear
                           ? 1.0 - ratio
                           : 0.5 * (std::cos(3.14159265358979323846 * ratio) + 1.0);
  return minimum + coefficient * (maximum - minimum);
}

DecayStyle parseDecayStyle(const std::string &text) {
  if (text == "constant")
    return DecayStyle::Constant;
  if (text == "linear")
    return DecayStyle::Linear;
  if (text == "cosine")
    return DecayStyle::Cosine;
  if (text == "inverse-square-root")
    return DecayStyle::InverseSquareRoot;
  fail(ExitCode::Usage,
       "--lr-decay-style: '%s' is none of constant, linear, cosine, "
       "inverse-square-root",
       printable(text).c_str());
}

} // namespace txrun
