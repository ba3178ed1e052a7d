#include "MoveReplays.h"

#include "llvm/ADT/STLExtras.h"

#include <map>
#include <utility>

using namespace tx;
using namespace tx::plan;

namespace {

class ReplayMover {
public:
  ReplayMover(const Entry &entry, Order &order, int64_t &looks)
      : entry(entry), order(order), looks(looks), users(entry.computeUsers()) {}

  void run() {
    for (auto next = order.begin(); next != order.end();) {
      int op = *next;
      ++next; // what moves behind `op` is not looked at again
      const Op &data = entry.ops[op];
      if (isElementwiseReplay(data))
        addReplay(op);
      else if (data.work == Work::Row && data.segment == Segment::Backward)
        moveReplaysTo(op);
    }
  }

private:
  template <typename Function> void forEachUser(int op, Function function) const {
    for (int result : entry.ops[op].results)
      for (int user : users[result])
        function(user);
  }

  void addReplay(int replay) {
    for (const Operand &operand : entry.ops[replay].operands) {
      std::vector<int> &readers = replays[{operand.value, entry.ops[replay].layer}];
      if (readers.empty() || readers.back() != replay)
        readers.push_back(replay);
    }
  }

  void moveReplaysTo(int gradient) {
    const Op &data = entry.ops[gradient];
    for (const Operand &operand : data.operands) {
      auto found = replays.find({operand.value, data.layer});
      if (found == replays.end() || operand.value == data.replayKey)
        continue; // to draw from one random key is no reason to be one kernel
      for (int replay : llvm::reverse(found->second)) {
        ++looks;
        if (order.isBefore(replay, gradient) && entry.ops[replay].space == data.space)
          moveIfPossible(replay, gradient);
      }
    }
  }

  void moveIfPossible(int replay, int gradient) {
    std::vector<int> moving = findUsersUpTo(replay, gradient);
    if (llvm::any_of(moving, [&](int user) { return isNeededUpTo(gradient, user, moving); }))
      return;
    order.moveBefore(replay, gradient);
    for (int user : llvm::reverse(moving))
      order.moveAfter(user, gradient);
  }

  /// What stands between the replay and the gradient and is made of the replay's result, in order.
  std::vector<int> findUsersUpTo(int replay, int gradient) const {
    std::vector<int> found;
    forEachUser(replay, [&](int user) {
      if (!order.isBefore(user, gradient))
        return;
      found.push_back(user);
      forEachUser(user, [&](int next) { // a bias's gradient, which is a sum of the product's result
        if (entry.ops[next].isRowSum && order.isBefore(next, gradient))
          found.push_back(next);
      });
    });
    llvm::sort(found, [&](int a, int b) { return order.isBefore(a, b); });
    found.erase(llvm::unique(found), found.end());
    return found;
  }

  /// Whether a result of `user` is read by the gradient, or before it by an op that is not one of `moving`.
  bool isNeededUpTo(int gradient, int user, const std::vector<int> &moving) const {
    bool isNeeded = false;
    forEachUser(user, [&](int next) {
      isNeeded |= next == gradient || (order.isBefore(next, gradient) && !llvm::is_contained(moving, next));
    });
    return isNeeded;
  }

  const Entry &entry;
  Order &order;
  int64_t &looks;
  const std::vector<std::vector<int>> users;
  std::map<std::pair<int, int>, std::vector<int>> replays; // by value and layer: those up to the op at hand
};

} // namespace

void tx::plan::moveReplays(const Entry &entry, Order &order, int64_t &looks) {
  if (llvm::any_of(entry.ops, isElementwiseReplay))
    ReplayMover(entry, order, looks).run();
}
