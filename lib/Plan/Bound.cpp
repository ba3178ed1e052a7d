//===- Bound.cpp - The least seconds that any choice can take -----------------------------------------------------===//

#include "tx/Plan/Bound.h"

#include "MinCut.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

using namespace tx;
using namespace tx::plan;

// Capacities are whole numbers: the step's seconds are so many units. What costs more than some steps costs too much.
static constexpr double kUnitsPerStep = double(int64_t(1) << 40), kMostUnits = 16 * kUnitsPerStep;

static int64_t alignBytes(int64_t bytes) { return llvm::alignTo(bytes, TXRT_BUFFER_ALIGNMENT); }

KeepProblem::KeepProblem(Scorer &scorer)
    : scorer(scorer), entry(scorer.getEntry()), schedule(makeSchedule(entry)),
      storages(computeStorages(scorer.getStep(), entry, schedule, scorer.getLayout())), launchOf(entry.ops.size(), -1),
      users(entry.computeUsers()) {
  for (int launch = 0, e = schedule.launches.size(); launch < e; ++launch)
    for (int op : schedule.launches[launch].ops)
      launchOf[op] = launch;
  isPart.resize(entry.values.size());
  for (const Op &op : entry.ops)
    if (op.view && !op.results.empty() && op.view->whole == op.results[0])
      for (auto [part, start] : op.view->parts)
        isPart[part] = true;
  movable = findMovable();
  earliest = findEarliest();
  usersOfRoots = findUsersOfRoots();
  countSeconds();
  findPoints();
}

bool KeepProblem::mayReplay(int op) const {
  const Op &forward = entry.ops[op];
  return forward.isForward() && (forward.replay == ReplayKind::Exact ||
                                 (forward.replay == ReplayKind::Keyed && forward.reads(forward.replayKey)));
}

//===--------------------------------------------------------------------------------------------------------------===//
// Points
//===--------------------------------------------------------------------------------------------------------------===//

/// Whether the op can be in one kernel with ops that read its results.
static bool mayShare(const Op &op) { return op.work == Work::Row || op.work == Work::Column; }

/// For each op the launch before which it cannot run, whatever kernels become of the step. Only kernels that share move
/// to an earlier place: to that of an op that gives them a value.
std::vector<int> KeepProblem::findEarliest() const {
  std::vector<int> earliest(entry.ops.size());
  for (int op = 0, e = entry.ops.size(); op < e; ++op) {
    earliest[op] = launchOf[op];
    if (!mayShare(entry.ops[op]))
      continue;
    int bound = 0;
    for (const Operand &operand : entry.ops[op].operands)
      if (int producer = entry.values[operand.value].producer; producer >= 0)
        bound = std::max(bound, earliest[producer]);
    earliest[op] = std::min(earliest[op], bound);
  }
  return earliest;
}

void KeepProblem::findPoints() {
  constexpr size_t kMostBackwardPoints = 6;
  std::vector<int64_t> live(schedule.launches.size() + 1); // transient bytes at each launch
  for (const Storage &storage : storages.storages)
    if (storage.segment == MemorySegment::Transient && storage.upper > storage.lower) {
      live[storage.lower] += alignBytes(storage.bytes);
      live[std::min<size_t>(storage.upper, live.size() - 1)] -= alignBytes(storage.bytes);
    }
  for (size_t launch = 1; launch < live.size(); ++launch)
    live[launch] += live[launch - 1];

  std::vector<int> head, backward;
  int lastLayer = entry.layers.empty() ? -1 : entry.layers.back();
  for (int launch = 0, e = schedule.launches.size(); launch < e; ++launch) {
    const Launch &each = schedule.launches[launch];
    const Op &op = entry.ops[each.main];
    if (each.work == Work::View)
      continue;
    if (op.isForward() && op.layer < 0)
      head.push_back(launch);
    else if (!op.isForward() && op.layer == lastLayer && each.work <= Work::Product)
      backward.push_back(launch);
  }
  auto keepLargest = [&](std::vector<int> &launches, size_t most) {
    llvm::sort(launches, [&](int a, int b) { return std::pair(-live[a], a) < std::pair(-live[b], b); });
    launches.resize(std::min(launches.size(), most));
  };
  keepLargest(head, 1);
  keepLargest(backward, kMostBackwardPoints);
  for (int launch : head)
    points.push_back(describe(launch));
  for (int launch : backward)
    points.push_back(describe(launch));
  for (int launch : backward)
    points.push_back(withReplays(describe(launch)));
  if (points.empty()) // nothing to count at
    points.push_back({-1, scorer.getFixedBytes(), std::vector<int64_t>(entry.values.size()),
                      std::vector<int64_t>(entry.ops.size())});
}

/// Ops of backward that may run later than they stand: an elementwise recomputation moves down to the gradient that
/// reads what it reads, and the ops that read its result move with it (makeSchedule).
std::vector<bool> KeepProblem::findMovable() const {
  std::vector<bool> movable(entry.ops.size());
  auto isElementwise = [&](int op) {
    return op >= 0 && mayReplay(op) && entry.ops[op].work == Work::Row && entry.ops[op].reductionPasses == 0;
  };
  for (int op = 0, e = entry.ops.size(); op < e; ++op) {
    if (entry.ops[op].isForward())
      continue;
    for (const Operand &operand : entry.ops[op].operands) {
      int producer = entry.values[operand.value].producer;
      movable[op] = movable[op] || isElementwise(producer) || isElementwise(getRootProducer(operand.value)) ||
                    (entry.ops[op].isRowSum && producer >= 0 && movable[producer]);
    }
  }
  return movable;
}

int KeepProblem::getRootProducer(int value) const { return entry.values[entry.values[value].storage].producer; }

/// For each value the ops that use it or a view of it; a view alone is no use.
std::vector<std::vector<int>> KeepProblem::findUsersOfRoots() const {
  std::vector<std::vector<int>> all(entry.values.size());
  for (int value = 0, e = entry.values.size(); value < e; ++value)
    for (int user : users[value])
      if (const Op &op = entry.ops[user]; !op.view || op.view->whole != value)
        all[entry.values[value].storage].push_back(user);
  return all;
}

MemoryPoint KeepProblem::describe(int launch) const {
  MemoryPoint point;
  point.launch = launch;
  point.fixedBytes = scorer.getFixedBytes();
  point.bytesIfKept.resize(entry.values.size());
  point.bytesIfReplayed.resize(entry.ops.size());
  const Launch &here = schedule.launches[launch];
  const bool isInForward = entry.ops[here.main].isForward();
  std::set<int> counted; // storages
  auto count = [&](int storage) {
    if (storage >= 0 && storages.storages[storage].segment == MemorySegment::Transient &&
        counted.insert(storage).second)
      point.fixedBytes += alignBytes(storages.storages[storage].bytes);
  };
  // A kernel of rows may run earlier and have more or fewer ops than here: only what others have computed for its main
  // op, which is in memory, counts.
  const bool mayDiffer = !isInForward && mayShare(entry.ops[here.main]);
  const int from = earliest[here.main];
  if (mayDiffer) {
    for (const Operand &operand : entry.ops[here.main].operands)
      if (int producer = getRootProducer(operand.value);
          operand.isRead && producer >= 0 && !mayShare(entry.ops[producer]) && entry.ops[producer].work != Work::View)
        count(storages.places[operand.value].storage);
  } else {
    for (const std::vector<int> *list : {&here.inputs, &here.outputs})
      for (int value : *list)
        count(storages.places[value].storage);
    count(storages.scratch[launch]);
  }

  std::vector<int> choices;
  for (int value = 0, e = entry.values.size(); value < e; ++value) {
    int producer = entry.values[value].producer;
    if (producer < 0 || entry.isView(value) || launchOf[producer] >= launch || launchOf[producer] > from ||
        movable[producer])
      continue;
    bool isUsedBefore = false, isUsedAfter = false, isUsedInForwardAfter = false;
    for (int user : usersOfRoots[value]) {
      bool isForward = entry.ops[user].isForward();
      isUsedBefore |= !isForward && launchOf[user] <= from && !movable[user];
      isUsedAfter |= earliest[user] >= launch && user != here.main;
      isUsedInForwardAfter |= isForward && launchOf[user] >= launch;
    }
    bool mayGo = entry.ops[producer].isForward() && mayReplay(producer);
    if ((isUsedInForwardAfter && isUsedAfter) || (isUsedAfter && (!mayGo || isUsedBefore)))
      count(storages.places[value].storage);
    else if (mayGo && !isPart[value] && !isUsedInForwardAfter && (isUsedAfter || isInForward))
      choices.push_back(value);
  }
  for (int value : choices)
    if (!counted.count(storages.places[value].storage))
      point.bytesIfKept[value] = alignBytes(entry.values[value].bytes);
  if (!isInForward)
    countSources(point);
  return point;
}

/// Values that backward does not read, and that are kept for recomputations alone: such a value is there until its
/// reader is computed again, and from then on the reader's result is, if the point counts it.
void KeepProblem::countSources(MemoryPoint &point) const {
  for (int op = static_cast<int>(entry.ops.size()) - 1; op >= 0; --op) {
    if (!mayReplay(op) || entry.ops[op].work == Work::View)
      continue;
    int64_t bytes = 0; // of one of its results
    for (int result : entry.ops[op].results)
      bytes = std::max(bytes, point.bytesIfKept[result]);
    for (const Operand &operand : entry.ops[op].operands) {
      const Value &value = entry.values[operand.value];
      bool isSource = bytes > 0 && value.producer >= 0 && mayReplay(value.producer) &&
                      entry.ops[value.producer].work != Work::View && !isPart[operand.value] &&
                      usersOfRoots[operand.value] == std::vector<int>{op} && point.bytesIfKept[operand.value] == 0;
      if (!isSource)
        continue;
      point.bytesIfKept[operand.value] = std::min(bytes, alignBytes(value.bytes));
      break; // the result stands for one operand
    }
  }
}

/// Ops of forward, the first of which reads the value and each other one the result of the one before, such that
/// backward reads a result of the last one up to the launch: if all of them are computed again, the value is there by
/// then. Empty if there are none.
std::vector<int> KeepProblem::findDemand(int value, int launch) const {
  constexpr size_t kMostSteps = 64;
  std::vector<std::pair<int, int>> reached; // op; the place in `reached` from which it was reached, or -1
  auto addReaders = [&](int of, int from) {
    for (int user : usersOfRoots[of])
      if (mayReplay(user) && entry.ops[user].work != Work::View && reached.size() < kMostSteps)
        reached.push_back({user, from});
  };
  addReaders(value, -1);
  for (int at = 0; at < static_cast<int>(reached.size()); ++at) {
    const Op &op = entry.ops[reached[at].first];
    bool isDemanded = llvm::any_of(op.results, [&](int result) {
      return llvm::any_of(usersOfRoots[result],
                          [&](int user) { return !entry.ops[user].isForward() && launchOf[user] <= launch; });
    });
    if (isDemanded) {
      std::vector<int> chain;
      for (int step = at; step >= 0; step = reached[step].second)
        chain.push_back(reached[step].first);
      return chain;
    }
    for (int result : op.results)
      addReaders(entry.values[result].storage, at);
  }
  return {};
}

/// The same point for choices that compute much again: what backward has computed again by then for its first ops, and
/// still needs, is there. It counts in place of bytes that are there if a value is kept: of k ops that have to be
/// computed again for that, each adds the bytes, less k - 1 times these in any case.
MemoryPoint KeepProblem::withReplays(MemoryPoint point) const {
  for (int value = 0, e = entry.values.size(); value < e; ++value) {
    int64_t bytes = point.bytesIfKept[value];
    int producer = entry.values[value].producer;
    // What other layers need comes later. An elementwise recomputation may move down, to behind the point.
    if (bytes == 0 || entry.ops[producer].layer != entry.ops[schedule.launches[point.launch].main].layer ||
        (entry.ops[producer].work == Work::Row && entry.ops[producer].reductionPasses == 0))
      continue;
    std::vector<int> chain = findDemand(value, earliest[schedule.launches[point.launch].main]);
    if (chain.empty())
      continue;
    point.bytesIfKept[value] = 0;
    point.fixedBytes -= bytes * (static_cast<int64_t>(chain.size()) - 1);
    for (int op : chain)
      point.bytesIfReplayed[op] += bytes;
  }
  return point;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Cuts
//===--------------------------------------------------------------------------------------------------------------===//

/// What results of the op that backward reads add at the point if they are kept though the op is computed again.
int64_t KeepProblem::countKept(const ReplayCost &cost, const MemoryPoint &point) const {
  int64_t bytes = 0;
  for (int result : cost.kept)
    if (llvm::any_of(usersOfRoots[result], [&](int user) { return !entry.ops[user].isForward(); }))
      bytes += point.bytesIfKept[result];
  return bytes;
}

CutChoice KeepProblem::cut(const MemoryPoint &point, double price, const std::vector<bool> &kept) const {
  // On the sink's side: values that backward needs, ops that are computed again.
  const int values = entry.values.size(), ops = entry.ops.size();
  auto nodeOfValue = [&](int value) { return 2 + value; };
  auto nodeOfOp = [&](int op) { return 2 + values + op; };
  MinCut graph(2 + values + ops);
  const bool countsBytesAlone = std::isinf(price);
  auto unitsOf = [&](double seconds) {
    return countsBytesAlone ? 0 : static_cast<int64_t>(std::min(seconds / fixedSeconds * kUnitsPerStep, kMostUnits));
  };
  // Of the sets of results that an op may be computed again for, the one that costs least at the price.
  auto findReplay = [&](int op) {
    const ReplayCost *best = nullptr;
    double least = std::numeric_limits<double>::infinity();
    for (const ReplayCost &cost : replays[op]) {
      int64_t bytes = countKept(cost, point);
      double total = countsBytesAlone ? double(bytes) : cost.seconds + price * double(bytes);
      if (total < least) {
        least = total;
        best = &cost;
      }
    }
    return best;
  };
  auto mayCompute = [&](int op) {
    return mayReplay(op) && std::none_of(entry.ops[op].results.begin(), entry.ops[op].results.end(),
                                         [&](int result) { return !kept.empty() && kept[result]; });
  };
  for (int op = 0; op < ops; ++op) {
    const Op &each = entry.ops[op];
    if (!each.isForward()) {
      for (const Operand &operand : each.operands)
        if (entry.isForwardResult(operand.value))
          graph.add(nodeOfValue(operand.value), MinCut::kSink, MinCut::kInfinite);
      continue;
    }
    if (!mayCompute(op))
      continue; // its results are kept if they are needed, which costs nothing that a choice could save
    for (int result : each.results) {
      if (entry.isView(result))
        graph.add(nodeOfValue(entry.values[result].storage), nodeOfValue(result), MinCut::kInfinite);
      else if (int64_t bytes = point.bytesIfKept[result])
        graph.add(nodeOfOp(op), nodeOfValue(result), countsBytesAlone ? bytes : unitsOf(price * double(bytes)));
    }
    if (each.work == Work::View)
      continue;
    const ReplayCost &cost = *findReplay(op);
    double seconds = cost.seconds + (countsBytesAlone ? 0 : price * double(countKept(cost, point)));
    if (int64_t bytes = point.bytesIfReplayed[op])
      graph.add(MinCut::kSource, nodeOfOp(op), countsBytesAlone ? bytes : unitsOf(price * double(bytes)));
    if (seconds >= 0)
      graph.add(MinCut::kSource, nodeOfOp(op), unitsOf(seconds));
    else
      graph.add(nodeOfOp(op), MinCut::kSink, unitsOf(-seconds));
    for (const Operand &operand : each.operands)
      if (entry.isForwardResult(operand.value))
        graph.add(nodeOfValue(operand.value), nodeOfOp(op), MinCut::kInfinite);
  }
  for (const ReadIfKept &read : readsIfKept)
    if (mayCompute(read.op))
      graph.add(mayCompute(read.producer) ? nodeOfOp(read.producer) : MinCut::kSource, nodeOfOp(read.op),
                unitsOf(read.seconds));
  graph.solve();

  CutChoice choice;
  choice.choices.assign(values, Choice::Keep);
  choice.seconds = fixedSeconds;
  choice.bytes = point.fixedBytes;
  for (int op = 0; op < ops; ++op) {
    if (!entry.ops[op].isForward())
      continue;
    bool isComputed = entry.ops[op].work != Work::View && mayCompute(op) && graph.isOnSinkSide(nodeOfOp(op));
    if (isComputed) {
      choice.seconds += findReplay(op)->seconds;
      choice.bytes += point.bytesIfReplayed[op] + countKept(*findReplay(op), point);
    }
    for (int result : entry.ops[op].results) {
      if (isComputed)
        choice.choices[result] = Choice::Recompute;
      else if (graph.isOnSinkSide(nodeOfValue(result)))
        choice.bytes += point.bytesIfKept[result];
    }
  }
  for (const ReadIfKept &read : readsIfKept)
    if (choice.choices[entry.ops[read.op].results[0]] == Choice::Recompute &&
        choice.choices[entry.ops[read.producer].results[0]] == Choice::Keep)
      choice.seconds += read.seconds;
  for (int value = 0; value < values; ++value) // a view goes with what it shows
    if (entry.isView(value) && entry.isForwardResult(value) && entry.isForwardResult(entry.values[value].storage))
      choice.choices[value] = choice.choices[entry.values[value].storage];
  return choice;
}

std::vector<bool> KeepProblem::findCarried() const {
  std::vector<bool> carried(entry.values.size());
  for (int value = 0, e = entry.values.size(); value < e; ++value)
    if (entry.isForwardResult(value))
      for (int user : users[value])
        if (const Op &op = entry.ops[user];
            op.isForward() && op.layer >= 0 && op.layer != entry.ops[entry.values[value].producer].layer)
          carried[entry.values[value].storage] = true;
  return carried;
}

//===--------------------------------------------------------------------------------------------------------------===//
// The bound
//===--------------------------------------------------------------------------------------------------------------===//

/// The best price is where the lines of two cuts meet: one whose bytes are within the budget and one whose are not. A
/// cut at that price is either a third one, better than both there, or shows that there is none.
double KeepProblem::boundAt(const MemoryPoint &point, int64_t budget) const {
  constexpr int kMostCuts = 40;
  CutChoice light = cut(point, getLeastPrice());
  if (light.bytes <= budget)
    return light.seconds;
  CutChoice heavy = cut(point, kAnyPrice);
  if (heavy.bytes > budget)
    return std::numeric_limits<double>::infinity();
  double price = 0;
  for (int count = 0; count < kMostCuts && light.bytes > heavy.bytes; ++count) {
    price = (heavy.seconds - light.seconds) / double(light.bytes - heavy.bytes);
    CutChoice between = cut(point, price);
    double line = heavy.seconds + price * double(heavy.bytes);
    if (between.seconds + price * double(between.bytes) >= line * (1 - 1e-12))
      break;
    (between.bytes <= budget ? heavy : light) = std::move(between);
  }
  CutChoice best = cut(point, price);
  double value = std::min(best.seconds + price * double(best.bytes), heavy.seconds + price * double(heavy.bytes));
  double rounding = double(entry.ops.size() + entry.values.size()) / kUnitsPerStep * fixedSeconds;
  return value - price * double(budget) - rounding;
}

double KeepProblem::boundSeconds(int64_t budget) const {
  double bound = std::max(leastSeconds, cut(points.front(), 0).seconds);
  for (const MemoryPoint &point : points)
    bound = std::max(bound, boundAt(point, budget));
  return bound;
}
