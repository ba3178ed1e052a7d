//===- ApplyPlan.cpp - One rewriter for every plan ----------------------------------------------------------------===//

#include "ApplyPlan.h"

#include "tx/Dialect/Tx/IR/TxInterfaces.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace tx;

void tx::applyRematPlan(const plan::Entry &entry, const EntryIR &ir, const RematPlan &plan) {
  IRMapping clones; // maps recomputed values to their clones; a kept value is not in it
  for (auto [op, before] : plan.recomputations) {
    OpBuilder builder(ir.ops[before]);
    Operation *clone = builder.clone(*ir.ops[op], clones);
    auto scoped = cast<ScopedOpInterface>(clone);
    scoped.setScopeAttr(scoped.getScope().in(Segment::Recompute));
    // clone() mapped every result of the op, but uses of a kept result must stay.
    for (int result : entry.ops[op].results)
      if (!plan.isRecomputed(result))
        clones.erase(ir.values[result]);
  }
  for (auto [op, data] : llvm::zip(ir.ops, entry.ops))
    if (!data.isForward())
      for (OpOperand &operand : op->getOpOperands())
        operand.set(clones.lookupOrDefault(operand.get()));
}
