//===- InPlace.cpp - Where an op may write over what it reads -----------------------------------------------------===//

#include "InPlace.h"

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Dialect/Tx/IR/TxInterfaces.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;
using namespace tx;

static Value getTiedOperandOfOp(OpResult result) {
  if (auto accumulating = dyn_cast<AccumulatingOpInterface>(result.getOwner()))
    for (auto [operand, number] : accumulating.getTies())
      if (number == result.getResultNumber())
        return result.getOwner()->getOperand(operand);
  return {};
}

Value memory::getTiedOperand(OpResult result) {
  auto group = dyn_cast<step::GroupOp>(result.getOwner());
  if (!group)
    return getTiedOperandOfOp(result);
  Value yielded = group.getBody().front().back().getOperand(result.getResultNumber());
  while (auto inner = dyn_cast<OpResult>(yielded)) {
    yielded = getTiedOperandOfOp(inner);
    if (!yielded)
      return {};
  }
  return group.getInputs()[cast<BlockArgument>(yielded).getArgNumber()];
}

static bool mayReplaceInGroup(step::GroupOp group, unsigned input, unsigned output) {
  Block &body = group.getBody().front();
  Value yielded = body.back().getOperand(output);
  if (group.getInputs()[input].getType() != yielded.getType())
    return false;
  // For each op: the pass over the row after which its results are complete.
  DenseMap<Operation *, unsigned> ready;
  llvm::SmallPtrSet<Operation *, 8> readers; // ops that read the input, directly or through other ops
  unsigned lastRead = 0;
  for (Operation &op : body.without_terminator()) {
    auto kernel = cast<KernelOpInterface>(op);
    unsigned begin = 0;
    bool reads = false;
    for (OpOperand &operand : op.getOpOperands()) {
      if (Operation *def = operand.get().getDefiningOp()) {
        begin = std::max(begin, ready[def]);
        reads |= readers.contains(def);
      } else if (cast<BlockArgument>(operand.get()).getArgNumber() == input) {
        if (!llvm::is_contained(kernel.getInPlaceOperands(), operand.getOperandNumber()))
          return false;
        reads = true;
      }
    }
    ready[&op] = begin + kernel.getReductionPasses();
    if (reads) {
      readers.insert(&op);
      lastRead = std::max(lastRead, ready[&op]);
    }
  }
  auto *writer = yielded.getDefiningOp();
  return writer && lastRead <= ready[writer];
}

static bool mayReplaceInOp(KernelOpInterface op, unsigned input, unsigned output) {
  Value replaced = op->getOperand(input);
  if (replaced.getType() != op->getResult(output).getType())
    return false;
  SmallVector<unsigned> inPlace = op.getInPlaceOperands();
  return llvm::all_of(op->getOpOperands(), [&](OpOperand &operand) {
    return operand.get() != replaced || llvm::is_contained(inPlace, operand.getOperandNumber());
  });
}

bool memory::mayReplace(unsigned input, OpResult result) {
  Operation *op = result.getOwner();
  if (auto group = dyn_cast<step::GroupOp>(op))
    return mayReplaceInGroup(group, input, result.getResultNumber());
  auto kernel = dyn_cast<KernelOpInterface>(op);
  return kernel && mayReplaceInOp(kernel, input, result.getResultNumber());
}
