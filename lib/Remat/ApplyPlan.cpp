//===- ApplyPlan.cpp - One rewriter for every plan ----------------------------------------------------------------===//

#include "ApplyPlan.h"

#include "tx/Dialect/Tx/IR/TxInterfaces.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace tx;

void tx::applyRematPlan(const JointProblem &joint, const RematPlan &plan) {
  IRMapping clones; // of recomputed values alone: a kept value is used as it is
  for (auto [op, before] : plan.recomputations) {
    OpBuilder builder(joint.ops[before]);
    Operation *clone = builder.clone(*joint.ops[op], clones);
    auto scoped = cast<ScopedOpInterface>(clone);
    scoped.setScopeAttr(scoped.getScope().in(Segment::Recompute));
    // Cloning mapped every result; those that are kept must not be replaced.
    for (int result : joint.problem.ops[op].results)
      if (!plan.choices[result].recompute)
        clones.erase(joint.values[result]);
  }
  for (int op = 0, e = joint.ops.size(); op < e; ++op)
    if (!joint.problem.ops[op].isForward())
      for (OpOperand &operand : joint.ops[op]->getOpOperands())
        operand.set(clones.lookupOrDefault(operand.get()));
}
