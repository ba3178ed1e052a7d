//===- InputPhase.cpp - Where on its way a module is --------------------------------------------------------------===//

#include "InputPhase.h"
#include "AddedPasses.h"

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Dialect/Tx/IR/Signature.h"
#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Frontend/Flags.h"
#include "tx/Pipeline/Pipelines.h"
#include "tx/Support/UserError.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace tx;

StringRef tx::findReachedPhase(ModuleOp module) {
  auto has = [&](StringRef name) { return module.lookupSymbol<func::FuncOp>(name) != nullptr; };
  if (!module.getOps<step::ProgramOp>().empty())
    return "step";
  // A user's own function may be called microbatch; the one that tx-autodiff makes has an argument named loss_scale.
  auto microbatch = module.lookupSymbol<func::FuncOp>("microbatch");
  auto isScale = [](DictionaryAttr attributes) {
    auto name = attributes ? attributes.getAs<StringAttr>(kNameAttr) : StringAttr();
    return name && name.getValue() == "loss_scale";
  };
  SmallVector<DictionaryAttr> arguments;
  if (microbatch)
    microbatch.getAllArgAttrs(arguments);
  if (llvm::none_of(arguments, isScale))
    return "model";
  return has("apply") || has("step") || has("evaluate") ? "remat" : "joint";
}

/// Finds a given flag that comes too late: passes of stages up to `reached`, which do not run anymore, would read it,
/// and no passes of later stages do. Empty if there is none.
static StringRef findLateFlag(const CompileOptions &options, StringRef reached) {
  ArrayRef<Stage> stages = getStages();
  size_t place = findStage(reached);
  auto areTaking = [](ArrayRef<Stage> some, const Flag &flag) {
    return llvm::any_of(some, [&](const Stage &stage) { return stage.takesFlag(flag); });
  };
  if (reached != "model")
    for (StringRef name : options.given)
      if (const Flag &flag = *findFlag(name);
          areTaking(stages.take_front(place + 1), flag) && !areTaking(stages.drop_front(place + 1), flag))
        return name;
  return reached == "remat" && !options.output.verifyTwinFile.empty() ? "--verify-twin" : "";
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

/// Refuses attributes of the step dialect: passes of tx-compile write them, for addresses and other decisions.
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

namespace {

struct VerifyInputPass : PassWrapper<VerifyInputPass, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(VerifyInputPass)

  StringRef getArgument() const override { return "tx-verify-input"; }
  StringRef getDescription() const override { return "check that a module holds what a step is made of"; }

  void runOnOperation() override {
    if (failed(verifyInput(getOperation())))
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};

} // namespace

std::unique_ptr<Pass> tx::createVerifyInputPass() { return std::make_unique<VerifyInputPass>(); }

llvm::Error tx::checkReachedPhase(const CompileOptions &options, StringRef reached, StringRef phase) {
  if (reached == "step")
    return badInput(options.input +
                    ": is in phase step, with addresses that are planned for one target; tx-compile goes on from " +
                    llvm::join(llvm::drop_end(getPhaseNames()), ", "));
  if (findStage(phase) < findStage(reached))
    return badInput(options.input + ": is in phase " + reached + " already, behind --compile-to " + phase);
  StringRef late = findLateFlag(options, reached);
  if (!late.empty())
    return badInput(options.input + ": is in phase " + reached + " already, where " + late +
                    " comes too late; give it when the input is made, or compile the model");
  for (const AddedPasses &added : splitAddedPasses(options.plugins))
    if (findStage(added.stage) < findStage(reached))
      return badInput(options.input + ": is in phase " + reached + " already, where --add-passes-after " + added.stage +
                      " comes too late");
  return llvm::Error::success();
}
