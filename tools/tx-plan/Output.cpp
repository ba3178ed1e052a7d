//===- Output.cpp - The table for people and for programs ---------------------------------------------------------===//

#include "Output.h"
#include "Advice.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

using namespace tx;
using llvm::formatv;
using llvm::raw_ostream;
namespace json = llvm::json;

/// The hours that all devices together take for --train-samples.
static double deviceHours(const PlanRow &row, const PlanTable &table, const PlanOptions &options) {
  double updates = double(*options.trainSamples) / double(table.globalBatchSize);
  return updates * row.seconds * double(options.compile.parallel.dataParallelSize) / 3600;
}

static std::string describeModel(const PlanOptions &options) {
  const CompileOptions &compile = options.compile;
  if (compile.inputIsModule)
    return compile.input;
  const ModelConfig &model = compile.model;
  double parameters = double(model.countParameters());
  std::string size = parameters >= 1e9 ? formatv("{0:f2} billion", parameters * 1e-9).str()
                                       : formatv("{0:f1} million", parameters * 1e-6).str();
  return formatv("{0}: {1} parameters, {2} layers, sequence {3}, {4}",
                 compile.input.empty() ? model.type : compile.input, size, model.numLayers, model.seqLength,
                 stringifyDType(model.dtype));
}

/// Four digits of a number, whatever its size.
static std::string showDigits(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.4g", value);
  return text;
}

/// The flags that make the row's step, without those of the model.
static std::string getFlags(const PlanRow &row) {
  std::string recompute = getMegatronFlags(row.policy.options);
  return formatv("--micro-batch-size {0}{1}{2}", row.microBatchSize, recompute.empty() ? "" : " ", recompute);
}

static bool hasCommunicators(const PlanOptions &options) { return options.compile.parallel.dataParallelSize > 1; }

static int64_t numberOf(const PlanTable &table, const PlanRow &row) { return &row - table.rows.data() + 1; }

//===--------------------------------------------------------------------------------------------------------------===//
// For people
//===--------------------------------------------------------------------------------------------------------------===//

namespace {

/// Cells in columns; the first and the last ones begin at the left, others end at the right.
class TextTable {
public:
  void add(std::vector<std::string> cells) {
    widths.resize(std::max(widths.size(), cells.size()));
    for (auto [index, cell] : llvm::enumerate(cells))
      widths[index] = std::max(widths[index], cell.size());
    rows.push_back(std::move(cells));
  }

  void print(raw_ostream &os) const {
    for (const std::vector<std::string> &cells : rows) {
      std::string line;
      for (auto [index, cell] : llvm::enumerate(cells)) {
        bool isLeft = index == 1 || index + 1 == cells.size();
        std::string padding(widths[index] - cell.size(), ' ');
        line += (index ? "  " : "") + (isLeft ? cell + padding : padding + cell);
      }
      os << llvm::StringRef(line).rtrim() << '\n';
    }
  }

private:
  std::vector<size_t> widths;
  std::vector<std::vector<std::string>> rows;
};

} // namespace

/// Whether the row fits, and what to think of it.
static std::string judge(const PlanTable &table, const PlanRow &row) {
  std::string text = row.fits ? "fits" : showBytes(-row.headroom) + " too much";
  if (&row == table.getBest())
    text += ", best";
  if (row.dominatedBy >= 0)
    text += formatv(", dominated by {0}", row.dominatedBy + 1).str();
  if (row.step.boundSeconds)
    text += formatv(", at most {0:f2} % from the best possible", 100 * row.step.getGap()).str();
  return text;
}

static void printMemory(raw_ostream &os, const PlanTable &table, const PlanOptions &options) {
  os << formatv("memory: {0}, of which {1} lie outside of the arena:\n", showBytes(table.memoryBytes),
                showBytes(table.outsideBytes));
  for (const plan::OutsideMemory &outside : options.device.outside)
    if (!outside.isOfCommunicator || hasCommunicators(options))
      os << formatv("  {0}: {1} ({2})\n", outside.name, showBytes(outside.bytes), outside.source);
}

static void printRows(raw_ostream &os, const PlanTable &table, const PlanOptions &options) {
  TextTable text;
  std::vector<std::string> head = {"row",      "policy",  "micro batch", "peak", "saved",
                                   "headroom", "seconds", "tokens/s",    "MFU"};
  if (options.trainSamples)
    head.push_back("device-hours");
  head.push_back("");
  text.add(head);
  for (auto [index, row] : llvm::enumerate(table.rows)) {
    std::vector<std::string> cells = {(static_cast<int>(index) == table.best ? "* " : "") + std::to_string(index + 1),
                                      row.policy.name,
                                      std::to_string(row.microBatchSize),
                                      showBytes(row.step.peakBytes),
                                      showBytes(row.step.savedBytes),
                                      showBytes(row.headroom),
                                      showDigits(row.seconds),
                                      formatv("{0:f0}", row.tokensPerSecond).str(),
                                      formatv("{0:f1} %", 100 * row.flopsShare).str()};
    if (options.trainSamples)
      cells.push_back(formatv("{0:f1}", deviceHours(row, table, options)).str());
    cells.push_back(judge(table, row));
    text.add(std::move(cells));
  }
  text.print(os);
}

void tx::printText(raw_ostream &os, const PlanAnswer &answer, const PlanOptions &options) {
  const PlanTable &table = answer.table;
  os << describeModel(options) << '\n';
  os << formatv("device: {0}, planned for {1}\n", options.device.name, options.compile.output.target);
  printMemory(os, table, options);
  os << formatv("seconds are those between two updates, {0} {1}\n\n", table.globalBatchSize,
                table.globalBatchSize == 1 ? "sample" : "samples");
  printRows(os, table, options);
  os << '\n' << describeNetEffect(table) << '\n';
  for (const std::string &sentence : adviseOnTable(table, options))
    os << sentence << '\n';
  if (answer.explanation) {
    os << '\n';
    for (const std::string &line : describe(*answer.explanation))
      os << line << '\n';
  }
  if (answer.chosen)
    os << formatv("\nflags of row {0}:\n  {1}\n", numberOf(table, *answer.chosen), getFlags(*answer.chosen));
}

//===--------------------------------------------------------------------------------------------------------------===//
// For programs
//===--------------------------------------------------------------------------------------------------------------===//

static json::Object rowToJson(const PlanRow &row, const PlanTable &table, const PlanOptions &options) {
  json::Object object{{"row", numberOf(table, row)},
                      {"policy", row.policy.name},
                      {"micro_batch_size", row.microBatchSize},
                      {"flags", getFlags(row)},
                      {"peak_bytes", row.step.peakBytes},
                      {"persistent_bytes", row.step.persistentBytes},
                      {"saved_activation_bytes", row.step.savedBytes},
                      {"headroom_bytes", row.headroom},
                      {"fits", row.fits},
                      {"step_seconds", row.seconds},
                      {"tokens_per_second", row.tokensPerSecond},
                      {"mfu", row.flopsShare},
                      {"forward_seconds", row.step.step.forward},
                      {"backward_seconds", row.step.step.backward},
                      {"recompute_seconds", row.step.step.recompute},
                      {"optimizer_seconds", row.step.step.optimizer},
                      {"recompute_flops", row.step.recomputeFlops},
                      {"dominated_by", nullptr}};
  if (row.dominatedBy >= 0)
    object["dominated_by"] = row.dominatedBy + 1;
  if (row.step.boundSeconds) {
    object["lower_bound_seconds"] = *row.step.boundSeconds;
    object["optimality_gap"] = row.step.getGap();
  }
  if (options.trainSamples)
    object["device_hours"] = deviceHours(row, table, options);
  return object;
}

static json::Object explanationToJson(const Explanation &e) {
  return json::Object{{"name", e.name},
                      {"row", e.row},
                      {"values", static_cast<int64_t>(e.values)},
                      {"bytes", e.bytes},
                      {"kept_in_layers", json::Array(e.keptIn)},
                      {"recomputed_in_layers", json::Array(e.recomputedIn)},
                      {"reason", e.reason},
                      {"freeing_alone", json::Object{{"saved_bytes", -e.freedBytes},
                                                     {"peak_bytes", e.peakChange},
                                                     {"micro_batch_seconds", e.secondsChange}}}};
}

void tx::printJson(raw_ostream &os, const PlanAnswer &answer, const PlanOptions &options) {
  const PlanTable &table = answer.table;
  json::Array rows, outside, useless;
  for (const PlanRow &row : table.rows)
    rows.push_back(rowToJson(row, table, options));
  for (const plan::OutsideMemory &each : options.device.outside)
    if (!each.isOfCommunicator || hasCommunicators(options))
      outside.push_back(json::Object{{"name", each.name}, {"bytes", each.bytes}, {"source", each.source}});
  for (const UselessModule &module : table.useless)
    useless.push_back(
        json::Object{{"module", module.name}, {"freed_bytes", module.freedBytes}, {"slowdown", module.slowdown}});
  json::Object object{{"device", options.device.name},
                      {"target", options.compile.output.target},
                      {"memory_bytes", table.memoryBytes},
                      {"outside_bytes", table.outsideBytes},
                      {"outside", std::move(outside)},
                      {"budget_bytes", table.getBudget()},
                      {"global_batch_size", table.globalBatchSize},
                      {"rows", std::move(rows)},
                      {"best", nullptr},
                      {"useless_modules", std::move(useless)},
                      {"net_effect", describeNetEffect(table)},
                      {"advice", json::Array(adviseOnTable(table, options))}};
  if (!options.compile.inputIsModule)
    object["model"] = tx::toJson(options.compile.model);
  if (table.best >= 0)
    object["best"] = table.best + 1;
  if (answer.chosen)
    object["flags"] = getFlags(*answer.chosen);
  if (answer.explanation)
    object["explanation"] = explanationToJson(*answer.explanation);
  os << formatv("{0:2}\n", json::Value(std::move(object)));
}

void tx::printCsv(raw_ostream &os, const PlanAnswer &answer, const PlanOptions &options) {
  const PlanTable &table = answer.table;
  os << "row,policy,micro_batch_size,peak_bytes,saved_activation_bytes,headroom_bytes,fits,step_seconds,"
        "tokens_per_second,mfu,dominated_by"
     << (options.trainSamples ? ",device_hours" : "") << '\n';
  for (const PlanRow &row : table.rows) {
    os << formatv("{0},\"{1}\",{2},{3},{4},{5},{6},{7:e6},{8:f1},{9:f4},", numberOf(table, row), row.policy.name,
                  row.microBatchSize, row.step.peakBytes, row.step.savedBytes, row.headroom,
                  row.fits ? "true" : "false", row.seconds, row.tokensPerSecond, row.flopsShare);
    if (row.dominatedBy >= 0)
      os << row.dominatedBy + 1;
    if (options.trainSamples)
      os << formatv(",{0:f2}", deviceHours(row, table, options));
    os << '\n';
  }
}
