//===- Planner.cpp - Many plans of one model ----------------------------------------------------------------------===//

#include "tx/Pipeline/Planner.h"

#include "Compilation.h"
#include "Report.h"

#include "tx/Plan/ReadStep.h"
#include "tx/Support/UserError.h"

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

/// The model as a module in which recomputation is not yet decided.
class Planner::State {
public:
  State(const CompileOptions &given, const plan::Device &device)
      : options(given), device(device), compilation(options, makeHooks(), /*quiet=*/true) {}

  llvm::Error read() { return compilation.runTo("entries"); }

  ModuleOp getModule() { return compilation.getModule(); }

  llvm::Expected<PlannedStep> evaluate(const RecomputeOptions &policy) {
    options.recompute = policy;
    planned = {};
    auto takeBytes = [&] {
      planned.peakBytes = getPeakBytes(compilation.getProgram());
      planned.persistentBytes = static_cast<int64_t>(compilation.getProgram().getPersistentBytes());
      planned.summary = compilation.getSummary();
    };
    if (llvm::Error error = compilation.tryFrom("entries", "step", takeBytes))
      return std::move(error);
    return planned;
  }

private:
  CompileHooks makeHooks() {
    CompileHooks hooks;
    hooks.afterPlacement = [this](ModuleOp module) { takeSeconds(module); };
    return hooks;
  }

  /// Times the launches that fusion and the target's libraries have decided on.
  void takeSeconds(ModuleOp module) {
    FailureOr<StepIR> read = readStep(module, ReadNames::No);
    assert(succeeded(read) && "it was read before");
    plan::LaunchTimer timer(read->step, device);
    for (auto [name, field] : {std::pair("step", &PlannedStep::step), std::pair("microbatch", &PlannedStep::microbatch),
                               std::pair("apply", &PlannedStep::apply)})
      if (const plan::Entry *entry = read->step.findEntry(name))
        planned.*field = plan::computeSeconds(*entry, plan::readSchedule(*entry), timer);
  }

  CompileOptions options;
  const plan::Device &device;
  PlannedStep planned;
  Compilation compilation;
};

Planner::Planner(std::unique_ptr<State> state) : state(std::move(state)) {}
Planner::~Planner() = default;

llvm::Expected<std::unique_ptr<Planner>> Planner::create(const CompileOptions &options, const plan::Device &device) {
  std::unique_ptr<Planner> planner(new Planner(std::make_unique<State>(options, device)));
  if (llvm::Error error = planner->state->read())
    return std::move(error);
  FailureOr<StepIR> read = readStep(planner->state->getModule());
  const plan::Entry *entry = succeeded(read) ? read->step.findEntry("microbatch") : nullptr;
  if (!entry)
    return badInput(options.input + ": has no training step to plan; mark the function to be differentiated");
  planner->modules = entry->getModulesPresent();
  planner->layers = entry->getLayerCount();
  planner->describeBatch(read->step, *entry);
  return planner;
}

void Planner::describeBatch(const plan::Step &step, const plan::Entry &entry) {
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

llvm::Expected<PlannedStep> Planner::evaluate(const RecomputeOptions &policy) { return state->evaluate(policy); }
