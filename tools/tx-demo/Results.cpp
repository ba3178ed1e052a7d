#include "Results.h"
#include "Process.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <sstream>

using namespace txdemo;
using nlohmann::json;

/// Parses a file that a program of Tx has written. A missing field is a bug of Tx; the error names the field and the
/// file.
static json parse(const std::string &text, const std::string &path) {
  json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object())
    throw Failure(1, path + ": is no JSON object: " + text.substr(0, 80));
  return value;
}

static double number(const json &object, const char *field, const std::string &path) {
  auto found = object.find(field);
  if (found == object.end() || !found->is_number())
    throw Failure(1, path + ": has no number '" + field + "'");
  return found->get<double>();
}

Plan txdemo::readPlan(const std::string &path) {
  json report = parse(readFile(path), path);
  Plan plan;
  plan.peakBytes = uint64_t(number(report, "peak_bytes", path));
  plan.parameterBytes = uint64_t(number(report, "parameter_bytes", path));
  plan.forwardFlops = number(report, "forward_flops", path);
  plan.backwardFlops = number(report, "backward_flops", path);
  plan.recomputeFlops = number(report, "recompute_flops", path);
  return plan;
}

Run txdemo::readRun(const std::string &path) {
  Run run;
  std::vector<double> times;
  std::istringstream lines(readFile(path));
  for (std::string line; std::getline(lines, line);) {
    json entry = parse(line, path);
    std::string event = entry.value("event", "");
    if (event == "start")
      run.allocatedBytes = uint64_t(number(entry, "allocated_bytes", path));
    if (event == "evaluation")
      run.evaluations.push_back({uint64_t(number(entry, "step", path)), number(entry, "loss", path)});
    if (event == "step") {
      run.losses.push_back(number(entry, "loss", path));
      run.gradientNorms.push_back(number(entry, "grad_norm", path));
      times.push_back(1e3 * number(entry, "seconds", path));
    }
  }
  if (times.empty())
    throw Failure(1, path + ": has no step");
  // Leaves the first two steps out of the median: they touch memory for the first time.
  times.erase(times.begin(), times.begin() + std::min<size_t>(2, times.size() - 1));
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  run.medianStepMs = times[times.size() / 2];
  return run;
}

bool txdemo::sameBytes(const std::string &a, const std::string &b) { return readFile(a) == readFile(b); }

std::string txdemo::mebibytes(uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f MiB", double(bytes) / (1 << 20));
  return text;
}

std::string txdemo::table(const std::vector<std::vector<std::string>> &rows) {
  std::vector<size_t> widths(rows[0].size());
  for (const auto &row : rows)
    for (size_t column = 0; column < row.size(); ++column)
      widths[column] = std::max(widths[column], row[column].size());
  std::string text;
  for (size_t i = 0; i < rows.size(); ++i) {
    for (size_t column = 0; column < rows[i].size(); ++column) {
      std::string padding(widths[column] - rows[i][column].size(), ' ');
      text += column ? "  " + padding + rows[i][column] : "  " + rows[i][column] + padding;
    }
    text += '\n';
    if (i)
      continue;
    for (size_t width : widths)
      text += "  " + std::string(width, '-');
    text += '\n';
  }
  return text;
}
