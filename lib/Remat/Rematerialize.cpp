//===- Rematerialize.cpp - Read the step, decide, check, apply ----------------------------------------------------===//

#include "ApplyPlan.h"

#include "tx/Dialect/Tx/IR/Signature.h"
#include "tx/Dialect/Tx/IR/TxInterfaces.h"
#include "tx/Remat/Passes.h"
#include "tx/Remat/Policies.h"
#include "tx/Remat/Remat.h"

#include "mlir/IR/Builders.h"
#include "mlir/Pass/Pass.h"

#include <set>

using namespace mlir;
using namespace tx;

namespace tx {
#define GEN_PASS_DEF_REMATERIALIZE
#include "tx/Remat/Passes.h.inc"
} // namespace tx

/// Checks that the function is joint: forward ops before backward ops, no recomputations yet.
static LogicalResult verifyJointOrder(func::FuncOp function) {
  bool backwardBegan = false;
  for (Operation &op : function.front()) {
    if (op.getNumRegions() != 0)
      return op.emitOpError("has a region; rematerialization needs a flat function");
    auto scoped = dyn_cast<ScopedOpInterface>(op);
    if (!scoped)
      continue;
    Segment segment = scoped.getScope().getSegment();
    if (segment == Segment::Recompute)
      return op.emitOpError("is a recomputation already; rematerialize a function once");
    if (segment == Segment::Forward && backwardBegan)
      return op.emitOpError("is of the forward segment, but stands after ops of backward");
    backwardBegan |= segment != Segment::Forward;
  }
  return success();
}

namespace {

/// Decides for the functions of one module. Functions with the same forward (`microbatch`, and `step`, which updates
/// too) share a decision.
class Rematerializer {
public:
  Rematerializer(const StepIR &read, const RematPolicyOptions &options, const plan::Device *device)
      : read(read), options(options), device(device) {}

  LogicalResult run() {
    // The entry that needs most decides for those that share its forward.
    int main = plan::Scorer::findMainEntry(read.step);
    std::vector<int> order;
    for (int number = 0, e = read.step.entries.size(); number < e; ++number)
      if (read.step.entries[number].hasBackward())
        order.insert(number == main ? order.begin() : order.end(), number);
    for (int number : order) {
      std::optional<RematPlan> plan = share(read.step.entries[number]);
      if (!plan)
        plan = decide(number);
      if (!plan)
        return failure();
      decided.push_back({number, std::move(*plan)});
    }
    for (auto &[number, plan] : decided) {
      if (plan.found)
        noteFound(read.entries[number].function->getParentOfType<ModuleOp>(), *plan.found);
      applyRematPlan(read.step.entries[number], read.entries[number], plan);
      remarkOnPlan(read.entries[number].function, read.step.entries[number], plan);
    }
    return success();
  }

private:
  /// What the search knows of its plan, for reports.
  static void noteFound(ModuleOp module, const plan::SearchResult &found) {
    Builder builder(module.getContext());
    module->setAttr(kMemoryBudgetAttr, builder.getI64IntegerAttr(found.budget));
    module->setAttr(kLowerBoundAttr, builder.getF64FloatAttr(found.boundSeconds));
  }

  /// The plan of an earlier function with the same forward; nothing if there is none.
  std::optional<RematPlan> share(const plan::Entry &entry) {
    for (auto &[number, known] : decided) {
      std::optional<std::vector<int>> matches = plan::matchForward(read.step.entries[number], entry);
      if (!matches)
        continue;
      RematPlan plan(entry);
      plan.lines = known.lines;
      for (auto [value, match] : llvm::enumerate(*matches))
        if (match >= 0 && known.isRecomputed(match))
          plan.recompute(value, known.reasons[match]);
      placeRecomputations(entry, plan);
      if (!verifyPlan(entry, plan))
        return plan;
    }
    return std::nullopt;
  }

  std::optional<RematPlan> decide(int number) {
    const plan::Entry &entry = read.step.entries[number];
    func::FuncOp function = read.entries[number].function;
    std::vector<RematMessage> messages;
    std::optional<RematPolicy> policy = parseRematPolicy(options, entry, messages);
    if (!policy) {
      emit(function, messages);
      return std::nullopt;
    }
    RematPlan plan = planRemat({read.step, number, device}, *policy);
    if (!plan.refusal.empty()) {
      mlir::emitError(function.getLoc()) << (policy->custom.empty() ? "--recompute-granularity "
                                                                    : "--recompute-policy ")
                                         << getRematPolicyKind(*policy).name << ": " << plan.refusal;
      return std::nullopt;
    }
    if (std::optional<std::string> fault = verifyPlan(entry, plan)) {
      emit(function, messages);
      mlir::emitError(function.getLoc()) << "recompute policy '" << getRematPolicyKind(*policy).name << "': " << *fault;
      return std::nullopt;
    }
    adviseOnPlan(entry, *policy, plan, messages);
    emit(function, messages);
    return plan;
  }

  /// Says each thing once: several functions may give reason for it.
  void emit(func::FuncOp function, ArrayRef<RematMessage> messages) {
    for (const RematMessage &message : messages) {
      if (!said.insert(message.text).second)
        continue;
      switch (message.severity) {
      case RematMessage::Note: // MLIR attaches notes to other messages only
        mlir::emitRemark(function.getLoc()) << message.text;
        break;
      case RematMessage::Warning:
        mlir::emitWarning(function.getLoc()) << message.text;
        break;
      case RematMessage::Error:
        mlir::emitError(function.getLoc()) << message.text;
        break;
      }
    }
  }

  const StepIR &read;
  const RematPolicyOptions &options;
  const plan::Device *device;
  std::vector<std::pair<int, RematPlan>> decided; // by the number of the entry
  std::set<std::string> said;
};

} // namespace

static bool hasBackward(func::FuncOp function) {
  return function
      .walk([](ScopedOpInterface op) {
        return op.getScope().getSegment() == Segment::Backward ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

static LogicalResult rematerialize(ModuleOp module, SmallVector<func::FuncOp> functions,
                                   const RematPolicyOptions &options) {
  // A budget is one of the whole step; other policies look only at what they change.
  bool needsAll = options.granularity == stringifyRecomputeGranularity(RecomputeGranularity::Auto);
  llvm::erase_if(functions, [&](func::FuncOp function) {
    return function.isDeclaration() || (!needsAll && !hasBackward(function));
  });
  for (func::FuncOp function : functions)
    if (failed(verifyFlat(function)) || (hasBackward(function) && failed(verifyJointOrder(function))))
      return failure();
  llvm::Expected<plan::Device> device = plan::findDevice(options.device.value_or(options.usualDevice));
  if (!device)
    return module.emitError() << llvm::toString(device.takeError());
  FailureOr<StepIR> read = readStep(module, functions);
  return failed(read) ? failure() : Rematerializer(*read, options, &*device).run();
}

LogicalResult tx::rematerialize(func::FuncOp function, const RematPolicyOptions &options, RematSummary *summary) {
  if (failed(::rematerialize(function->getParentOfType<ModuleOp>(), {function}, options)))
    return failure();
  if (summary)
    *summary = summarizeRemat(function);
  return success();
}

namespace {

struct Rematerialize : tx::impl::RematerializeBase<Rematerialize> {
  using RematerializeBase::RematerializeBase;

  explicit Rematerialize(const RematPolicyOptions &policy) {
    give(granularity, policy.granularity);
    give(method, policy.method);
    give(numLayers, policy.numLayers);
    give(modules, policy.modules);
    give(layers, policy.layers);
    give(saveOnly, policy.saveOnly);
    give(memoryBudget, policy.memoryBudget);
    give(planFile, policy.planFile);
    give(this->policy, policy.policy);
    give(device, policy.device);
    usualDevice = policy.usualDevice;
    recomputeActivations = policy.recomputeActivations;
  }

  void runOnOperation() override {
    RematPolicyOptions options;
    // An option that was given with an empty value is not the same as an option that was not given.
    auto take = [](const Option<std::string> &option) {
      return option.hasValue() ? std::optional<std::string>(option.getValue()) : std::nullopt;
    };
    options.granularity = take(granularity);
    options.method = take(method);
    options.numLayers = take(numLayers);
    options.modules = take(modules);
    options.layers = take(layers);
    options.saveOnly = take(saveOnly);
    options.memoryBudget = take(memoryBudget);
    options.planFile = take(planFile);
    options.policy = take(policy);
    options.device = take(device);
    options.usualDevice = usualDevice;
    options.recomputeActivations = recomputeActivations;
    if (failed(rematerialize(getOperation(), llvm::to_vector(getOperation().getOps<func::FuncOp>()), options)))
      signalPassFailure();
  }

private:
  /// Gives the option a value as if the user had written it. A plain assignment would not set hasValue().
  static void give(Option<std::string> &option, const std::optional<std::string> &value) {
    if (value)
      option.addOccurrence(/*pos=*/0, option.ArgStr, *value);
  }
};

} // namespace

std::unique_ptr<Pass> tx::createRematerialize(const RematPolicyOptions &policy) {
  return std::make_unique<Rematerialize>(policy);
}
