//===- MakeEntries.cpp - tx-make-entries: apply, step, evaluate, predict ------------------------------------------===//

#include "Functions.h"
#include "OptimizerUpdate.h"

#include "tx/Autodiff/Passes.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

namespace tx {
#define GEN_PASS_DEF_TXMAKEENTRIESPASS
#include "tx/Autodiff/Passes.h.inc"
} // namespace tx

using namespace mlir;
using namespace tx;

namespace {

std::string text(double value) {
  std::string result;
  llvm::raw_string_ostream(result) << llvm::format("%g", value);
  return result;
}

struct TxMakeEntriesPass : public tx::impl::TxMakeEntriesPassBase<TxMakeEntriesPass> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(makeEntries()))
      signalPassFailure();
  }

private:
  LogicalResult makeEntries();
  LogicalResult verifyOptions();
  LogicalResult verifyNames(const ModuleSymbols &symbols);
  FailureOr<SmallVector<Trained>> addOptimizerState(ModuleSymbols &symbols);
  func::FuncOp createFunction(Operation *after, StringRef name, ArrayRef<Type> arguments, ArrayRef<Type> results);
  void nameLast(func::FuncOp function, ArrayRef<StringRef> arguments, ArrayRef<StringRef> results);
  Value reduceGradient(OpBuilder &builder, Value gradient, ScopeAttr scope);
  AdamW getAdamW(Value lr, Value step) const {
    return {clipGrad, weightDecay, adamBeta1, adamBeta2, adamEps, lr, step};
  }
  void createApply(func::FuncOp microbatch, ArrayRef<Trained> trained);
  LogicalResult createStep(func::FuncOp microbatch, ArrayRef<Trained> trained);
  FailureOr<func::FuncOp> createEvaluate(func::FuncOp loss);
  LogicalResult createPredict(func::FuncOp evaluate);
  LogicalResult eraseUnused(func::FuncOp function, llvm::BitVector arguments);

  Type scalar(Type element) { return RankedTensorType::get({}, element); }

  SmallVector<FlatSymbolRefAttr> batchAxes; ///< axes along which ranks have different parts of the batch
};

LogicalResult TxMakeEntriesPass::makeEntries() {
  FailureOr<func::FuncOp> loss = findLoss(getOperation());
  if (failed(loss) || failed(verifyOptions()))
    return failure();
  func::FuncOp microbatch = findMicrobatch(getOperation());
  if (!*loss && !microbatch) // a module of plain functions gets no entries, whatever the names of its functions
    return success();
  batchAxes.clear(); // the pass may have run on another module before
  for (auto axis : getOperation().getOps<MeshAxisOp>())
    if (axis.getKind() == AxisKind::Batch)
      batchAxes.push_back(FlatSymbolRefAttr::get(axis.getSymNameAttr()));
  ModuleSymbols symbols(getOperation());
  if (failed(verifyNames(symbols)) || failed(verifyTrainedAxes(getOperation())))
    return failure();
  if (microbatch) {
    if (failed(verifyOneBlock(microbatch)))
      return failure();
    FailureOr<SmallVector<Trained>> trained = addOptimizerState(symbols);
    if (failed(trained) || failed(createStep(microbatch, *trained)))
      return failure();
    createApply(microbatch, *trained);
  }
  if (*loss) {
    FailureOr<func::FuncOp> evaluate = createEvaluate(*loss);
    if (failed(evaluate) || failed(createPredict(*evaluate)))
      return failure();
    (*loss)->erase();
  }
  return success();
}

LogicalResult TxMakeEntriesPass::verifyOptions() {
  auto refuse = [&](StringRef option, double value, StringRef range) {
    return getOperation().emitError("option ") << option << " is " << text(value) << ", must be " << range;
  };
  if (!(clipGrad >= 0))
    return refuse("clip-grad", clipGrad, "at least 0");
  if (!(weightDecay >= 0))
    return refuse("weight-decay", weightDecay, "at least 0");
  if (!(adamBeta1 >= 0 && adamBeta1 < 1))
    return refuse("adam-beta1", adamBeta1, "in [0, 1)");
  if (!(adamBeta2 >= 0 && adamBeta2 < 1))
    return refuse("adam-beta2", adamBeta2, "in [0, 1)");
  if (!(adamEps >= 0))
    return refuse("adam-eps", adamEps, "at least 0");
  return success();
}

LogicalResult TxMakeEntriesPass::verifyNames(const ModuleSymbols &symbols) {
  for (StringRef name : {"apply", "step", "evaluate", "predict"})
    if (Operation *taken = symbols.lookup(name))
      return taken->emitError("@") << name
                                   << " exists already; have the entries been made? If not, give it another name";
  return success();
}

/// Adds optimizer state for every gradient in the module: two moments, and a master if the parameter's type is narrower
/// than the gradient's.
FailureOr<SmallVector<Trained>> TxMakeEntriesPass::addOptimizerState(ModuleSymbols &symbols) {
  SmallVector<Trained> trained;
  for (auto gradient : getOperation().getOps<GlobalOp>()) {
    if (gradient.getRole() != GlobalRole::Gradient)
      continue;
    GlobalOp parameter = symbols.lookupGlobal(*gradient.getOf());
    if (!trained.empty() && gradient.getType().getElementType() != trained[0].getGradientElement())
      return gradient.emitOpError("and @")
             << trained[0].gradient.getSymName() << " have different element types, but one global norm";
    trained.push_back({parameter, gradient, {}, {}, {}});
  }
  if (trained.empty())
    return getOperation().emitError("@microbatch has no gradients to apply");
  auto add = [&](GlobalOp Trained::*member, StringRef suffix, GlobalRole role) -> LogicalResult {
    for (Trained &entry : trained) {
      Type type = entry.gradient.getType();
      if (role == GlobalRole::Master && type == entry.parameter.getType())
        continue;
      std::string name = (entry.parameter.getSymName() + suffix).str();
      if (Operation *taken = symbols.lookup(name))
        return taken->emitError("@") << name << " exists already, and is the name of optimizer state of @"
                                     << entry.parameter.getSymName() << "; give it another";
      entry.*member = symbols.addGlobal(entry.parameter, suffix, role, type);
    }
    return success();
  };
  if (failed(add(&Trained::moment1, ".exp_avg", GlobalRole::Moment1)) ||
      failed(add(&Trained::moment2, ".exp_avg_sq", GlobalRole::Moment2)) ||
      failed(add(&Trained::master, ".master", GlobalRole::Master)))
    return failure();
  return trained;
}

func::FuncOp TxMakeEntriesPass::createFunction(Operation *after, StringRef name, ArrayRef<Type> arguments,
                                               ArrayRef<Type> results) {
  OpBuilder builder(after->getContext());
  builder.setInsertionPointAfter(after);
  auto function = func::FuncOp::create(builder, after->getLoc(), name, builder.getFunctionType(arguments, results));
  function.addEntryBlock();
  return function;
}

/// Names the function's last arguments and results.
void TxMakeEntriesPass::nameLast(func::FuncOp function, ArrayRef<StringRef> arguments, ArrayRef<StringRef> results) {
  Builder builder(function.getContext());
  for (auto [i, name] : llvm::enumerate(arguments))
    function.setArgAttr(function.getNumArguments() - arguments.size() + i, kNameAttr, builder.getStringAttr(name));
  for (auto [i, name] : llvm::enumerate(results))
    function.setResultAttr(function.getNumResults() - results.size() + i, kNameAttr, builder.getStringAttr(name));
}

/// Sums a gradient over all ranks that have different parts of the batch.
Value TxMakeEntriesPass::reduceGradient(OpBuilder &builder, Value gradient, ScopeAttr scope) {
  for (FlatSymbolRefAttr axis : batchAxes)
    gradient = AllReduceOp::create(builder, gradient.getLoc(), gradient.getType(), gradient, axis, scope);
  return gradient;
}

void TxMakeEntriesPass::createApply(func::FuncOp microbatch, ArrayRef<Trained> trained) {
  Type element = trained[0].getGradientElement();
  Builder types(&getContext());
  func::FuncOp apply =
      createFunction(microbatch, "apply", {scalar(element), scalar(types.getI32Type())}, {scalar(element)});
  nameLast(apply, {kLearningRateName, kStepName}, {"grad_norm"});
  auto builder = OpBuilder::atBlockEnd(&apply.front());
  auto terminator = func::ReturnOp::create(builder, apply.getLoc());
  builder.setInsertionPoint(terminator);
  StateAccess state(apply);
  SmallVector<Value> gradients;
  for (Trained entry : trained)
    gradients.push_back(state.load(entry.gradient));
  // Order of the function: the sums of all gradients over ranks, then the update, then the stores.
  for (auto [tracked, gradient] : llvm::zip_equal(trained, gradients)) {
    auto scope =
        ScopeAttr::get(&getContext(), Segment::Optimizer, /*layer=*/-1, Trained(tracked).gradient.getSymName());
    gradient = reduceGradient(builder, gradient, scope);
  }
  Operation *last = &*std::prev(builder.getInsertionPoint());
  for (auto [tracked, sum] : llvm::zip_equal(trained, gradients)) {
    Trained entry = tracked;
    if (!sum.getDefiningOp<LoadOp>())
      state.store(sum, entry.gradient);
  }
  builder.setInsertionPointAfter(last);
  Value norm = buildUpdate(builder, state, trained, gradients, getAdamW(apply.getArgument(0), apply.getArgument(1)));
  terminator.getOperandsMutable().append(norm);
}

LogicalResult TxMakeEntriesPass::createStep(func::FuncOp microbatch, ArrayRef<Trained> trained) {
  Type element = trained[0].getGradientElement();
  OpBuilder builder(&getContext());
  builder.setInsertionPointAfter(microbatch);
  auto step = cast<func::FuncOp>(builder.clone(*microbatch));
  step.setSymName("step");
  unsigned arguments = step.getNumArguments();
  if (failed(step.insertArgument(arguments, scalar(element), {}, step.getLoc())) ||
      failed(step.insertArgument(arguments + 1, scalar(builder.getI32Type()), {}, step.getLoc())) ||
      failed(step.insertResult(step.getNumResults(), scalar(element), {})))
    return failure();
  nameLast(step, {kLearningRateName, kStepName}, {"grad_norm"});

  // Sums each gradient over ranks right behind the op that completes it, so that the collective can run while the rest
  // of backward does; but not in forward, which ends with the loss.
  Operation *returned = step.front().getTerminator();
  Operation *border = returned->getNumOperands() ? returned->getOperand(0).getDefiningOp() : nullptr;
  auto stores = llvm::to_vector(step.getOps<StoreOp>());
  llvm::StringMap<Value> stored;
  for (StoreOp store : stores) {
    builder.setInsertionPointAfterValue(store.getValue());
    if (Operation *last = store.getValue().getDefiningOp(); last && border && last->isBeforeInBlock(border))
      builder.setInsertionPointAfter(border);
    // A gradient to which no op contributes is stored as it was loaded; then its value has no scope.
    auto last = store.getValue().getDefiningOp<ScopedOpInterface>();
    int32_t layer = last ? last.getScope().getLayer() : -1;
    auto scope = ScopeAttr::get(&getContext(), Segment::Backward, layer, store.getGlobal());
    store.getValueMutable().assign(reduceGradient(builder, store.getValue(), scope));
    stored[store.getGlobal()] = store.getValue();
  }
  SmallVector<Value> gradients;
  for (Trained entry : trained) {
    Value gradient = stored.lookup(entry.gradient.getSymName());
    if (!gradient)
      return microbatch.emitError("@microbatch does not store @") << entry.gradient.getSymName();
    gradients.push_back(gradient);
  }
  Operation *terminator = step.front().getTerminator();
  builder.setInsertionPoint(stores.front());
  StateAccess state(step);
  Value norm = buildUpdate(builder, state, trained, gradients,
                           getAdamW(step.getArgument(arguments), step.getArgument(arguments + 1)));
  terminator->insertOperands(terminator->getNumOperands(), norm);
  return success();
}

/// Erases ops that nobody needs, and those of `arguments` that nobody uses.
LogicalResult TxMakeEntriesPass::eraseUnused(func::FuncOp function, llvm::BitVector arguments) {
  eraseDeadOps(function);
  for (BlockArgument argument : function.getArguments())
    if (!argument.use_empty())
      arguments.reset(argument.getArgNumber());
  return function.eraseArguments(arguments);
}

FailureOr<func::FuncOp> TxMakeEntriesPass::createEvaluate(func::FuncOp loss) {
  auto builder = OpBuilder::atBlockEnd(getOperation().getBody());
  auto evaluate = cast<func::FuncOp>(builder.clone(*loss));
  evaluate.setSymName("evaluate");
  evaluate->removeAttr(kTrainAttr);

  // Evaluation draws no random numbers, so it drops arguments that are used as random keys only.
  llvm::BitVector keys(evaluate.getNumArguments());
  for (BlockArgument argument : evaluate.getArguments())
    keys[argument.getArgNumber()] = llvm::all_of(argument.getUsers(), [&](Operation *user) {
      auto replayed = dyn_cast<RecomputeOpInterface>(user);
      return replayed && replayed.getReplayKey() == argument;
    });
  for (auto op : llvm::to_vector(evaluate.getOps<EvaluationOpInterface>())) {
    if (Value value = op.getEvaluationValue())
      op->getResult(0).replaceAllUsesWith(value);
    op.removeRandomness();
  }
  nameLast(evaluate, {}, {"loss_sum", "valid_count"});
  if (failed(eraseUnused(evaluate, keys)))
    return failure();
  return evaluate;
}

/// Makes the entry that text is sampled with, of the first loss that can say what it predicts for one row of each
/// sample. Makes none if no loss can.
LogicalResult TxMakeEntriesPass::createPredict(func::FuncOp evaluate) {
  auto isLoss = [](EvaluationOpInterface op) { return op.getPredictedSamples() > 0; };
  if (llvm::none_of(evaluate.getOps<EvaluationOpInterface>(), isLoss))
    return success();
  auto builder = OpBuilder::atBlockEnd(getOperation().getBody());
  auto predict = cast<func::FuncOp>(builder.clone(*evaluate));
  predict.setSymName("predict");
  auto losses = predict.getOps<EvaluationOpInterface>();
  EvaluationOpInterface first = *llvm::find_if(losses, isLoss);
  auto rows = RankedTensorType::get({first.getPredictedSamples()}, builder.getI32Type());
  unsigned number = predict.getNumArguments();
  if (failed(predict.insertArgument(number, rows, {}, predict.getLoc())))
    return failure();
  builder.setInsertionPoint(first);
  Value prediction = first.buildPrediction(builder, predict.getArgument(number));
  predict.front().getTerminator()->setOperands(prediction);
  predict.setType(builder.getFunctionType(predict.getArgumentTypes(), prediction.getType()));
  predict.setAllResultAttrs(ArrayRef<DictionaryAttr>{builder.getDictionaryAttr({})});
  nameLast(predict, {kRowName}, {"logits"});
  return eraseUnused(predict, llvm::BitVector(number + 1, true));
}

} // namespace
