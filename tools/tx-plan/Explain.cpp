//===- Explain.cpp - Why a value is kept or recomputed ------------------------------------------------------------===//

#include "Explain.h"
#include "Advice.h"

#include "tx/Support/UserError.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <set>

using namespace tx;
using llvm::Expected;
using llvm::formatv;
using llvm::StringRef;

/// The name without `layers.N.`: what --explain calls the value of every layer.
static StringRef withoutLayer(StringRef name) {
  if (!name.consume_front("layers."))
    return name;
  return name.split('.').second;
}

static std::string listValueNames(const std::vector<KeptValue> &saved) {
  std::set<std::string> names;
  for (const KeptValue &value : saved)
    names.insert(withoutLayer(value.name).str());
  return llvm::join(names, ", ");
}

/// Why the row treats the values as it does: policies of people follow from their flags.
static std::string findReason(const PlanRow &row, const Explanation &explanation) {
  const RecomputeOptions &policy = row.policy.options;
  if (policy.granularity == "auto")
    return explanation.recomputedIn.empty() ? "other values free as much for less time, or it has to be kept"
                                            : "it frees what the budget asks for at less time than what is kept";
  if (explanation.recomputedIn.empty()) {
    if (row.policy.name == "none")
      return "none keeps all that backward uses";
    if (policy.granularity == "full")
      return "it is the input of a layer that is recomputed, or lies outside of the layers that are";
    return "it is the input of what is recomputed, or in none of the modules";
  }
  if (policy.granularity == "selective")
    return "it is inside of " + llvm::join(*policy.modules, ", ");
  if (policy.granularity == "full")
    return "its layer is recomputed whole, and it is not the layer's input";
  return "the policy names it";
}

Expected<Explanation> tx::explain(const PlanOptions &options, const PlanRow &row, const PlanProgress &progress) {
  progress("what --explain names");
  Expected<std::unique_ptr<Planner>> planner =
      Planner::create(withMicroBatch(options.compile, row.microBatchSize), options.device);
  if (!planner)
    return planner.takeError();
  RecomputeOptions keepAll;
  keepAll.granularity = "none";
  Expected<PlannedStep> none = (*planner)->evaluate(keepAll);
  if (!none)
    return none.takeError();

  Explanation result;
  result.name = options.explain;
  result.row = formatv("{0} at {1}", row.policy.name, row.microBatchSize).str();
  std::set<std::string> keptByRow;
  for (const KeptValue &value : row.step.saved)
    keptByRow.insert(value.name);
  std::vector<std::string> others;
  std::set<int> layers, kept, recomputed;
  for (const KeptValue &value : none->saved) {
    if (!namesValue(options.explain, value.name)) {
      others.push_back(value.name);
      continue;
    }
    ++result.values;
    result.bytes += value.bytes;
    layers.insert(value.layer);
    (keptByRow.count(value.name) ? kept : recomputed).insert(value.layer);
  }
  if (result.values == 0)
    return badInput("--explain: nothing that backward uses has the name '" + options.explain +
                    "'; these have: " + listValueNames(none->saved));
  result.layers.assign(layers.begin(), layers.end());
  result.keptIn.assign(kept.begin(), kept.end());
  result.recomputedIn.assign(recomputed.begin(), recomputed.end());
  result.reason = findReason(row, result);

  RecomputeOptions keepOthers;
  keepOthers.saveOnly = others;
  Expected<PlannedStep> freed = (*planner)->evaluate(keepOthers);
  if (!freed)
    return freed.takeError();
  result.freedBytes = none->savedBytes - freed->savedBytes;
  result.peakChange = freed->peakBytes - none->peakBytes;
  result.secondsOfNone = none->step.getTotal();
  result.secondsChange = freed->step.getTotal() - result.secondsOfNone;
  return result;
}

static std::string describeWhere(std::vector<int> layers) {
  bool isOutside = llvm::is_contained(layers, -1);
  llvm::erase(layers, -1);
  if (layers.empty())
    return "outside of the layers";
  return "in " + describeLayerList(layers) + (isOutside ? " and outside of the layers" : "");
}

std::vector<std::string> tx::describe(const Explanation &e) {
  std::vector<std::string> lines;
  lines.push_back(formatv("{0}: {1} that backward uses, {2} together, {3}", e.name,
                          e.values == 1 ? "a value" : formatv("{0} values", e.values).str(), showBytes(e.bytes),
                          describeWhere(e.layers)));
  std::string what;
  if (!e.keptIn.empty())
    what += "keeps it " + describeWhere(e.keptIn);
  if (!e.recomputedIn.empty())
    what += (what.empty() ? "" : ", ") + ("recomputes it " + describeWhere(e.recomputedIn));
  lines.push_back(formatv("  {0} {1}: {2}", e.row, what, e.reason));
  if (e.freedBytes <= 0) {
    lines.push_back(
        "  freeing it alone frees nothing: it has to be kept, or what it is made from would be kept instead");
    return lines;
  }
  lines.push_back(
      formatv("  freeing it alone: {0} less saved, peak {1}{2}, {3:f3} ms more for a micro batch ({4:f1} %), "
              "{5:f1} us for each MiB",
              showBytes(e.freedBytes), e.peakChange > 0 ? "+" : "", showBytes(e.peakChange), e.secondsChange * 1e3,
              100 * e.secondsChange / e.secondsOfNone, e.secondsChange * 1e6 / (double(e.freedBytes) / 0x1p20)));
  return lines;
}
