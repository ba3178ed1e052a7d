//===- Report.cpp - One number for plan and run -------------------------------------------------------------------===//

#include "Report.h"

#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Frontend/Family.h"
#include "tx/Memory/Passes.h"
#include "tx/Remat/PlanFile.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;
using namespace tx;
namespace json = llvm::json;

int64_t tx::getPeakBytes(step::ProgramOp program) {
  return program.getPersistentBytes() + program.getArgumentBytes() + program.getSavedBytes() +
         program.getTransientBytes();
}

/// Bytes of the globals that have one of the roles, without padding for alignment.
static int64_t getRoleBytes(ModuleOp module, llvm::ArrayRef<GlobalRole> roles) {
  int64_t bytes = 0;
  for (auto global : module.getOps<GlobalOp>())
    if (llvm::is_contained(roles, global.getRole()))
      bytes += getByteSize(global.getType());
  return bytes;
}

static int64_t countParameters(ModuleOp module) {
  int64_t elements = 0;
  for (auto global : module.getOps<GlobalOp>())
    if (global.getRole() == GlobalRole::Parameter)
      elements += cast<RankedTensorType>(global.getType()).getNumElements();
  return elements;
}

/// The bytes of the largest scratch that a library call of the program gets; they are a part of the transient bytes.
static int64_t getScratchBytes(step::ProgramOp program) {
  int64_t bytes = 0;
  auto take = [&](auto op) {
    if (auto scratch = op.getScratch())
      bytes = std::max(bytes, scratch->getExtent());
  };
  program.walk([&](step::GemmOp op) { take(op); });
  program.walk([&](step::LaunchOp op) { take(op); });
  return bytes;
}

/// For each entry: the bytes of its transient segment, the least bytes that any placement could need, the number of
/// launches, the bytes that a rank sends to others.
static json::Array describeEntries(step::ProgramOp program) {
  json::Array entries;
  for (auto entry : program.getOps<step::EntryOp>()) {
    json::Object object{{"name", entry.getSymName()}};
    for (auto [field, attribute] : {std::pair("transient_bytes", kTransientBytesAttr.str()),
                                    std::pair("peak_live_bytes", kPeakLiveBytesAttr.str())})
      if (auto bytes = entry->getAttrOfType<IntegerAttr>(attribute))
        object[field] = bytes.getInt();
    object["launches"] = static_cast<int64_t>(entry.getBody().front().getOperations().size());
    int64_t sent = 0;
    for (auto collective : entry.getBody().getOps<step::CollectiveOp>())
      sent += collective.getSent();
    object["sent_bytes"] = sent;
    entries.push_back(std::move(object));
  }
  return entries;
}

/// Six digits, so that machines whose mathematical libraries round differently print the same.
static double roundSeconds(double seconds) {
  double rounded = 0;
  [[maybe_unused]] bool failed = llvm::StringRef(llvm::formatv("{0:e5}", seconds).str()).getAsDouble(rounded);
  assert(!failed && "a number was printed");
  return rounded;
}

/// Adds the fields on time.
static void addTimes(json::Object &report, const StepTimes &times) {
  const plan::Seconds &seconds = times.seconds;
  report["device"] = times.device;
  report["forward_seconds"] = roundSeconds(seconds.forward);
  report["backward_seconds"] = roundSeconds(seconds.backward);
  report["recompute_seconds"] = roundSeconds(seconds.recompute);
  report["optimizer_seconds"] = roundSeconds(seconds.optimizer);
  report["step_seconds"] = roundSeconds(seconds.getTotal());
  report["products_measured"] = times.measuredProducts;
  report["products_estimated"] = times.estimatedProducts;
}

static constexpr StringRef kBoundFields[] = {"memory_budget", "lower_bound_seconds", "optimality_gap"};

/// What policy `auto` knows of its plan: the budget, a bound on the seconds of any plan within it, and how far from the
/// bound the step is, as a share of its seconds.
static void addBound(json::Object &report, ModuleOp module, const StepTimes &times) {
  auto budget = module->getAttrOfType<IntegerAttr>(kMemoryBudgetAttr);
  auto bound = module->getAttrOfType<FloatAttr>(kLowerBoundAttr);
  if (!budget || !bound)
    return;
  double seconds = times.seconds.getTotal(), least = bound.getValueAsDouble();
  auto [budgetField, boundField, gapField] = kBoundFields;
  report[budgetField] = budget.getInt();
  report[boundField] = roundSeconds(least);
  report[gapField] = roundSeconds(seconds > 0 ? (seconds - least) / seconds : 0);
}

json::Object tx::buildReport(ModuleOp module, step::ProgramOp program, const RematSummary &summary,
                             const StepTimes &times) {
  json::Array saved, recomputed;
  for (const SavedValue &value : summary.saved)
    saved.push_back(json::Object{{"name", value.name},
                                 {"layer", value.layer},
                                 {"module", value.module},
                                 {"shape", json::Array(value.shape)},
                                 {"dtype", value.dtype},
                                 {"bytes", value.bytes}});
  int64_t recomputeVectorFlops = 0;
  for (const RecomputedOp &op : summary.recomputed) {
    recomputed.push_back(json::Object{{"name", op.name},
                                      {"layer", op.layer},
                                      {"module", op.module},
                                      {"flops", op.flops},
                                      {"vector_flops", op.vectorFlops}});
    recomputeVectorFlops += op.vectorFlops;
  }
  int64_t peak = getPeakBytes(program);
  json::Object report{
      {"peak_bytes", peak},
      {"arena_bytes", peak},
      {"persistent_bytes", static_cast<int64_t>(program.getPersistentBytes())},
      {"argument_bytes", static_cast<int64_t>(program.getArgumentBytes())},
      {"transient_bytes", static_cast<int64_t>(program.getTransientBytes())},
      {"library_scratch_bytes", getScratchBytes(program)},
      {"parameters", countParameters(module)},
      {"parameter_bytes", getRoleBytes(module, GlobalRole::Parameter)},
      {"gradient_bytes", getRoleBytes(module, GlobalRole::Gradient)},
      {"optimizer_bytes", getRoleBytes(module, {GlobalRole::Moment1, GlobalRole::Moment2, GlobalRole::Master})},
      {"saved_activation_bytes", summary.savedBytes},
      {"layers", json::Array(summary.layers)},
      {"saved_activation_bytes_per_layer", json::Array(summary.savedBytesPerLayer)},
      {"saved", std::move(saved)},
      {"forward_flops", summary.forwardFlops},
      {"backward_flops", summary.backwardFlops},
      {"recompute_flops", summary.recomputeFlops},
      {"recompute_vector_flops", recomputeVectorFlops},
      {"recomputed", std::move(recomputed)},
      {"entries", describeEntries(program)}};
  addTimes(report, times);
  addBound(report, module, times);
  return report;
}

//===--------------------------------------------------------------------------------------------------------------===//
// What was asked for
//===--------------------------------------------------------------------------------------------------------------===//

static std::optional<std::string> joined(const std::optional<std::vector<std::string>> &list) {
  return list ? std::optional(llvm::join(*list, ",")) : std::nullopt;
}

RematPolicyOptions tx::getPolicyOptions(const RecomputeOptions &recompute) {
  RematPolicyOptions options;
  options.granularity = recompute.granularity;
  options.method = recompute.method;
  options.numLayers = recompute.numLayers;
  options.modules = joined(recompute.modules);
  options.layers = joined(recompute.layers);
  options.saveOnly = joined(recompute.saveOnly);
  options.memoryBudget = recompute.memoryBudget;
  options.planFile = recompute.planFile;
  options.policy = recompute.policy;
  options.recomputeActivations = recompute.activations;
  return options;
}

/// What the file of a plan says of the policy that made it; nothing if a person has changed the plan.
static std::optional<json::Object> readPolicy(const std::string &planFile) {
  auto text = llvm::MemoryBuffer::getFile(planFile);
  llvm::Expected<PlanFile> plan = parsePlanFile(text ? (*text)->getBuffer() : "", planFile);
  if (!plan) { // it was read before; somebody has taken it away meanwhile
    llvm::consumeError(plan.takeError());
    return std::nullopt;
  }
  llvm::Expected<json::Value> policy = json::parse(plan->policy);
  if (!policy) {
    llvm::consumeError(policy.takeError());
    return std::nullopt;
  }
  return *policy->getAsObject();
}

json::Object tx::describePolicy(const CompileOptions &options, bool hasOwnRecompute) {
  if (options.recompute.planFile)
    if (std::optional<json::Object> policy = readPolicy(*options.recompute.planFile))
      return std::move(*policy);
  RematPolicyOptions policy = getPolicyOptions(options.recompute);
  json::Object asked;
  std::string description;
  for (const RematFlag &flag : getRematFlags()) {
    const std::optional<std::string> &value = policy.*flag.field;
    if (!value)
      continue;
    asked[llvm::StringRef(flag.name).ltrim('-')] = *value;
    description += (description.empty() ? "" : " ") + flag.name + " " + *value;
  }
  if (policy.recomputeActivations) {
    asked[llvm::StringRef(kRecomputeActivationsFlag).ltrim('-')] = true;
    description += (description.empty() ? "" : " ") + std::string(kRecomputeActivationsFlag);
  }
  if (description.empty())
    description = hasOwnRecompute ? "of the input" : "none";
  asked["description"] = description;
  return asked;
}

json::Object tx::describeInput(const CompileOptions &options, bool hasOwnRecompute, json::Object report) {
  // What a search knows of its plan is no part of the step: who applies the plan gets the same artifact.
  for (StringRef field : kBoundFields)
    report.erase(field);
  json::Object about{{"policy", describePolicy(options, hasOwnRecompute)},
                     {"report", std::move(report)},
                     {"seed", options.model.seed}};
  if (!options.inputIsModule)
    about["model"] = toJson(options.model), about["weights"] = describeWeights(options.model);
  if (!options.plugins.addedPasses.empty())
    about["added_passes"] = json::Array(options.plugins.addedPasses);
  return about;
}
