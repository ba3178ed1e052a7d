//===- Rematerialize.cpp - Build the problem, decide, check, apply ------------------------------------------------===//

#include "ApplyPlan.h"
#include "BuildProblem.h"

#include "tx/Remat/Passes.h"
#include "tx/Remat/Policies.h"
#include "tx/Remat/Remat.h"

#include "mlir/Pass/Pass.h"

using namespace mlir;
using namespace tx;

namespace tx {
#define GEN_PASS_DEF_REMATERIALIZE
#include "tx/Remat/Passes.h.inc"
} // namespace tx

static void emit(func::FuncOp function, ArrayRef<RematMessage> messages) {
  for (const RematMessage &message : messages) {
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

LogicalResult tx::rematerialize(func::FuncOp function, const RematPolicyOptions &options, RematSummary *summary) {
  if (hasBackward(function)) {
    FailureOr<JointProblem> joint = buildRematProblem(function);
    if (failed(joint))
      return failure();

    std::vector<RematMessage> messages;
    std::optional<RematPolicy> policy = parseRematPolicy(options, joint->problem, messages);
    if (!policy) {
      emit(function, messages);
      return failure();
    }
    RematPlan plan = planRemat(joint->problem, *policy);
    if (std::optional<std::string> fault = verifyPlan(joint->problem, plan)) {
      emit(function, messages);
      return mlir::emitError(function.getLoc())
             << "recompute policy '" << getRematPolicyKind(*policy).name << "': " << *fault;
    }
    adviseOnPlan(joint->problem, *policy, plan, messages);
    emit(function, messages);
    applyRematPlan(*joint, plan);
    remarkOnPlan(function, joint->problem, plan);
  }
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
    options.recomputeActivations = recomputeActivations;
    if (failed(rematerialize(getOperation(), options)))
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
