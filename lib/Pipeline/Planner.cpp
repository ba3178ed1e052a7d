//===- Planner.cpp - Many plans of one model ----------------------------------------------------------------------===//

#include "tx/Pipeline/Planner.h"

#include "AddedPasses.h"
#include "Compilation.h"
#include "PlainPlans.h"
#include "Report.h"

#include "tx/Plan/ReadStep.h"
#include "tx/Support/UserError.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace tx;

plan::Seconds PlannedStep::getSeconds(int64_t microbatches) const {
  if (microbatches == 1)
    return step;
  plan::Seconds seconds = apply;
  for (double plan::Seconds::*part :
       {&plan::Seconds::forward, &plan::Seconds::backward, &plan::Seconds::recompute, &plan::Seconds::optimizer})
    seconds.*part += double(microbatches) * microbatch.*part;
  return seconds;
}

bool tx::namesValue(llvm::StringRef name, llvm::StringRef value) { return matchesName(name, value); }
std::string tx::describeLayerList(const std::vector<int> &layers) { return describeLayers(layers); }

/// The module as it stands.
static llvm::Expected<plan::Step> readPlain(Compilation &compilation) {
  FailureOr<StepIR> read = readStep(compilation.getModule());
  if (failed(read))
    return compilation.takeError();
  return std::move(read->step);
}

Planner::Planner() = default;
Planner::~Planner() = default;

llvm::Expected<std::unique_ptr<Planner>> Planner::create(const CompileOptions &given, const plan::Device &device) {
  CompileOptions options = given;
  options.recompute = {};
  options.recompute.granularity = "none";
  if (llvm::Error error = loadPlugins(options.plugins, "entries"))
    return std::move(error);
  Compilation compilation(options, {}, /*quiet=*/true);
  if (llvm::Error error = compilation.runTo("entries"))
    return std::move(error);
  if (llvm::Error error = compilation.markLibraryWork())
    return std::move(error);
  llvm::Expected<plan::Step> step = readPlain(compilation);
  if (!step)
    return step.takeError();
  const plan::Entry *entry = step->findEntry("microbatch");
  if (!entry || !entry->hasBackward())
    return badInput(options.input + ": has no training step to plan; mark the function to be differentiated");
  std::unique_ptr<Planner> planner(new Planner());
  planner->describe(*step, *entry);
  planner->plans = std::make_unique<PlainPlans>(std::move(*step), device);
  return planner;
}

void Planner::describe(const plan::Step &step, const plan::Entry &entry) {
  modules = entry.getModulesPresent();
  layers = entry.getLayerCount();
  auto typeOf = [&](int value) -> const plan::TensorType & { return step.types[entry.values[value].type]; };
  for (int argument : entry.arguments) {
    const plan::TensorType &type = typeOf(argument);
    if (type.element != plan::ElementType::I32 || type.shape.size() != 2)
      continue;
    samples = type.shape[0];
    tokens = type.shape[1];
    break;
  }
  auto first = llvm::find_if(entry.ops, [](const plan::Op &op) { return op.product.has_value(); });
  if (first != entry.ops.end())
    productType = typeOf(first->product->a).element;
}

llvm::Expected<PlannedStep> Planner::evaluate(const RecomputeOptions &policy) const {
  return plans->evaluate(getPolicyOptions(policy));
}
