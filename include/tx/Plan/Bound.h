//===- Bound.h - The least seconds that any choice can take ---------------------------------------------*- C++ -*-===//
//
// Which values to keep is a minimum cut: each forward value is needed in backward or not, each op is computed again or
// not, a value that is needed without its op being computed again is kept. Kept bytes have a price; then a cut has the
// least sum of seconds and price over all choices of all values at once.
//
// The price follows from a point of the step at which memory is short. All bytes that are alive there under any choice
// count for nothing; what a choice keeps there counts its bytes. A choice within the budget satisfies this one
// constraint, so for every price
//
//   seconds(choice)  >=  least cut(price) - price * (budget - bytes alive in any case)
//
// and the best price gives the bound. It needs no list of plans: the bound holds for all choices that verifyPlan
// accepts, in the order that runs.
//
// Seconds of a choice are counted from below: products, attention and kernels that never share take what they take
// alone. A kernel of rows that is computed again may run inside another one: it counts only what it reads and writes
// that no other kernel does, at the rate of the quickest kernel, less what others need no longer read or write.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_PLAN_BOUND_H
#define TX_PLAN_BOUND_H

#include "tx/Plan/Score.h"

#include <limits>

namespace tx::plan {

/// A launch of the step without recomputation at which memory is counted. A choice has at least these bytes there: the
/// fixed ones, those of what it keeps, those of what it computes again.
struct MemoryPoint {
  int launch = -1;
  int64_t fixedBytes = 0;               ///< of the whole arena: alive there under every choice
  std::vector<int64_t> bytesIfKept;     ///< by value: what it adds there if it is kept
  std::vector<int64_t> bytesIfReplayed; ///< by op: what is there if it is computed again
};

/// What a cut chooses.
struct CutChoice {
  Choices choices;
  double seconds = 0; ///< from below, of the whole step
  int64_t bytes = 0;  ///< at the point, from below
};

class KeepProblem {
public:
  /// `scorer` must outlive it.
  explicit KeepProblem(Scorer &scorer);

  /// Points at which memory may be short: first where forward ends, outside of the layers; then in the backward of the
  /// last layer, each once by what is kept there and once by what is computed again by then.
  const std::vector<MemoryPoint> &getPoints() const { return points; }

  /// A price that decides only between choices of equal seconds.
  double getLeastPrice() const { return fixedSeconds * 1e-9 / double(scorer.getFixedBytes() + 1); }
  /// A price at which seconds count for nothing.
  static constexpr double kAnyPrice = std::numeric_limits<double>::infinity();

  /// The choice with the least seconds + price * bytes at the point, over all choices; `price` in seconds per byte.
  /// Values in `kept` (by value) are not computed again.
  CutChoice cut(const MemoryPoint &point, double price, const std::vector<bool> &kept = {}) const;

  /// Seconds that no choice with at most `budget` bytes at the point can go below; infinite if there is no such choice.
  double boundAt(const MemoryPoint &point, int64_t budget) const;
  /// Seconds that no choice whose live bytes stay within the budget can go below; infinite if none stays within it.
  double boundSeconds(int64_t budget) const;

  /// Values that one layer's forward passes to another's.
  std::vector<bool> findCarried() const;

  bool mayReplay(int op) const;
  const std::vector<int> &getUsers(int value) const { return users[value]; }
  /// What computing the op again takes at least, in seconds; below zero where others then have less to do.
  double getReplaySeconds(int op) const { return replays[op].empty() ? 0 : replays[op].front().seconds; }

private:
  struct Traffic;
  void countSeconds();
  /// What an op's recomputation costs for some of its results: the others are kept.
  struct ReplayCost {
    double seconds;
    std::vector<int> kept;
  };
  struct Replay {
    double seconds = 0;
    std::vector<std::pair<int, double>> readsIfKept = {}; ///< producer of an operand, seconds
  };
  void countReplays(int op, const Traffic &traffic);
  Replay countReplay(int op, const std::vector<int> &computed, const Traffic &traffic) const;
  int64_t countKept(const ReplayCost &cost, const MemoryPoint &point) const;
  std::vector<int> findHosts(int op, const std::vector<int> &computed) const;
  double secondsAlone(int op) const;
  void findPoints();
  MemoryPoint describe(int launch) const;
  void countSources(MemoryPoint &point) const;
  MemoryPoint withReplays(MemoryPoint point) const;
  std::vector<int> findDemand(int value, int launch) const;
  std::vector<int> findEarliest() const;
  std::vector<bool> findMovable() const;
  std::vector<std::vector<int>> findUsersOfRoots() const;
  int getRootProducer(int value) const;

  Scorer &scorer;
  const Entry &entry;
  Schedule schedule; // without recomputation
  Storages storages;
  std::vector<int> launchOf;                         // by op
  std::vector<std::vector<int>> users, usersOfRoots; // by value
  std::vector<int> earliest;                         // by op
  std::vector<bool> movable;                         // by op
  std::vector<bool> isPart;                          // by value: it lies in another one, which is made of it
  std::vector<std::vector<ReplayCost>> replays;      // by op; the first is for all results
  /// A recomputed op reads an operand from memory unless the operand's op is recomputed, too: then one kernel may have
  /// both.
  struct ReadIfKept {
    int producer, op;
    double seconds;
  };
  std::vector<ReadIfKept> readsIfKept;
  /// Of the whole step, with the collectives that no computation hides. Recomputation adds launches, which hide nothing
  /// sooner; it takes away what ops that are computed again save elsewhere.
  double leastSeconds = 0;
  double fixedSeconds = 0; // of the step without recomputation, all of it in lane compute
  std::vector<MemoryPoint> points;
};

} // namespace tx::plan

#endif // TX_PLAN_BOUND_H
