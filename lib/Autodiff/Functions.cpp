//===- Functions.cpp - Entries, their names, their state ----------------------------------------------------------===//

#include "Functions.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace tx;

func::FuncOp tx::findMicrobatch(ModuleOp module) {
  auto function = module.lookupSymbol<func::FuncOp>(kMicrobatch);
  for (unsigned i = 0, e = function ? function.getNumArguments() : 0; i < e; ++i)
    if (auto name = function.getArgAttrOfType<StringAttr>(i, kNameAttr); name && name.getValue() == kLossScaleName)
      return function;
  auto isGradient = [](GlobalOp global) { return global.getRole() == GlobalRole::Gradient; };
  return llvm::any_of(module.getOps<GlobalOp>(), isGradient) ? function : func::FuncOp();
}

LogicalResult tx::verifyTrainedAxes(ModuleOp module) {
  for (auto axis : module.getOps<MeshAxisOp>()) {
    if (axis.getKind() == AxisKind::Batch || axis.getSize() == 1) // an axis of one rank splits nothing
      continue;
    InFlightDiagnostic diagnostic = axis.emitOpError("@") << axis.getSymName() << " is no batch axis";
    if (std::optional<AxisKind> kind = axis.getKind())
      diagnostic << " but one of kind " << stringifyAxisKind(*kind);
    return diagnostic << ", and a step is trained over batch axes alone; mark it 'batch' if each rank has samples of "
                      << "its own and all have the same parameters, else leave " << kTrainAttr
                      << " out and run functions";
  }
  return success();
}

/// Checks what a function must be to be differentiated, besides what the verifiers of its ops check.
static LogicalResult verifyLoss(func::FuncOp loss) {
  if (failed(verifyOneBlock(loss)))
    return failure();
  auto isScalar = [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.getRank() == 0 && isa<FloatType>(tensor.getElementType());
  };
  if (loss.getNumResults() != 2 || !llvm::all_of(loss.getResultTypes(), isScalar))
    return loss.emitError("@") << loss.getSymName() << " is marked " << kTrainAttr
                               << " and must return the loss's sum and the count of valid tokens, two scalars; returns "
                               << loss.getFunctionType().getResults();
  llvm::StringMap<unsigned> names;
  for (unsigned i = 0; i < loss.getNumArguments(); ++i) {
    auto name = loss.getArgAttrOfType<StringAttr>(i, kNameAttr);
    if (!name)
      return loss.emitError("argument ") << i << " of @" << loss.getSymName() << " has no name; add {" << kNameAttr
                                         << " = \"tokens\"} or the like";
    auto [known, isNew] = names.try_emplace(name, i);
    if (!isNew)
      return loss.emitError("arguments ")
             << known->second << " and " << i << " of @" << loss.getSymName() << " have one name, '" << name.getValue()
             << "'; who trains gives them by name";
    if (llvm::is_contained(kEntryArguments, name.getValue()))
      return loss.emitError("argument ") << i << " of @" << loss.getSymName() << " has the name '" << name.getValue()
                                         << "', which an entry gives to an argument of its own; give it another";
  }
  for (Operation &op : loss.front().without_terminator())
    if (!isa<LoadOp>(op) && !(isa<ScopedOpInterface>(op) && isPure(&op)))
      return op.emitOpError("cannot stand in the loss: its ops are loads and pure ops with a scope");
  return success();
}

FailureOr<func::FuncOp> tx::findLoss(ModuleOp module) {
  func::FuncOp loss;
  for (auto function : module.getOps<func::FuncOp>()) {
    Attribute mark = function->getAttr(kTrainAttr);
    if (!mark)
      continue;
    if (!isa<UnitAttr>(mark))
      return function.emitError("@") << function.getSymName() << " has " << kTrainAttr << " = " << mark
                                     << "; it is a mark without a value, and without it the function is not trained";
    if (loss)
      return function.emitError("@") << function.getSymName() << " is marked " << kTrainAttr << ", and so is @"
                                     << loss.getSymName() << "; a step has one loss";
    loss = function;
  }
  if (loss && failed(verifyLoss(loss)))
    return failure();
  return loss;
}

ModuleSymbols::ModuleSymbols(ModuleOp module) : table(module), builder(OpBuilder::atBlockBegin(module.getBody())) {
  for (auto global : module.getOps<GlobalOp>())
    builder.setInsertionPointAfter(global);
}

GlobalOp ModuleSymbols::addGlobal(GlobalOp of, StringRef suffix, GlobalRole role, Type type) {
  auto global = GlobalOp::create(builder, of.getLoc(), (of.getSymName() + suffix).str(), role, InitKind::Zeros,
                                 llvm::APFloat(0.0), FlatSymbolRefAttr::get(of.getSymNameAttr()), /*decay=*/false,
                                 cast<RankedTensorType>(type));
  StringAttr name = table.insert(global);
  assert(name.getValue() == (of.getSymName() + suffix).str() && "who adds a global has looked for its name");
  (void)name;
  return global;
}

void tx::eraseDeadOps(func::FuncOp function) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.front())))
    if (isOpTriviallyDead(&op))
      op.erase();
}
