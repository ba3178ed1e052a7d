//===- PlanTable.cpp - What each policy costs at each size --------------------------------------------------------===//

#include "PlanTable.h"

#include "tx/Support/UserError.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>

using namespace tx;
using llvm::Error;
using llvm::Expected;

//===--------------------------------------------------------------------------------------------------------------===//
// Policies
//===--------------------------------------------------------------------------------------------------------------===//

static NamedPolicy makeNone() {
  RecomputeOptions options;
  options.granularity = "none";
  return {"none", options};
}

static NamedPolicy makeSelective(llvm::ArrayRef<std::string> modules) {
  RecomputeOptions options;
  options.granularity = "selective";
  options.modules = modules.vec();
  return {"selective " + llvm::join(modules, ","), options};
}

static NamedPolicy makeBlock(int64_t layers) {
  RecomputeOptions options;
  options.granularity = "full";
  options.method = "block";
  options.numLayers = std::to_string(layers);
  return {"block " + std::to_string(layers), options};
}

static NamedPolicy makeFull() {
  RecomputeOptions options;
  options.granularity = "full";
  options.method = "uniform";
  options.numLayers = "1";
  return {"full", options};
}

static NamedPolicy makeAuto(int64_t budget) {
  RecomputeOptions options;
  options.granularity = "auto";
  options.memoryBudget = std::to_string(budget);
  return {"auto", options};
}

std::string tx::getMegatronFlags(const RecomputeOptions &options) {
  std::string flags;
  auto add = [&](const char *name, llvm::StringRef value) {
    flags += (flags.empty() ? "" : " ") + (llvm::Twine(name) + (value.empty() ? "" : " ") + value).str();
  };
  if (options.granularity && *options.granularity != "none")
    add("--recompute-granularity", *options.granularity);
  if (options.method)
    add("--recompute-method", *options.method);
  if (options.numLayers)
    add("--recompute-num-layers", *options.numLayers);
  if (options.modules)
    add("--recompute-modules", llvm::join(*options.modules, " "));
  if (options.layers)
    add("--recompute-layers", llvm::join(*options.layers, ","));
  if (options.saveOnly)
    add("--recompute-save-only", llvm::join(*options.saveOnly, ","));
  if (options.memoryBudget)
    add("--memory-budget", *options.memoryBudget);
  if (options.planFile)
    add("--recompute-plan", *options.planFile);
  if (options.policy)
    add("--recompute-policy", *options.policy);
  if (options.activations)
    add("--recompute-activations", "");
  return flags;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Plans of one size
//===--------------------------------------------------------------------------------------------------------------===//

CompileOptions tx::withMicroBatch(const CompileOptions &options, int64_t size) {
  CompileOptions sized = options;
  if (!sized.inputIsModule)
    sized.model.microBatchSize = size;
  return sized;
}

namespace {

/// Plans policies of one model at one size of micro batch, each of them once.
class SizePlans {
public:
  SizePlans(Planner &planner, int64_t size, int64_t budget, const PlanProgress &progress)
      : planner(planner), size(size), budget(budget), progress(progress) {}

  Expected<PlannedStep> plan(const NamedPolicy &policy) {
    if (auto known = steps.find(policy.name); known != steps.end())
      return known->second;
    progress(llvm::formatv("{0}, micro batch {1}", policy.name, size).str());
    Expected<PlannedStep> step = planner.evaluate(policy.options);
    if (step)
      steps.emplace(policy.name, *step);
    return step;
  }

  /// Plans the policy and makes a row of it, unless it has one; with `onlyIfFits` not of a policy that does not fit, or
  /// that has no plan.
  Error add(const NamedPolicy &policy, bool onlyIfFits = false) {
    Expected<PlannedStep> step = plan(policy);
    if (!step)
      return step.takeError();
    if (!step->refusal.empty())
      return onlyIfFits ? Error::success() : badInput("--recompute-granularity auto: " + step->refusal);
    bool isThere = llvm::any_of(rows, [&](const PlanRow &row) { return row.policy.name == policy.name; });
    if (!isThere && (fits(*step) || !onlyIfFits)) {
      rows.push_back({policy, size, *step});
      rows.back().fits = fits(*step);
      rows.back().headroom = budget - step->peakBytes;
    }
    return Error::success();
  }

  bool fits(const PlannedStep &step) const { return step.peakBytes <= budget; }
  Planner &getPlanner() const { return planner; }
  int64_t getBudget() const { return budget; }

  std::vector<PlanRow> rows;

private:
  Planner &planner;
  int64_t size, budget;
  const PlanProgress &progress;
  std::map<std::string, PlannedStep> steps;
};

} // namespace

/// Of two plans of one size: whether the first one makes the second one superfluous.
static bool dominates(int64_t bytes, double seconds, int64_t otherBytes, double otherSeconds) {
  return bytes <= otherBytes && seconds <= otherSeconds && (bytes < otherBytes || seconds < otherSeconds);
}

/// Whether two plans are the same to a person: a list with a module that is a part of another one, for example.
static bool costsTheSame(const PlannedStep &a, const PlannedStep &b) {
  return a.peakBytes == b.peakBytes && a.savedBytes == b.savedBytes && a.step.getTotal() == b.step.getTotal();
}

/// Adds each module alone, then the modules together, from the one that costs least for a byte: the first two, the
/// first three, and so on. Modules that free less than this share of what is saved go to `useless` instead.
static Error addModules(SizePlans &plans, std::vector<UselessModule> &useless) {
  constexpr double kLeastShare = 0.005;
  struct Gain {
    std::string name;
    double secondsForByte;
  };
  Expected<PlannedStep> none = plans.plan(makeNone());
  if (!none)
    return none.takeError();
  std::vector<Gain> gains;
  for (RecomputeModule module : plans.getPlanner().getModules()) {
    std::string name = stringifyRecomputeModule(module).str();
    Expected<PlannedStep> step = plans.plan(makeSelective(name));
    if (!step)
      return step.takeError();
    int64_t freed = none->savedBytes - step->savedBytes;
    double seconds = step->step.getTotal() - none->step.getTotal();
    if (double(freed) < kLeastShare * double(none->savedBytes)) {
      useless.push_back({name, freed, seconds / none->step.getTotal()});
      continue;
    }
    gains.push_back({name, seconds / double(freed)});
    if (Error error = plans.add(makeSelective(name)))
      return error;
  }
  llvm::sort(gains, [](const Gain &a, const Gain &b) {
    return std::tie(a.secondsForByte, a.name) < std::tie(b.secondsForByte, b.name);
  });
  std::vector<std::string> list;
  for (const Gain &gain : gains) {
    list.push_back(gain.name);
    Expected<PlannedStep> alone = plans.plan(makeSelective(gain.name)), together = plans.plan(makeSelective(list));
    if (!alone || !together)
      return llvm::joinErrors(alone.takeError(), together.takeError());
    if (costsTheSame(*alone, *together)) // it contains all modules before it
      list = {gain.name};
    if (Error error = plans.add(makeSelective(list)))
      return error;
  }
  return Error::success();
}

/// If the memory lies between what `none` and `full` need: adds `block` with the fewest layers that fit. More layers
/// need fewer bytes, so they are found by halving.
static Error addFittingBlock(SizePlans &plans) {
  Expected<PlannedStep> none = plans.plan(makeNone());
  if (!none)
    return none.takeError();
  int above = 0, fitting = plans.getPlanner().getLayerCount();
  Expected<PlannedStep> all = plans.plan(makeBlock(fitting));
  if (!all)
    return all.takeError();
  if (plans.fits(*none) || !plans.fits(*all))
    return Error::success();
  while (fitting - above > 1) {
    int middle = (above + fitting) / 2;
    Expected<PlannedStep> step = plans.plan(makeBlock(middle));
    if (!step)
      return step.takeError();
    (plans.fits(*step) ? fitting : above) = middle;
  }
  return plans.add(makeBlock(fitting));
}

/// Where `none` does not fit: adds `auto` with what the arena may have. Elsewhere nothing is quicker than `none`.
static Error addAuto(SizePlans &plans) {
  Expected<PlannedStep> none = plans.plan(makeNone());
  if (!none)
    return none.takeError();
  return plans.fits(*none) ? Error::success() : plans.add(makeAuto(plans.getBudget()), /*onlyIfFits=*/true);
}

/// Adds all policies that are worth a look.
static Error addAll(SizePlans &plans, const PlanOptions &options, std::vector<UselessModule> &useless) {
  if (options.hasPolicy)
    if (Error error = plans.add({"as given", options.compile.recompute}))
      return error;
  if (Error error = plans.add(makeNone()))
    return error;
  if (Error error = addModules(plans, useless))
    return error;
  int layers = plans.getPlanner().getLayerCount();
  for (int quarter = 1; quarter < 4; ++quarter)
    if (int count = layers * quarter / 4; count > 0)
      if (Error error = plans.add(makeBlock(count)))
        return error;
  if (Error error = addFittingBlock(plans))
    return error;
  if (Error error = plans.add(makeFull()))
    return error;
  return addAuto(plans);
}

/// Adds those policies of a smaller size that still fit and that no other one dominates. For `block` and `auto` it
/// looks anew.
static Error addStillFitting(SizePlans &plans, llvm::ArrayRef<PlanRow> smaller) {
  auto isDominated = [&](const PlanRow &row) {
    return llvm::any_of(smaller, [&](const PlanRow &other) {
      return dominates(other.step.peakBytes, other.step.step.getTotal(), row.step.peakBytes, row.step.step.getTotal());
    });
  };
  for (const PlanRow &row : smaller)
    if (row.fits && row.policy.options.method != "block" && row.policy.name != "auto" && !isDominated(row))
      if (Error error = plans.add(row.policy, /*onlyIfFits=*/true))
        return error;
  if (Error error = addFittingBlock(plans))
    return error;
  return addAuto(plans);
}

//===--------------------------------------------------------------------------------------------------------------===//
// All sizes
//===--------------------------------------------------------------------------------------------------------------===//

const PlanRow *PlanTable::getBestNone() const {
  const PlanRow *found = nullptr;
  for (const PlanRow &row : rows)
    if (row.fits && row.policy.name == "none" && (!found || row.tokensPerSecond > found->tokensPerSecond))
      found = &row;
  return found;
}

const PlanRow &PlanTable::getLeast() const {
  return *std::min_element(rows.begin(), rows.end(),
                           [](const PlanRow &a, const PlanRow &b) { return a.step.peakBytes < b.step.peakBytes; });
}

/// Fills what follows from the steps: rates, who dominates whom, the best row.
static void finish(PlanTable &table, const PlanOptions &options) {
  llvm::sort(table.rows, [](const PlanRow &a, const PlanRow &b) {
    return std::tuple(a.microBatchSize, -a.step.peakBytes, a.policy.name) <
           std::tuple(b.microBatchSize, -b.step.peakBytes, b.policy.name);
  });
  int64_t ranks = options.compile.parallel.dataParallelSize;
  for (PlanRow &row : table.rows) {
    double microBatches = double(table.globalBatchSize) / double(row.microBatchSize * ranks);
    row.seconds = row.step.getSeconds(table.globalBatchSize / (row.microBatchSize * ranks)).getTotal();
    row.tokensPerSecond = double(table.globalBatchSize * table.tokens) / row.seconds;
    double flops = double(row.step.forwardFlops + row.step.backwardFlops) * microBatches;
    row.flopsShare = flops / (row.seconds * table.matrixRate);
  }
  for (auto [index, row] : llvm::enumerate(table.rows)) {
    // Of several the one that takes least time is named.
    for (auto [other, candidate] : llvm::enumerate(table.rows))
      if (candidate.microBatchSize == row.microBatchSize &&
          dominates(candidate.step.peakBytes, candidate.seconds, row.step.peakBytes, row.seconds) &&
          (row.dominatedBy < 0 || candidate.seconds < table.rows[row.dominatedBy].seconds))
        row.dominatedBy = static_cast<int>(other);
    if (row.fits && (table.best < 0 || row.tokensPerSecond > table.rows[table.best].tokensPerSecond))
      table.best = static_cast<int>(index);
  }
}

/// Whether updates after --global-batch-size samples can be made of micro batches of this size.
static bool divides(int64_t size, const PlanOptions &options) {
  return !options.globalBatchSize || *options.globalBatchSize % (size * options.compile.parallel.dataParallelSize) == 0;
}

static Error refuseGlobalBatch(int64_t size, const PlanOptions &options) {
  int64_t ranks = options.compile.parallel.dataParallelSize;
  return badUsage(llvm::formatv("--global-batch-size {0} is no multiple of {1} samples: the micro batch of {2} on each "
                                "of {3} rank(s)",
                                *options.globalBatchSize, size * ranks, size, ranks));
}

Expected<PlanTable> tx::makePlanTable(const PlanOptions &options, const PlanProgress &progress) {
  PlanTable table;
  int64_t ranks = options.compile.parallel.dataParallelSize;
  table.memoryBytes = options.device.getMemoryBytes();
  table.outsideBytes = options.device.getOutsideBytes(/*communicators=*/ranks > 1);
  constexpr int64_t kMostSamples = 4096;
  int64_t largest = 0;
  for (int64_t asked = options.hasMicroBatchSize ? options.compile.model.microBatchSize : 1;
       asked <= kMostSamples && (table.rows.empty() || divides(asked, options)); asked *= 2) {
    progress(llvm::formatv("the model at micro batch {0}", asked).str());
    Expected<std::unique_ptr<Planner>> planner =
        Planner::create(withMicroBatch(options.compile, asked), options.device);
    if (!planner)
      return planner.takeError();
    int64_t size = (*planner)->getSamples(); // a module has a size of its own
    if (!divides(size, options))
      return refuseGlobalBatch(size, options);
    table.modules = (*planner)->getModules();
    table.tokens = (*planner)->getTokens();
    table.matrixRate = options.device.matrix.get((*planner)->getProductType()).perSecond;
    SizePlans plans(**planner, size, table.getBudget(), progress);
    bool isFirst = table.rows.empty();
    std::vector<PlanRow> smaller;
    llvm::copy_if(table.rows, std::back_inserter(smaller),
                  [&](const PlanRow &row) { return row.microBatchSize * 2 == size; });
    if (Error error = isFirst ? addAll(plans, options, table.useless) : addStillFitting(plans, smaller))
      return std::move(error);
    llvm::append_range(table.rows, plans.rows);
    bool someFit = llvm::any_of(plans.rows, [](const PlanRow &row) { return row.fits; });
    if (someFit || isFirst)
      largest = size;
    if (!someFit || options.hasMicroBatchSize)
      break;
  }
  table.globalBatchSize = options.globalBatchSize.value_or(largest * ranks);
  finish(table, options);
  return table;
}
