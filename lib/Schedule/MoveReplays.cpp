//===- MoveReplays.cpp - Recompute an activation where backward needs it ------------------------------------------===//

#include "MoveReplays.h"
#include "OrderInBlock.h"

#include "tx/Dialect/Tx/IR/TxInterfaces.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace tx;

static Segment getSegment(Operation *op) { return cast<ScopedOpInterface>(op).getScope().getSegment(); }

bool tx::isElementwiseReplay(Operation *op) {
  auto kernel = dyn_cast<KernelOpInterface>(op);
  return kernel && kernel.getKernelKind() == KernelKind::Row && kernel.getReductionPasses() == 0 &&
         getSegment(op) == Segment::Recompute;
}

bool tx::isRandomKey(Value operand, Operation *op) {
  auto replay = dyn_cast<RecomputeOpInterface>(op);
  return replay && replay.getReplayKey() == operand;
}

namespace {

class ReplayMover {
public:
  explicit ReplayMover(Block &block) : block(block), order(block) {}

  void run() {
    for (Operation &op : llvm::make_early_inc_range(block)) {
      auto kernel = dyn_cast<KernelOpInterface>(op);
      if (kernel && kernel.getKernelKind() == KernelKind::Row && getSegment(&op) == Segment::Backward)
        moveReplaysTo(kernel);
    }
  }

private:
  void moveReplaysTo(KernelOpInterface gradient) {
    for (Value operand : gradient->getOperands())
      if (!isRandomKey(operand, gradient))
        for (Operation *reader : llvm::make_early_inc_range(operand.getUsers()))
          if (isElementwiseReplay(reader) && order.isBefore(reader, gradient) &&
              cast<KernelOpInterface>(reader).getKernelSpace() == gradient.getKernelSpace())
            moveIfPossible(reader, gradient);
  }

  void moveIfPossible(Operation *replay, Operation *gradient) {
    SmallVector<Operation *> users = findUsersUpTo(replay, gradient);
    if (llvm::any_of(users, [&](Operation *user) { return isNeededUpTo(gradient, user, users); }))
      return;
    order.moveBefore(replay, gradient);
    for (Operation *user : llvm::reverse(users))
      order.moveAfter(user, gradient);
  }

  /// What stands between the replay and the gradient and is made of the replay's result, in order.
  SmallVector<Operation *> findUsersUpTo(Operation *replay, Operation *gradient) {
    llvm::SmallSetVector<Operation *, 4> users;
    for (Operation *user : replay->getUsers()) {
      if (!order.isBefore(user, gradient))
        continue;
      users.insert(user);
      for (Operation *next : user->getUsers()) // a bias's gradient, which is a sum of the product's result
        if (isa<RowSumOpInterface>(next) && order.isBefore(next, gradient))
          users.insert(next);
    }
    SmallVector<Operation *> inOrder = users.takeVector();
    llvm::sort(inOrder, [&](Operation *a, Operation *b) { return order.isBefore(a, b); });
    return inOrder;
  }

  /// Whether a result of `user` is read by the gradient, or before it by an op that is not one of those that `move`.
  bool isNeededUpTo(Operation *gradient, Operation *user, ArrayRef<Operation *> move) {
    return llvm::any_of(user->getUsers(), [&](Operation *next) {
      return next == gradient || (order.isBefore(next, gradient) && !llvm::is_contained(move, next));
    });
  }

  Block &block;
  OrderInBlock order;
};

} // namespace

void tx::moveReplays(Block &block) { ReplayMover(block).run(); }
