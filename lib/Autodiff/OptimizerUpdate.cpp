//===- OptimizerUpdate.cpp - The update of all parameters ---------------------------------------------------------===//

#include "OptimizerUpdate.h"

using namespace mlir;
using namespace tx;

//===--------------------------------------------------------------------------------------------------------------===//
// State of a function
//===--------------------------------------------------------------------------------------------------------------===//

StateAccess::StateAccess(func::FuncOp function) : body(function.front()) {
  for (auto load : function.getOps<LoadOp>())
    loads[load.getGlobal()] = last = load;
}

Value StateAccess::load(GlobalOp global) {
  LoadOp &load = loads[global.getSymName()];
  if (!load) {
    auto builder = OpBuilder::atBlockBegin(&body);
    if (last)
      builder.setInsertionPointAfter(last);
    load = last = LoadOp::create(builder, global.getLoc(), global.getType(), global.getSymName());
  }
  return load;
}

void StateAccess::store(Value value, GlobalOp global) {
  OpBuilder builder(body.getTerminator());
  StoreOp::create(builder, global.getLoc(), value, global.getSymName());
}

//===--------------------------------------------------------------------------------------------------------------===//
// The update
//===--------------------------------------------------------------------------------------------------------------===//

namespace {

/// Parameters that one op updates, with their gradients.
struct Group {
  SmallVector<Trained> trained;
  SmallVector<Value> gradients;

  /// Whether the update of `entry` has the same constants and the same element types as the group's.
  bool takes(Trained entry) {
    GlobalOp first = trained.front().parameter;
    return first.getDecay() == entry.parameter.getDecay() &&
           first.getType().getElementType() == entry.parameter.getType().getElementType();
  }
  Location getLoc() { return trained.front().parameter.getLoc(); }
};

/// Splits the parameters into groups, which are in the order of their first parameters.
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

} // namespace

static void updateGroup(OpBuilder &builder, StateAccess &state, Group &group, Value gradient, Value coefficient,
                        const AdamW &adamW) {
  auto scope = ScopeAttr::get(builder.getContext(), Segment::Optimizer, /*layer=*/-1, "adamw");
  auto number = [&](double value) { return builder.getF64FloatAttr(value); };
  auto pack = [&](GlobalOp Trained::*member) {
    SmallVector<Value> parts;
    for (Trained &entry : group.trained)
      parts.push_back(state.load(entry.*member));
    return PackOp::create(builder, group.getLoc(), parts, scope);
  };
  Value parameter = pack(&Trained::parameter), m = pack(&Trained::moment1), v = pack(&Trained::moment2);
  Value master = group.trained.front().master ? pack(&Trained::master) : Value();
  double decay = group.trained.front().parameter.getDecay() ? adamW.weightDecay : 0.0;
  auto update =
      AdamWOp::create(builder, group.getLoc(), parameter, gradient, m, v, master, coefficient, adamW.lr, adamW.step,
                      number(adamW.beta1), number(adamW.beta2), number(adamW.eps), number(decay), scope);
  auto unpack = [&](GlobalOp Trained::*member, Value whole) {
    SmallVector<Type> types;
    for (Trained &entry : group.trained)
      types.push_back((entry.*member).getType());
    auto parts = UnpackOp::create(builder, group.getLoc(), types, whole, scope);
    for (auto [entry, part] : llvm::zip_equal(group.trained, parts.getParts()))
      state.store(part, entry.*member);
    builder.setInsertionPointAfter(parts); // keep stores at the exit of the function, after all updates
  };
  unpack(&Trained::parameter, update.getNewParam());
  unpack(&Trained::moment1, update.getNewM());
  unpack(&Trained::moment2, update.getNewV());
  if (master)
    unpack(&Trained::master, update.getNewMaster());
}

Value tx::buildUpdate(OpBuilder &builder, StateAccess &state, ArrayRef<Trained> trained, ArrayRef<Value> gradients,
                      const AdamW &adamW) {
  auto scope = ScopeAttr::get(builder.getContext(), Segment::Optimizer, /*layer=*/-1, "grad_norm");
  SmallVector<Group> groups = makeGroups(trained, gradients);
  SmallVector<Value> packs, partials;
  for (Group &group : groups) {
    packs.push_back(PackOp::create(builder, group.getLoc(), group.gradients, scope));
    partials.push_back(SumOfSquaresOp::create(builder, group.getLoc(), packs.back(), scope));
  }
  Location loc = groups.front().getLoc();
  Value all = ConcatOp::create(builder, loc, partials, scope);
  auto clip = ClipCoefficientOp::create(builder, loc, all, builder.getF64FloatAttr(adamW.clipGrad), scope);
  for (auto [group, gradient] : llvm::zip_equal(groups, packs))
    updateGroup(builder, state, group, gradient, clip.getCoefficient(), adamW);
  return clip.getNorm();
}
