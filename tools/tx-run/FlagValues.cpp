//===- FlagValues.cpp - Reading the values of flags ---------------------------------------------------------------===//

#include "FlagValues.h"
#include "Error.h"
#include "train/LrSchedule.h"

#include "txrt/runtime.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace txrun::flagvalue {

[[noreturn]] static void refuse(const char *flag, const std::string &text, const std::string &wanted) {
  fail(TXRT_USAGE, "--%s: '%s' is %s", flag, printable(text).c_str(), wanted.c_str());
}

int64_t integer(const char *flag, const std::string &text, int64_t least, int64_t most) {
  int64_t value = 0;
  auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ptr != text.data() + text.size() || result.ec == std::errc::invalid_argument)
    refuse(flag, text, "no whole number");
  if (result.ec != std::errc())
    refuse(flag, text, "past 64 bits");
  if (value < least || value > most)
    refuse(flag, text,
           most == std::numeric_limits<int64_t>::max()
               ? format("less than %lld", (long long)least)
               : format("not between %lld and %lld", (long long)least, (long long)most));
  return value;
}

// Uses from_chars and not strtod, since a locale with a decimal comma must not matter.
double real(const char *flag, const std::string &text, double least, double most) {
  double value = 0;
  auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ptr != text.data() + text.size() || result.ec == std::errc::invalid_argument)
    refuse(flag, text, "no number");
  if (result.ec != std::errc())
    refuse(flag, text, "outside of what 64 bits hold");
  if (!std::isfinite(value))
    refuse(flag, text, "no finite number");
  if (value < least)
    refuse(flag, text, format("less than %g", least));
  if (value > most)
    refuse(flag, text, format("more than %g", most));
  return value;
}

double rate(const char *flag, const std::string &text) {
  double value = real(flag, text, 0);
  if (!isRate(value))
    refuse(flag, text,
           value > 1 ? "more than 3.4e38, the most that the step's "
                       "f32 holds"
                     : "0 in the step's f32");
  return value;
}

std::string file(const char *flag, const std::string &text) {
  if (text.empty())
    refuse(flag, text, "no file's name; leave the flag out or name one");
  if (text == "-")
    refuse(flag, text,
           "no file: standard input and output are not read at any "
           "offset, nor replaced in one move; ./- is a file of that "
           "name");
  return text;
}

uint64_t size(const char *flag, const std::string &text) {
  static const std::string letters = "KMGT";
  const size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  std::string unit = text.substr(end);
  unit.erase(0, unit.find_first_not_of(' '));
  std::transform(unit.begin(), unit.end(), unit.begin(), [](unsigned char c) { return std::toupper(c); });
  const size_t power = unit.empty() ? std::string::npos : letters.find(unit[0]);
  const bool isBinary = unit.size() == 3 && unit.substr(1) == "IB";
  if (end == 0 || power == std::string::npos || !(isBinary || (unit.size() == 2 && unit[1] == 'B')))
    refuse(flag, text, "not a number with one of KB, MB, GB, TB, KiB, MiB, GiB, TiB, such as 5GB");
  const double bytes = real(flag, text.substr(0, end), 0.0) * std::pow(isBinary ? 1024.0 : 1000.0, double(power + 1));
  if (!(bytes >= 1 && bytes < 0x1p63))
    refuse(flag, text, bytes < 1 ? "less than a byte" : "more than any disk has");
  return static_cast<uint64_t>(bytes);
}

std::pair<std::string, std::string> nameAndFile(const char *flag, const std::string &text) {
  size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == text.size())
    refuse(flag, text, "not NAME=FILE.npy");
  return {text.substr(0, equals), file(flag, text.substr(equals + 1))};
}

std::vector<double> split(const char *flag, const std::string &text) {
  std::vector<double> shares;
  for (size_t at = 0; at <= text.size();) {
    size_t comma = std::min(text.find(',', at), text.size());
    std::string part = text.substr(at, comma - at);
    part.erase(0, part.find_first_not_of(' '));   // Megatron scripts often write "969, 30, 1"
    shares.push_back(real(flag, part, 0.0, 1e9)); // the limit keeps a share times a size finite
    at = comma + 1;
  }
  double total = 0;
  for (double share : shares)
    total += share;
  if (shares.size() < 2 || shares.size() > 3 || !(total > 0))
    refuse(flag, text,
           "not TRAINING,VALIDATION or TRAINING,VALIDATION,TEST with a sum "
           "above 0");
  return shares;
}

std::string entry(const char *flag, const std::string &text) {
  if (text.empty())
    refuse(flag, text, "no entry's name; --info lists those of an artifact");
  return text;
}

DataFormat dataFormat(const char *flag, const std::string &text) {
  if (text == "auto")
    return DataFormat::Auto;
  if (text == "text")
    return DataFormat::Text;
  if (text == "uint16")
    return DataFormat::U16;
  if (text == "uint32")
    return DataFormat::U32;
  refuse(flag, text, "none of auto, text, uint16, uint32");
}

DataOrder dataOrder(const char *flag, const std::string &text) {
  if (text != "random" && text != "sequential")
    refuse(flag, text, "neither random nor sequential");
  return text == "random" ? DataOrder::Random : DataOrder::Sequential;
}

DecayStyle decayStyle(const char *flag, const std::string &text) {
  DecayStyle style = DecayStyle::Constant;
  if (!findDecayStyle(text, style))
    refuse(flag, text, "none of " + decayStyleNames());
  return style;
}

std::string backend(const char *flag, const std::string &text) {
  std::string present;
  for (int i = 0; const char *name = txrt_backend_name(i); ++i) {
    if (text == name)
      return text;
    present += (i ? ", " : "") + std::string(name);
  }
  refuse(flag, text, "no backend; present: " + present);
}

} // namespace txrun::flagvalue
