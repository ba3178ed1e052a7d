//===- InputPhase.cpp - Where on its way a module is --------------------------------------------------------------===//

#include "InputPhase.h"
#include "Report.h"

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Dialect/Tx/IR/Signature.h"
#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Frontend/UserError.h"
#include "tx/Pipeline/Pipelines.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace tx;

ReachedPhase tx::findReachedPhase(ModuleOp module) {
  auto has = [&](StringRef name) { return module.lookupSymbol<func::FuncOp>(name) != nullptr; };
  if (!module.getOps<step::ProgramOp>().empty())
    return ReachedPhase::Step;
  // Another function may have that name; it is not what autodiff made.
  auto microbatch = module.lookupSymbol<func::FuncOp>("microbatch");
  auto isScale = [](DictionaryAttr attributes) {
    auto name = attributes ? attributes.getAs<StringAttr>(kNameAttr) : StringAttr();
    return name && name.getValue() == "loss_scale";
  };
  SmallVector<DictionaryAttr> arguments;
  if (microbatch)
    microbatch.getAllArgAttrs(arguments);
  if (llvm::none_of(arguments, isScale))
    return ReachedPhase::Model;
  return has("apply") || has("step") || has("evaluate") ? ReachedPhase::Remat : ReachedPhase::Joint;
}

static StringRef nameOf(ReachedPhase reached) {
  switch (reached) {
  case ReachedPhase::Model:
    return "model";
  case ReachedPhase::Joint:
    return "joint";
  case ReachedPhase::Remat:
    return "remat";
  case ReachedPhase::Step:
    return "step";
  }
  llvm_unreachable("all phases are named");
}

/// A flag whose work is done in the input; empty if there is none.
static std::string findLateFlag(const CompileOptions &options, ReachedPhase reached) {
  if (reached >= ReachedPhase::Joint && options.parallel.dataParallelSize != 1)
    return "--data-parallel-size";
  if (reached < ReachedPhase::Remat)
    return "";
  if (!options.output.verifyTwinFile.empty())
    return "--verify-twin";
  RematPolicyOptions policy = getPolicyOptions(options.recompute);
  for (const RematFlag &flag : getRematFlags())
    if (policy.*flag.field)
      return flag.name;
  if (policy.recomputeActivations)
    return kRecomputeActivationsFlag;
  const OptimizerOptions &given = options.optimizer, standard;
  const std::pair<const char *, double OptimizerOptions::*> constants[] = {
      {"--weight-decay", &OptimizerOptions::weightDecay},
      {"--clip-grad", &OptimizerOptions::clipGrad},
      {"--adam-beta1", &OptimizerOptions::adamBeta1},
      {"--adam-beta2", &OptimizerOptions::adamBeta2},
      {"--adam-eps", &OptimizerOptions::adamEps}};
  for (auto [flag, field] : constants)
    if (given.*field != standard.*field)
      return flag;
  return "";
}

llvm::Error tx::checkFunctions(const CompileOptions &options, ModuleOp module) {
  for (auto function : module.getOps<func::FuncOp>())
    if (!function.isExternal())
      return llvm::Error::success();
  StringRef nested = module.getOps<ModuleOp>().empty() ? "" : "; functions in a module of the module are not looked at";
  return badInput(options.input +
                  ": has no function, and so no entry; mark the loss with tx.train, as "
                  "--compile-to=model shows it" +
                  nested);
}

/// Attributes of the step dialect are places and choices of the way to an artifact.
static LogicalResult verifyAttributes(Operation *op) {
  SmallVector<NamedAttribute> attributes(op->getDiscardableAttrs());
  if (auto function = dyn_cast<func::FuncOp>(op)) {
    SmallVector<DictionaryAttr> lists, results;
    function.getAllArgAttrs(lists);
    function.getAllResultAttrs(results);
    llvm::append_range(lists, results);
    for (DictionaryAttr list : lists)
      if (list)
        llvm::append_range(attributes, list);
  }
  for (NamedAttribute attribute : attributes)
    if (isa_and_nonnull<step::StepDialect>(attribute.getNameDialect()))
      return op->emitOpError("has ") << attribute.getName() << ", which tx-compile makes itself; leave it out";
  return success();
}

static LogicalResult verifyBody(func::FuncOp function) {
  if (failed(verifyOneBlock(function)))
    return failure();
  for (Operation &op : function.front()) {
    bool isOurs = isa<TxDialect>(op.getDialect()) && isa<ScopedOpInterface, LoadOp, StoreOp>(op);
    if (!isOurs && !isa<func::ReturnOp>(op))
      return op.emitOpError("has no place in @")
             << function.getSymName() << "; the functions of a step have ops of tx and a return";
    if (failed(verifyAttributes(&op)))
      return failure();
  }
  return verifyFlat(function);
}

LogicalResult tx::verifyInput(ModuleOp module) {
  if (failed(verifyAttributes(module)))
    return failure();
  for (Operation &op : *module.getBody()) {
    auto function = dyn_cast<func::FuncOp>(op);
    if (!function && !isa<GlobalOp, MeshAxisOp>(op))
      return op.emitOpError("has no place in a module that is compiled to a step, which has functions, tx.global and "
                            "tx.mesh_axis");
    if (failed(verifyAttributes(&op)))
      return failure();
    if (function && !function.isExternal() && (failed(verifySignature(function)) || failed(verifyBody(function))))
      return failure();
  }
  return success();
}

llvm::Error tx::checkReachedPhase(const CompileOptions &options, ReachedPhase reached, StringRef phase) {
  ArrayRef<PhaseInfo> phases = getPhases();
  auto placeOf = [&](StringRef name) {
    return llvm::find_if(phases, [&](const PhaseInfo &info) { return info.name == name; }) - phases.begin();
  };
  StringRef now = nameOf(reached);
  if (reached == ReachedPhase::Step)
    return badInput(options.input +
                    ": is in phase step, with addresses that are planned for one target; tx-compile "
                    "goes on from " +
                    llvm::join(llvm::drop_end(getPhaseNames()), ", "));
  if (placeOf(phase) < placeOf(now))
    return badInput(options.input + ": is in phase " + now + " already, behind --compile-to " + phase);
  if (std::string flag = findLateFlag(options, reached); !flag.empty())
    return badInput(options.input + ": is in phase " + now + " already, where " + flag +
                    " comes too late; give it when the input is made, or compile the model");
  return llvm::Error::success();
}
