//===- MakeEntries.cpp - tx-make-entries: apply, step, evaluate -----------===//

#include "Functions.h"

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

/// What the optimizer needs of one parameter.
struct Trained {
  GlobalOp parameter, gradient, moment1, moment2, master;

  Type getGradientElement() const { return GlobalOp(gradient).getType().getElementType(); }
};

/// Parameters that one kernel updates, with their gradients.
struct Group {
  SmallVector<Trained> trained;
  SmallVector<Value> gradients;

  /// Same constants of the update, same element types.
  bool takes(Trained entry) {
    GlobalOp first = trained.front().parameter;
    return first.getDecay() == entry.parameter.getDecay() &&
           first.getType().getElementType() == entry.parameter.getType().getElementType();
  }
};

/// In the order of their first parameters.
SmallVector<Group> makeGroups(ArrayRef<Trained> trained, ArrayRef<Value> gradients) {
  SmallVector<Group> groups;
  for (auto [entry, gradient] : llvm::zip_equal(trained, gradients)) {
    auto *group = llvm::find_if(groups, [&wanted = entry](Group &known) { return known.takes(wanted); });
    if (group == groups.end())
      group = groups.insert(groups.end(), Group());
    group->trained.push_back(entry);
    group->gradients.push_back(gradient);
  }
  return groups;
}

/// Loads at the entry and stores at the exit of one function.
class StateAccess {
public:
  explicit StateAccess(func::FuncOp function) : body(function.front()) {
    for (auto load : function.getOps<LoadOp>())
      loads[load.getGlobal()] = last = load;
  }
  Value load(GlobalOp global) {
    LoadOp &load = loads[global.getSymName()];
    if (!load) {
      auto builder = OpBuilder::atBlockBegin(&body);
      if (last)
        builder.setInsertionPointAfter(last);
      load = last = LoadOp::create(builder, global.getLoc(), global.getType(), global.getSymName());
    }
    return load;
  }
  void store(Value value, GlobalOp global) {
    OpBuilder builder(body.getTerminator());
    StoreOp::create(builder, global.getLoc(), value, global.getSymName());
  }

private:
  Block &body;
  LoadOp last;
  llvm::StringMap<LoadOp> loads;
};

struct TxMakeEntriesPass : public tx::impl::TxMakeEntriesPassBase<TxMakeEntriesPass> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(makeEntries()))
      signalPassFailure();
  }

private:
  LogicalResult makeEntries();
  LogicalResult verifyOptions();
  FailureOr<SmallVector<Trained>> addOptimizerState();
  func::FuncOp createFunction(Operation *after, StringRef name, ArrayRef<Type> arguments, ArrayRef<Type> results);
  void nameLast(func::FuncOp function, ArrayRef<StringRef> arguments, ArrayRef<StringRef> results);
  Value reduceGradient(OpBuilder &builder, Value gradient, ScopeAttr scope);
  void updateGroup(OpBuilder &builder, StateAccess &state, Group &group, Value gradient, Value coefficient, Value lr,
                   Value step);
  Value buildUpdate(OpBuilder &builder, StateAccess &state, ArrayRef<Trained> trained, ArrayRef<Value> gradients,
                    Value lr, Value step);
  void createApply(func::FuncOp microbatch, ArrayRef<Trained> trained);
  LogicalResult createStep(func::FuncOp microbatch, ArrayRef<Trained> trained);
  LogicalResult createEvaluate(func::FuncOp loss);

  Type scalar(Type element) { return RankedTensorType::get({}, element); }
};

LogicalResult TxMakeEntriesPass::makeEntries() {
  FailureOr<func::FuncOp> loss = findLoss(getOperation());
  if (failed(loss) || failed(verifyOptions()))
    return failure();
  if (auto microbatch = getOperation().lookupSymbol<func::FuncOp>(kMicrobatch)) {
    if (failed(verifyOneBlock(microbatch)))
      return failure();
    FailureOr<SmallVector<Trained>> trained = addOptimizerState();
    if (failed(trained) || failed(createStep(microbatch, *trained)))
      return failure();
    createApply(microbatch, *trained);
  }
  if (*loss) {
    if (failed(createEvaluate(*loss)))
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
  for (StringRef name : {"apply", "step", "evaluate"})
    if (Operation *taken = getOperation().lookupSymbol(name))
      return taken->emitError("@") << name << " exists already; have the entries been made?";
  return success();
}

/// Moments, and masters of narrow parameters, for every gradient in the module.
FailureOr<SmallVector<Trained>> TxMakeEntriesPass::addOptimizerState() {
  SmallVector<Trained> trained;
  for (auto gradient : getOperation().getOps<GlobalOp>()) {
    if (gradient.getRole() != GlobalRole::Gradient)
      continue;
    auto parameter = getOperation().lookupSymbol<GlobalOp>(*gradient.getOf());
    if (!trained.empty() && gradient.getType().getElementType() != trained[0].getGradientElement())
      return gradient.emitOpError("and @") << trained[0].gradient.getSymName()
                                           << " have different element types, but one global norm";
    trained.push_back({parameter, gradient, {}, {}, {}});
  }
  if (trained.empty())
    return getOperation().emitError("@microbatch has no gradients to apply");
  auto add = [&](GlobalOp Trained::*member, StringRef suffix, GlobalRole role) {
    for (Trained &entry : trained) {
      Type type = entry.gradient.getType();
      if (role != GlobalRole::Master || type != entry.parameter.getType())
        entry.*member = addGlobal(getOperation(), entry.parameter, suffix, role, type);
    }
  };
  add(&Trained::moment1, ".exp_avg", GlobalRole::Moment1);
  add(&Trained::moment2, ".exp_avg_sq", GlobalRole::Moment2);
  add(&Trained::master, ".master", GlobalRole::Master);
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

/// Sums a gradient over the axes on which ranks have parts of the batch.
Value TxMakeEntriesPass::reduceGradient(OpBuilder &builder, Value gradient, ScopeAttr scope) {
  for (auto axis : getOperation().getOps<MeshAxisOp>())
    if (axis.getBatch())
      gradient = AllReduceOp::create(builder, gradient.getLoc(), gradient.getType(), gradient,
                                     FlatSymbolRefAttr::get(axis.getSymNameAttr()), scope);
  return gradient;
}

/// Clips, updates, stores. Gives the global norm.
Value TxMakeEntriesPass::buildUpdate(OpBuilder &builder, StateAccess &state, ArrayRef<Trained> trained,
                                     ArrayRef<Value> gradients, Value lr, Value step) {
  auto scope = ScopeAttr::get(&getContext(), Segment::Optimizer, /*layer=*/-1, "grad_norm");
  Location loc = getOperation().getLoc();
  SmallVector<Group> groups = makeGroups(trained, gradients);
  SmallVector<Value> packs, partials;
  for (Group &group : groups) {
    packs.push_back(PackOp::create(builder, loc, group.gradients, scope));
    partials.push_back(SumOfSquaresOp::create(builder, loc, packs.back(), scope));
  }
  Value all = ConcatOp::create(builder, loc, partials, scope);
  auto clip = ClipCoefficientOp::create(builder, loc, all, builder.getF64FloatAttr(clipGrad), scope);
  for (auto [group, gradient] : llvm::zip_equal(groups, packs))
    updateGroup(builder, state, group, gradient, clip.getCoefficient(), lr, step);
  return clip.getNorm();
}

void TxMakeEntriesPass::updateGroup(OpBuilder &builder, StateAccess &state, Group &group, Value gradient,
                                    Value coefficient, Value lr, Value step) {
  auto scope = ScopeAttr::get(&getContext(), Segment::Optimizer, /*layer=*/-1, "adamw");
  auto number = [&](double value) { return builder.getF64FloatAttr(value); };
  Location loc = getOperation().getLoc();
  auto pack = [&](GlobalOp Trained::*member) {
    SmallVector<Value> parts;
    for (Trained &entry : group.trained)
      parts.push_back(state.load(entry.*member));
    return PackOp::create(builder, loc, parts, scope);
  };
  Value parameter = pack(&Trained::parameter), m = pack(&Trained::moment1), v = pack(&Trained::moment2);
  Value master = group.trained.front().master ? pack(&Trained::master) : Value();
  double decay = group.trained.front().parameter.getDecay() ? weightDecay : 0.0;
  auto update = AdamWOp::create(builder, loc, parameter, gradient, m, v, master, coefficient, lr, step,
                                number(adamBeta1), number(adamBeta2), number(adamEps), number(decay), scope);
  auto unpack = [&](GlobalOp Trained::*member, Value whole) {
    SmallVector<Type> types;
    for (Trained &entry : group.trained)
      types.push_back((entry.*member).getType());
    auto parts = UnpackOp::create(builder, loc, types, whole, scope);
    for (auto [entry, part] : llvm::zip_equal(group.trained, parts.getParts()))
      state.store(part, entry.*member);
    builder.setInsertionPointAfter(parts); // stores stand at the exit, after all updates
  };
  unpack(&Trained::parameter, update.getNewParam());
  unpack(&Trained::moment1, update.getNewM());
  unpack(&Trained::moment2, update.getNewV());
  if (master)
    unpack(&Trained::master, update.getNewMaster());
}

void TxMakeEntriesPass::createApply(func::FuncOp microbatch, ArrayRef<Trained> trained) {
  Type element = trained[0].getGradientElement();
  Builder types(&getContext());
  func::FuncOp apply =
      createFunction(microbatch, "apply", {scalar(element), scalar(types.getI32Type())}, {scalar(element)});
  nameLast(apply, {"lr", "step"}, {"grad_norm"});
  auto builder = OpBuilder::atBlockEnd(&apply.front());
  auto terminator = func::ReturnOp::create(builder, apply.getLoc());
  builder.setInsertionPoint(terminator);
  StateAccess state(apply);
  SmallVector<Value> gradients;
  for (Trained entry : trained)
    gradients.push_back(state.load(entry.gradient));
  // All sums, then the update, then the stores.
  for (auto [tracked, gradient] : llvm::zip_equal(trained, gradients)) {
    auto scope = ScopeAttr::get(&getContext(), Segment::Optimizer, /*layer=*/-1, Trained(tracked).gradient.getSymName());
    gradient = reduceGradient(builder, gradient, scope);
  }
  Operation *last = &*std::prev(builder.getInsertionPoint());
  for (auto [tracked, sum] : llvm::zip_equal(trained, gradients)) {
    Trained entry = tracked;
    if (!sum.getDefiningOp<LoadOp>())
      state.store(sum, entry.gradient);
  }
  builder.setInsertionPointAfter(last);
  Value norm = buildUpdate(builder, state, trained, gradients, apply.getArgument(0), apply.getArgument(1));
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
  nameLast(step, {"lr", "step"}, {"grad_norm"});

  // Right behind its last part, while the rest of backward is still to come.
  auto stores = llvm::to_vector(step.getOps<StoreOp>());
  llvm::StringMap<Value> stored;
  for (StoreOp store : stores) {
    builder.setInsertionPointAfterValue(store.getValue());
    // A gradient that nothing contributes to is stored as it was loaded.
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
  Value norm = buildUpdate(builder, state, trained, gradients, step.getArgument(arguments),
                           step.getArgument(arguments + 1));
  terminator->insertOperands(terminator->getNumOperands(), norm);
  return success();
}

LogicalResult TxMakeEntriesPass::createEvaluate(func::FuncOp loss) {
  auto builder = OpBuilder::atBlockEnd(getOperation().getBody());
  auto evaluate = cast<func::FuncOp>(builder.clone(*loss));
  evaluate.setSymName("evaluate");
  evaluate->removeAttr(kTrainAttr);

  // An argument that only keys random numbers has no use in evaluation.
  llvm::BitVector keys(evaluate.getNumArguments());
  for (BlockArgument argument : evaluate.getArguments())
    keys[argument.getArgNumber()] = llvm::all_of(argument.getUsers(), [&](Operation *user) {
      auto replayed = dyn_cast<RecomputeOpInterface>(user);
      return replayed && replayed.getReplayKey() == argument;
    });
  Value prediction;
  for (auto op : llvm::to_vector(evaluate.getOps<EvaluationOpInterface>())) {
    if (Value value = op.getEvaluationValue())
      op->getResult(0).replaceAllUsesWith(value);
    op.removeRandomness();
    if (Value value = op.getPrediction()) {
      if (prediction && prediction != value)
        return op->emitOpError("is a second loss with another prediction; evaluation returns one");
      prediction = value;
    }
  }
  if (!prediction)
    return loss.emitError("@") << loss.getSymName() << " has no op that compares a prediction with targets";

  Operation *terminator = evaluate.front().getTerminator();
  if (failed(evaluate.insertResult(evaluate.getNumResults(), prediction.getType(), {})))
    return failure();
  terminator->insertOperands(terminator->getNumOperands(), prediction);
  nameLast(evaluate, {}, {"loss_sum", "valid_count", "logits"});
  eraseDeadOps(evaluate);
  for (BlockArgument argument : evaluate.getArguments())
    if (!argument.use_empty())
      keys.reset(argument.getArgNumber());
  return evaluate.eraseArguments(keys);
}

} // namespace
