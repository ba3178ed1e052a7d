//===- Autodiff.cpp - tx-autodiff: from the loss to `microbatch` --------------------------------------------------===//

#include "Functions.h"
#include "JointBuilder.h"

#include "tx/Autodiff/Passes.h"

#include "mlir/IR/IRMapping.h"

namespace tx {
#define GEN_PASS_DEF_TXAUTODIFFPASS
#include "tx/Autodiff/Passes.h.inc"
} // namespace tx

using namespace mlir;
using namespace tx;

namespace {

struct TxAutodiffPass : public tx::impl::TxAutodiffPassBase<TxAutodiffPass> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> loss = findLoss(getOperation());
    if (failed(loss))
      return signalPassFailure();
    if (*loss && failed(differentiate(*loss)))
      signalPassFailure();
  }

private:
  LogicalResult differentiate(func::FuncOp loss);
  func::FuncOp createMicrobatch(func::FuncOp loss);
  FailureOr<SmallVector<Accumulator>> cloneForward(const ModuleSymbols &symbols, func::FuncOp loss,
                                                   func::FuncOp microbatch);
};

/// Creates the function `microbatch`, still empty, with the loss's arguments, the loss scale and the bit `first`.
func::FuncOp TxAutodiffPass::createMicrobatch(func::FuncOp loss) {
  OpBuilder builder(loss.getContext());
  builder.setInsertionPointAfter(loss);
  SmallVector<Type> arguments(loss.getArgumentTypes());
  arguments.push_back(loss.getResultTypes()[0]);
  arguments.push_back(RankedTensorType::get({}, builder.getI1Type()));
  auto function = func::FuncOp::create(builder, loss.getLoc(), kMicrobatch,
                                       builder.getFunctionType(arguments, loss.getResultTypes()));
  unsigned count = loss.getNumArguments();
  for (unsigned i = 0; i < count; ++i)
    function.setArgAttrs(i, loss.getArgAttrDict(i));
  function.setArgAttr(count, kNameAttr, builder.getStringAttr(kLossScaleName));
  function.setArgAttr(count + 1, kNameAttr, builder.getStringAttr(kFirstName));
  function.setResultAttr(0, kNameAttr, builder.getStringAttr("loss_sum"));
  function.setResultAttr(1, kNameAttr, builder.getStringAttr("valid_count"));
  function.addEntryBlock();
  return function;
}

/// Fills `microbatch`: one load of each global, then clones of the ops that the loss needs. Returns the loaded
/// parameters; each has the load of its gradient as its accumulator.
FailureOr<SmallVector<Accumulator>> TxAutodiffPass::cloneForward(const ModuleSymbols &symbols, func::FuncOp loss,
                                                                 func::FuncOp microbatch) {
  auto builder = OpBuilder::atBlockBegin(&microbatch.front());
  IRMapping mapping;
  for (auto [from, to] : llvm::zip(loss.getArguments(), microbatch.getArguments()))
    mapping.map(from, to);

  llvm::MapVector<StringAttr, LoadOp> loads;
  for (auto load : loss.getOps<LoadOp>()) {
    LoadOp &first = loads[load.getGlobalAttr().getAttr()];
    if (!first)
      first = cast<LoadOp>(builder.clone(*load));
    mapping.map(load.getResult(), first.getResult());
  }
  for (Operation &op : loss.front())
    if (!isa<LoadOp>(op))
      builder.clone(op, mapping);
  eraseDeadOps(microbatch);

  SmallVector<Accumulator> accumulators;
  auto parameters = llvm::to_vector(microbatch.getOps<LoadOp>());
  if (!parameters.empty())
    builder.setInsertionPointAfter(parameters.back());
  for (LoadOp load : parameters) {
    auto global = symbols.lookupGlobal(load.getGlobal());
    if (global.getRole() != GlobalRole::Parameter)
      return load.emitOpError("reads ") << load.getGlobalAttr() << ", a " << stringifyGlobalRole(global.getRole())
                                        << "; a loss reads parameters only";
    auto type = cast<RankedTensorType>(global.getType());
    // Gradients are summed over microbatches in f32: bf16's eight bits are too few.
    if (!type.getElementType().isF64())
      type = type.clone(builder.getF32Type());
    std::string name = (global.getSymName() + ".grad").str();
    if (symbols.lookup(name))
      return global.emitError("@") << name
                                   << " exists already; is the module differentiated? If not, give it another name";
    auto accumulator = LoadOp::create(builder, global.getLoc(), type, name);
    accumulators.push_back({load, accumulator});
  }
  return accumulators;
}

LogicalResult TxAutodiffPass::differentiate(func::FuncOp loss) {
  ModuleSymbols symbols(getOperation());
  if (Operation *taken = symbols.lookup(kMicrobatch))
    return taken->emitError("@") << kMicrobatch
                                 << " exists already; is the module differentiated? If not, give it another name";
  func::FuncOp microbatch = createMicrobatch(loss);
  auto accumulators = cloneForward(symbols, loss, microbatch);
  if (failed(accumulators))
    return failure();

  Block &body = microbatch.front();
  Operation *terminator = body.getTerminator();
  Value sum = terminator->getOperand(0);
  // Ops that only the count of valid tokens needs may stand after the loss op. Forward must end with the loss op, the
  // border: move it.
  if (Operation *border = sum.getDefiningOp())
    if (llvm::all_of(border->getUsers(), [&](Operation *user) { return user == terminator; }))
      border->moveBefore(terminator);

  unsigned count = loss.getNumArguments();
  JointBuilder builder(microbatch, /*first=*/body.getArgument(count + 1), *accumulators);
  if (failed(builder.build(sum, /*seed=*/body.getArgument(count))))
    return failure();

  OpBuilder stores(terminator);
  llvm::DenseSet<Operation *> trained;
  for (Accumulator &accumulator : *accumulators) {
    auto global = symbols.lookupGlobal(accumulator.parameter.getGlobal());
    if (!accumulator.started) {
      accumulator.value.getDefiningOp()->erase();
      continue;
    }
    trained.insert(global);
    GlobalOp gradient = symbols.addGlobal(global, ".grad", GlobalRole::Gradient, accumulator.value.getType());
    StoreOp::create(stores, global.getLoc(), accumulator.value, gradient.getSymName());
  }
  for (auto global : getOperation().getOps<GlobalOp>())
    if (global.getRole() == GlobalRole::Parameter && !trained.contains(global))
      global.emitWarning("@") << global.getSymName() << " has no influence on the loss and is not trained";
  return success();
}

} // namespace
