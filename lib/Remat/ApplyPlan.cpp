//===- ApplyPlan.cpp - One rewriter for every plan ----------------------------------------------------------------===//

#include "ApplyPlan.h"

#include "tx/Dialect/Tx/IR/TxInterfaces.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace tx;

void tx::applyRematPlan(const JointProblem &joint, const RematPlan &plan) {
  IRMapping clones; // maps recomputed values to their clones; a kept value is not in it
  for (auto [op, before] : plan.recomputations) {
    OpBuilder builder(joint.ops[before]);
    Operation *clone = builder.clone(*joint.ops[op], clones);
    auto scoped = cast<ScopedOpInterface>(clone);
    scoped.setScopeAttr(scoped.getScope().in(Segment::Recompute));
    // clone() mapped every result of the op, but uses of a kept result must stay.
    for (int result : joint.problem.ops[op].results)
      if (!plan.choices[result].recompute)
        clones.erase(joint.values[result]);
  }
  for (int op = 0, e = joint.ops.size(); op < e; ++op)
    if (!joint.problem.ops[op].isForward())
      for (OpOperand &operand : joint.ops[op]->getOpOperands())
        operand.set(clones.lookupOrDefault(operand.get()));
}
