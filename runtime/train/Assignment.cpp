//===- Assignment.cpp - Which stored tensor goes into which global ------------------------------------------------===//

#include "train/Assignment.h"
#include "core/Failure.h"
#include "train/NameList.h"
#include "train/StoredDtype.h"
#include "train/WeightNames.h"

namespace txrt::train {

namespace {

bool fits(const GlobalSpec &global, const StoredTensor &tensor) {
  if (isFloat(global.dtype))
    return tensor.dtype == "F32" || tensor.dtype == "F16" || tensor.dtype == "BF16";
  return tensor.dtype == storedDtype(global.dtype);
}

/// Finds the place of every stored tensor. Collects all misfits, so that one message names them.
class Assigner {
public:
  Assigner(const Manifest &manifest, const StoredWeights &stored) : manifest(manifest), stored(stored) {}

  Assignment run(bool wantOptimizer) {
    const WeightNames names(manifest);
    for (const auto &[name, place] : stored.tensors())
      take(names.of(name), place);
    useTiedCopies();
    for (const GlobalSpec &global : manifest.globals)
      if (global.role != Role::Gradient)
        fill(global, wantOptimizer);
    report();
    return std::move(result);
  }

private:
  using Places = std::map<const GlobalSpec *, StoredWeights::Place>;

  static const StoredWeights::Place *find(const Places &list, const GlobalSpec *global) {
    const auto match = list.find(global);
    return match == list.end() ? nullptr : &match->second;
  }

  void take(const WeightNames::Meaning &meaning, const StoredWeights::Place &place) {
    using Meaning = WeightNames::Meaning;
    const StoredTensor &tensor = *place.tensor;
    if (meaning.kind == Meaning::Ignored) {
      if (result.ignored++ == 0)
        result.firstIgnored = tensor.name;
      return;
    }
    if (meaning.kind == Meaning::Unknown)
      return superfluous.add(tensor.name);
    const GlobalSpec &global = *meaning.global;
    Places &list = meaning.kind == Meaning::MasterOf ? masters : meaning.kind == Meaning::Value ? values : copies;
    if (const auto [other, isNew] = list.emplace(&global, place); !isNew)
      fail(TXRT_BAD_INPUT, "%s: '%s' and '%s' are two names of one weight", stored.shown().c_str(),
           printable(other->second.tensor->name, 120).c_str(), printable(tensor.name, 120).c_str());
    if (tensor.shape != global.shape)
      shapes.add(tensor.name + " is " + shapeText(tensor.shape) + ", the model needs " + shapeText(global.shape));
    else if (!fits(global, tensor))
      types.add(tensor.name + " is " + tensor.dtype + ", " +
                (isFloat(global.dtype) ? "F32, F16 and BF16 are loaded"
                                       : std::string(storedDtype(global.dtype)) + " is loaded"));
    result.hasOptimizer |= global.role != Role::Parameter;
  }

  /// A file may have a tied weight under one of its names or under both.
  void useTiedCopies() {
    for (const auto &[global, copy] : copies)
      if (const auto [value, isNew] = values.emplace(global, copy); !isNew)
        result.tied.emplace_back(value->second, copy);
  }

  void fill(const GlobalSpec &global, bool wantOptimizer) {
    const bool isWeight = global.role == Role::Parameter || global.role == Role::Master;
    const GlobalSpec *parameter = global.role == Role::Master ? manifest.findGlobal(global.of) : &global;
    const StoredWeights::Place *value = find(values, parameter), *master = find(masters, parameter);
    // A run that continues needs its f32 master: from the rounded parameter it would continue with other weights.
    const bool isRounded =
        global.role == Role::Master && result.hasOptimizer && value && !master && value->tensor->dtype != "F32";
    if (isRounded || (!value && (isWeight || result.hasOptimizer)))
      missing.add(global.name);
    else if (value && (isWeight || wantOptimizer))
      result.pairs.emplace_back(&global, master ? *master : *value);
    if (value && !master && global.role == Role::Parameter)
      result.converted[{value->tensor->dtype, storedDtype(global.dtype)}] += 1;
  }

  void report() {
    std::string problems;
    auto add = [&](const char *what, const NameList &list) {
      if (!list.empty())
        problems += std::string(problems.empty() ? "" : "; ") + what + list.str();
    };
    add("missing: ", missing);
    add("not in the model: ", superfluous);
    add("other shape: ", shapes);
    add("dtype that cannot be loaded: ", types);
    if (!problems.empty())
      fail(TXRT_BAD_INPUT, "%s: does not fit the model: %s", stored.shown().c_str(), problems.c_str());
  }

  const Manifest &manifest;
  const StoredWeights &stored;
  Assignment result;
  Places values, masters, copies;
  NameList superfluous, shapes, types, missing;
};

} // namespace

Assignment assign(const Manifest &manifest, const StoredWeights &stored, bool wantOptimizer) {
  return Assigner(manifest, stored).run(wantOptimizer);
}

} // namespace txrt::train
