//===- Options.cpp - The recompute flags, checked against a model -------------------------------------------------===//
//
// docs/Recompute.md lists the messages of this file; each message has its test.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Remat/Options.h"

#include "ModuleTraits.h"
#include "NearNames.h"

#include "tx/Plan/Device.h"
#include "tx/Remat/Policies.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace tx;
using llvm::StringRef;

static const std::string kGranularity = "--recompute-granularity", kMethod = "--recompute-method",
                         kNumLayers = "--recompute-num-layers", kModules = "--recompute-modules",
                         kLayers = "--recompute-layers", kSaveOnly = "--recompute-save-only",
                         kMemoryBudget = "--memory-budget", kPlan = "--recompute-plan", kPolicy = "--recompute-policy";

static std::string listGranularities() {
  return listNames<RecomputeGranularity>(0, getMaxEnumValForRecomputeGranularity());
}
static std::string listMethods() { return listNames<RecomputeMethod>(1, getMaxEnumValForRecomputeMethod()); }
static std::string listModules() { return listNames<RecomputeModule>(0, getMaxEnumValForRecomputeModule()); }

const std::vector<RematFlag> &tx::getRematFlags() {
  static const std::vector<RematFlag> flags = {
      {kGranularity, &RematPolicyOptions::granularity},
      {kMethod, &RematPolicyOptions::method},
      {kNumLayers, &RematPolicyOptions::numLayers},
      {kModules, &RematPolicyOptions::modules},
      {kLayers, &RematPolicyOptions::layers},
      {kSaveOnly, &RematPolicyOptions::saveOnly},
      {kMemoryBudget, &RematPolicyOptions::memoryBudget},
      {kPlan, &RematPolicyOptions::planFile},
      {kPolicy, &RematPolicyOptions::policy},
  };
  return flags;
}

bool RematPolicy::includesLayer(int layer) const {
  if (layer < 0)
    return false;
  if (layers)
    return std::binary_search(layers->begin(), layers->end(), layer);
  return method != RecomputeMethod::Block || layer <= lastOfBlock;
}

std::string tx::listLayers(const std::vector<int> &layers) {
  std::string text;
  for (size_t first = 0; first < layers.size();) {
    size_t last = first;
    while (last + 1 < layers.size() && layers[last + 1] == layers[last] + 1)
      ++last;
    text += (first == 0 ? "" : ",") + std::to_string(layers[first]);
    if (last > first)
      text += "-" + std::to_string(layers[last]);
    first = last + 1;
  }
  return text;
}

std::string tx::describeLayers(const std::vector<int> &layers) {
  return (layers.size() == 1 ? "layer " : "layers ") + listLayers(layers);
}

std::optional<int64_t> tx::parseBytes(StringRef text) {
  static constexpr std::pair<StringRef, double> units[] = {{"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30},
                                                           {"TiB", 0x1p40}, {"KB", 1e3},     {"MB", 1e6},
                                                           {"GB", 1e9},     {"TB", 1e12},    {"B", 1}};
  double factor = 1, number = 0;
  for (auto [unit, size] : units)
    if (text.consume_back_insensitive(unit)) {
      factor = size;
      break;
    }
  text = text.trim();
  if (text.getAsDouble(number) || !(number * factor < 0x1p62) || number < 0)
    return std::nullopt;
  int64_t whole = 0;
  return !text.getAsInteger(10, whole) && factor == 1 ? whole : static_cast<int64_t>(number * factor);
}

bool tx::matchesName(StringRef pattern, StringRef valueName) {
  auto beginsAt = [&](StringRef name) { return name.consume_front(pattern) && (name.empty() || name.front() == '.'); };
  return beginsAt(valueName) || beginsAt(withoutLayer(valueName));
}

namespace {

class Parser {
public:
  Parser(const RematPolicyOptions &options, const plan::Entry &entry, std::vector<RematMessage> &messages)
      : options(options), entry(entry), messages(messages) {}

  std::optional<RematPolicy> run() {
    parseGranularity();
    parseMethod();
    parseNumLayers();
    parseModules();
    parseLayers();
    parseSaveOnly();
    parseMemoryBudget();
    parsePlan();
    parsePolicy();
    if (!failed) // check combinations only when each flag is valid alone
      checkTogether();
    return failed ? std::nullopt : std::optional<RematPolicy>(policy);
  }

private:
  void error(std::string text) {
    messages.push_back({RematMessage::Error, std::move(text)});
    failed = true;
  }
  void warn(std::string text) { messages.push_back({RematMessage::Warning, std::move(text)}); }
  void note(std::string text) { messages.push_back({RematMessage::Note, std::move(text)}); }

  static std::vector<std::string> splitList(StringRef text) {
    std::vector<std::string> items;
    while (!text.empty()) {
      auto [item, rest] = std::make_pair(text.take_until(isSeparator), text.drop_until(isSeparator));
      if (!item.empty())
        items.push_back(item.str());
      text = rest.drop_front(rest.empty() ? 0 : 1);
    }
    return items;
  }
  static bool isSeparator(char c) { return c == ',' || c == ' ' || c == '\t'; }

  /// A flag with the value `None` counts as not given: Python scripts write it so.
  static bool isUnset(const std::optional<std::string> &text) { return !text || *text == "None"; }

  void parseGranularity() {
    if (isUnset(options.granularity))
      return;
    std::optional<RecomputeGranularity> known = symbolizeRecomputeGranularity(*options.granularity);
    if (!known)
      return error(kGranularity + " '" + *options.granularity + "' is unknown; known: " + listGranularities());
    policy.granularity = *known;
    granularityGiven = true;
  }

  void parseMethod() {
    if (isUnset(options.method))
      return;
    std::optional<RecomputeMethod> known = symbolizeRecomputeMethod(*options.method);
    if (!known)
      return error(kMethod + " '" + *options.method + "' is unknown; known: " + listMethods());
    policy.method = *known;
  }

  void parseNumLayers() {
    if (isUnset(options.numLayers))
      return;
    long long count;
    if (StringRef(*options.numLayers).getAsInteger(10, count) || count < 1 || count > entry.getLayerCount())
      return error(kNumLayers + " '" + *options.numLayers + "' is not a number of layers; " + describeLayerCount());
    policy.numLayers = static_cast<int>(count);
    policy.lastOfBlock = entry.layers[count - 1];
    numLayersGiven = true;
  }

  void parseModules() {
    if (isUnset(options.modules))
      return;
    modulesGiven = true;
    for (const std::string &name : splitList(*options.modules)) {
      std::optional<RecomputeModule> module = symbolizeRecomputeModule(name);
      if (!module) {
        error("recompute module '" + name + "' is unknown; known: " + listModules());
      } else if (llvm::is_contained(policy.modules, *module)) {
        error("recompute module '" + name + "' is given twice in " + kModules + " " + *options.modules);
      } else {
        policy.modules.push_back(*module);
        checkPresent(*module);
      }
    }
  }

  void checkPresent(RecomputeModule module) {
    std::vector<RecomputeModule> present = entry.getModulesPresent();
    if (llvm::is_contained(present, module))
      return;
    std::string names;
    for (RecomputeModule other : present)
      names += (names.empty() ? "" : ", ") + stringifyRecomputeModule(other).str();
    error("recompute module '" + stringifyRecomputeModule(module).str() + "' names no op in this model, which has no " +
          getModelPart(module) + "; present: " + (names.empty() ? "none" : names));
  }

  void parseLayers() {
    if (isUnset(options.layers))
      return;
    policy.layers.emplace();
    std::vector<bool> named(entry.layers.size());
    for (const std::string &item : splitList(*options.layers)) {
      auto [firstText, lastText] = StringRef(item).split('-');
      int first = 0, last = 0;
      bool isRange = StringRef(item).contains('-');
      if (firstText.getAsInteger(10, first) || (isRange ? lastText : firstText).getAsInteger(10, last) || last < first)
        return error(kLayers + " '" + item + "' is neither a layer nor a range of layers, as in 0-3,7");
      // Every layer of the range must exist; this also bounds the range by the number of layers.
      std::optional<int> begin = entry.findLayer(first), end = entry.findLayer(last);
      if (!begin || !end || *end - *begin != last - first)
        return error(kLayers + " '" + item + "' is out of range; " + describeLayers());
      for (int place = *begin; place <= *end; ++place) {
        if (named[place])
          return error(kLayers + " '" + *options.layers + "' names layer " + std::to_string(entry.layers[place]) +
                       " twice");
        named[place] = true;
        policy.layers->push_back(entry.layers[place]);
      }
    }
    if (policy.layers->empty())
      return error(kLayers + " names no layer; " + describeLayers());
    llvm::sort(*policy.layers);
  }

  void parseSaveOnly() {
    if (isUnset(options.saveOnly))
      return;
    policy.saveOnly = splitList(*options.saveOnly);
    for (const std::string &name : *policy.saveOnly)
      if (llvm::none_of(entry.values, [&](const plan::Value &value) {
            return value.producer >= 0 && entry.ops[value.producer].isForward() && matchesName(name, value.name);
          }))
        error(kSaveOnly + " '" + name + "' names no value of this model; " + suggestNames(entry, name));
  }

  void parseMemoryBudget() {
    if (isUnset(options.memoryBudget))
      return;
    policy.memoryBudget = parseBytes(*options.memoryBudget);
    if (llvm::is_contained(plan::getDeviceNames(), *options.memoryBudget))
      policy.budgetDevice = *options.memoryBudget;
    else if (!policy.memoryBudget || *policy.memoryBudget <= 0)
      error(kMemoryBudget + " '" + *options.memoryBudget +
            "' is neither a number of bytes, as 17179869184, 16GiB or 500MB, nor a device; known: " +
            llvm::join(plan::getDeviceNames(), ", "));
  }

  void parsePlan() {
    if (isUnset(options.planFile))
      return;
    auto text = llvm::MemoryBuffer::getFile(*options.planFile);
    if (!text)
      return error(kPlan + " " + *options.planFile + ": cannot be read: " + text.getError().message());
    llvm::Expected<PlanFile> plan = parsePlanFile((*text)->getBuffer(), *options.planFile);
    if (!plan)
      return error(kPlan + " " + llvm::toString(plan.takeError()));
    if (llvm::Error fault = applyPlanFile(*plan, entry).takeError())
      return error(kPlan + " " + llvm::toString(std::move(fault)));
    policy.plan = std::move(*plan);
  }

  void parsePolicy() {
    if (isUnset(options.policy))
      return;
    auto [name, argument] = StringRef(*options.policy).split(':');
    policy.custom = name.str();
    policy.argument = argument.str();
    std::string known;
    for (const std::string &each : getRegisteredPolicyNames()) {
      if (each == name)
        return;
      known += (known.empty() ? "" : ", ") + each;
    }
    error(kPolicy + " '" + name.str() + "' is registered by no plug-in; " +
          (known.empty() ? "none registers a policy" : "known: " + known));
  }

  void checkTogether() {
    for (const std::string &alone : {kSaveOnly, kPlan, kPolicy})
      if (isGiven(alone))
        return checkAlone(alone);
    if (options.recomputeActivations)
      checkShorthand();
    if (failed)
      return;
    switch (policy.granularity) {
    case RecomputeGranularity::None:
      return checkNone();
    case RecomputeGranularity::Selective:
      return checkSelective();
    case RecomputeGranularity::Full:
      return checkFull();
    case RecomputeGranularity::Auto:
      return checkAuto();
    }
  }

  bool isGiven(StringRef name) const {
    return llvm::any_of(getRematFlags(),
                        [&](const RematFlag &flag) { return flag.name == name && !isUnset(options.*flag.field); });
  }

  void checkAlone(const std::string &alone) {
    for (const RematFlag &flag : getRematFlags())
      if (flag.name != alone && !isUnset(options.*flag.field))
        return error(alone + " is a policy of its own; leave out " + flag.name);
    if (options.recomputeActivations)
      error(alone + " is a policy of its own; leave out " + kRecomputeActivationsFlag);
  }

  // --recompute-activations sets the granularity. Megatron silently overrides one that was given; Tx refuses another
  // one.
  void checkShorthand() {
    if (granularityGiven && policy.granularity != RecomputeGranularity::Selective)
      return error(std::string(kRecomputeActivationsFlag) + " means " + kGranularity + " selective, but " +
                   kGranularity + " " + *options.granularity + " is given too; leave out one of them");
    policy.granularity = RecomputeGranularity::Selective;
  }

  void checkNone() {
    // A number alone asks for nothing, and stands in scripts of Megatron's, which ignores it.
    bool isAlone = numLayersGiven && !granularityGiven && policy.method == RecomputeMethod::None &&
                   policy.modules.empty() && !policy.layers;
    if (isAlone)
      return warn(kNumLayers + " " + *options.numLayers + " has no effect without " + kGranularity +
                  " full or selective: nothing is recomputed");
    for (const RematFlag &flag : getRematFlags())
      if (flag.name != kGranularity && !isUnset(options.*flag.field) && asksForSomething(flag))
        return error(flag.name + " " + *(options.*flag.field) + " needs " + kGranularity + " " + granularityFor(flag));
  }
  const char *granularityFor(const RematFlag &flag) const {
    if (flag.name == kMemoryBudget)
      return "auto";
    if (flag.name == kModules)
      return "selective";
    return policy.method == RecomputeMethod::Uniform ? "full" : "full or selective";
  }
  bool asksForSomething(const RematFlag &flag) const {
    return !(flag.name == kMethod && policy.method == RecomputeMethod::None) &&
           !(flag.name == kModules && policy.modules.empty());
  }

  void checkAuto() {
    if (isUnset(options.memoryBudget) && options.device)
      policy.budgetDevice = *options.device;
    for (const RematFlag &flag : getRematFlags())
      if (flag.name != kGranularity && flag.name != kMemoryBudget && !isUnset(options.*flag.field) &&
          asksForSomething(flag))
        return error(kGranularity + " auto decides about each value by itself; leave out " + flag.name);
  }

  void checkSelective() {
    if (policy.method == RecomputeMethod::Uniform)
      return error(kMethod + " uniform means nothing with " + kGranularity + " selective, which has no chunks; use " +
                   kMethod + " block with " + kNumLayers + " (the first layers), or " + kLayers + " (any layers)");
    checkBlockOrList();
    if (!modulesGiven) {
      checkPresent(RecomputeModule::CoreAttn);
      policy.modules = {RecomputeModule::CoreAttn};
    }
  }

  void checkFull() {
    if (modulesGiven && !policy.modules.empty()) {
      warn(kModules + " " + *options.modules + " has no effect with " + kGranularity +
           " full, which recomputes whole layers; for these modules alone use " + kGranularity + " selective");
      policy.modules.clear();
    }
    if (policy.method == RecomputeMethod::None && !numLayersGiven && !policy.layers) {
      policy.method = RecomputeMethod::Uniform;
      policy.numLayers = 1;
      return note(kGranularity + " full without " + kMethod + " (" + listMethods() + "): taken as uniform with " +
                  kNumLayers + " 1");
    }
    checkBlockOrList();
  }

  void checkBlockOrList() {
    bool hasMethod = policy.method != RecomputeMethod::None;
    std::string method = stringifyRecomputeMethod(policy.method).str();
    if (policy.layers && (hasMethod || numLayersGiven))
      return error(kLayers + " says which layers take part, and so does " +
                   (hasMethod ? kMethod + " " + method : kNumLayers) + "; leave out one of them");
    if (numLayersGiven && !hasMethod)
      return error(kNumLayers + " " + *options.numLayers + " needs " + kMethod + ": " +
                   (policy.granularity == RecomputeGranularity::Full ? listMethods() : "block"));
    if (hasMethod && !numLayersGiven)
      return error(kMethod + " " + method + " needs " + kNumLayers + "; " + describeLayerCount());
  }

  std::string describeLayerCount() const {
    return entry.layers.empty() ? "this model has no layers"
                                : "this model allows 1 to " + std::to_string(entry.getLayerCount());
  }
  std::string describeLayers() const {
    return entry.layers.empty() ? "this model has no layers" : "this model has " + tx::describeLayers(entry.layers);
  }

  const RematPolicyOptions &options;
  const plan::Entry &entry;
  std::vector<RematMessage> &messages;
  RematPolicy policy;
  bool granularityGiven = false, numLayersGiven = false, modulesGiven = false, failed = false;
};

} // namespace

std::optional<RematPolicy> tx::parseRematPolicy(const RematPolicyOptions &options, const plan::Entry &entry,
                                                std::vector<RematMessage> &messages) {
  return Parser(options, entry, messages).run();
}
