//===- Schedule.cpp - Which ops one kernel computes ---------------------------------------------------------------===//
//
// One walk in program order. An op joins the latest group that gives it a value, or that reads what it reads, if all
// its other operands are there before the group starts: a group stands where its first op stood, so nothing moves later
// and no cycle can arise. Grouping decides memory traffic only, never a value.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Plan/Schedule.h"

#include "MoveReplays.h"
#include "Order.h"

#include "txrt/abi.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <utility>

using namespace tx;
using namespace tx::plan;

namespace {

/// Parts of a step that never share a kernel.
int getPart(Segment segment) {
  switch (segment) {
  case Segment::Forward:
    return 0;
  case Segment::Backward:
  case Segment::Recompute:
    return 1;
  case Segment::Optimizer:
    return 2;
  }
  llvm_unreachable("all segments are listed");
}

struct Group {
  Group(int part, int start) : part(part), start(start) {}

  int part;
  int start;            // the first op's place
  bool isEarly = false; // it was brought before a group that is older
  std::vector<int> ops;
  std::vector<int> buffers; // distinct operands and results
  unsigned immediates = 0;
};

/// Groups with an op that reads some value, and those of them with an op that wants to share the value.
struct Readers {
  std::vector<int> all, sharers;
};

void addOnce(std::vector<int> &list, int number) {
  if (!llvm::is_contained(list, number))
    list.push_back(number);
}

Launch beginLaunch(const Entry &entry, std::vector<int> ops) {
  Launch launch;
  launch.work = entry.ops[ops.front()].work;
  launch.lane = launch.work == Work::Collective ? Lane::Collectives : Lane::Compute;
  launch.main = *std::max_element(ops.begin(), ops.end(), [&](int a, int b) { // the first of several
    return entry.ops[a].vectorFlops < entry.ops[b].vectorFlops;
  });
  launch.ops = std::move(ops);
  return launch;
}

/// For each value: whether an op of another launch, a store or the return needs it.
std::vector<bool> findNeeded(const Entry &entry, const std::vector<int> &launchOf) {
  std::vector<bool> needed(entry.values.size());
  for (int op = 0, e = entry.ops.size(); op < e; ++op)
    for (const Operand &operand : entry.ops[op].operands) {
      int producer = entry.values[operand.value].producer;
      if (producer < 0 || launchOf[producer] != launchOf[op])
        needed[operand.value] = true;
    }
  for (auto [value, state] : entry.stores)
    needed[value] = true;
  for (int value : entry.results)
    needed[value] = true;
  return needed;
}

void fillInputsAndOutputs(const Entry &entry, Schedule &schedule) {
  std::vector<int> launchOf(entry.ops.size());
  for (int number = 0, e = schedule.launches.size(); number < e; ++number)
    for (int op : schedule.launches[number].ops)
      launchOf[op] = number;
  std::vector<bool> needed = findNeeded(entry, launchOf);
  std::vector<int> lastReader(entry.values.size(), -1); // launch
  for (int number = 0, e = schedule.launches.size(); number < e; ++number) {
    Launch &launch = schedule.launches[number];
    for (int op : launch.ops) {
      for (const Operand &operand : entry.ops[op].operands) {
        int producer = entry.values[operand.value].producer;
        bool isOutside = producer < 0 || launchOf[producer] != number;
        if (isOutside && std::exchange(lastReader[operand.value], number) != number)
          launch.inputs.push_back(operand.value);
      }
      for (int result : entry.ops[op].results)
        if (needed[result] || !entry.ops[op].isKernel() || entry.ops[op].givesAllResults)
          launch.outputs.push_back(result);
    }
  }
}

class Fuser {
public:
  Fuser(const Entry &entry, unsigned maxBuffers)
      : entry(entry), maxBuffers(maxBuffers), order(entry.ops.size()), places(entry.ops.size()),
        groupOf(entry.ops.size(), -1), readers(entry.values.size()) {}

  Schedule run() {
    moveReplays(entry, order, schedule.looks);
    int place = 0;
    for (int op : order)
      places[op] = place += 2; // with room for one that comes earlier
    for (auto next = order.begin(); next != order.end();) {
      int op = *next;
      ++next;
      if (entry.ops[op].isKernel())
        assign(op);
    }
    listLaunches();
    return std::move(schedule);
  }

private:
  int getProducerGroup(int value) const {
    int producer = entry.values[value].producer;
    return producer < 0 ? -1 : groupOf[producer];
  }

  /// The place from which on a value is there; -1 for arguments and state.
  int getAvailable(int value) const {
    int producer = entry.values[value].producer;
    if (producer < 0)
      return -1;
    return groupOf[producer] < 0 ? places[producer] : groups[groupOf[producer]].start;
  }

  void assign(int op) {
    int group = findGroup(op);
    if (group < 0) {
      group = groups.size();
      groups.emplace_back(getPart(entry.ops[op].segment), places[op]);
    } else {
      for (const Operand &operand : entry.ops[op].operands)
        if (getProducerGroup(operand.value) != group && getAvailable(operand.value) >= groups[group].start)
          bringBefore(entry.values[operand.value].producer, group);
    }
    add(op, group);
  }

  void add(int op, int number) {
    const Op &data = entry.ops[op];
    Group &group = groups[number];
    group.ops.push_back(op);
    group.immediates += data.replayKey >= 0;
    groupOf[op] = number;
    for (const Operand &operand : data.operands) {
      addOnce(group.buffers, operand.value);
      addReader(data, operand.value, number);
    }
    for (int result : data.results)
      addOnce(group.buffers, result);
  }

  void addReader(const Op &op, int value, int group) {
    insert(readers[value].all, group);
    if (op.sharedOperand == value)
      insert(readers[value].sharers, group);
    if (isElementwiseReplay(op))
      insert(replays[{value, op.layer}], group);
  }

  /// Groups are listed in the order in which they were begun: a new one comes last.
  static void insert(std::vector<int> &groups, int group) {
    auto place = groups.end();
    while (place != groups.begin() && *std::prev(place) > group)
      --place;
    if (place == groups.begin() || *std::prev(place) != group)
      groups.insert(place, group);
  }

  /// A kernel of its own that needs nothing but arguments: a loss's scale as a row.
  bool mayComeEarlier(int value) const {
    int group = getProducerGroup(value);
    return group >= 0 && groups[group].ops.size() == 1 &&
           llvm::all_of(entry.ops[entry.values[value].producer].operands,
                        [&](const Operand &operand) { return entry.isArgument(operand.value); });
  }
  void bringBefore(int op, int group) {
    order.moveBefore(op, groups[group].ops.front());
    places[op] = groups[group].start - 1;
    groups[groupOf[op]].start = places[op];
    groups[groupOf[op]].isEarly = true;
  }

  /// The latest group that the op may join; -1: none.
  int findGroup(int op) {
    const Op &data = entry.ops[op];
    if (data.work == Work::Flat || data.work == Work::Tile)
      return -1; // one tensor each, or loops of its own: nothing to share
    std::vector<int> candidates;
    for (const Operand &operand : data.operands) {
      if (int group = getProducerGroup(operand.value); group >= 0 && data.work == Work::Row)
        candidates.push_back(group);
      addReaders(data, operand.value, candidates);
    }
    llvm::sort(candidates, std::greater<int>());
    candidates.erase(llvm::unique(candidates), candidates.end());
    auto found = llvm::find_if(candidates, [&](int group) { return mayJoin(data, groups[group]); });
    return found == candidates.end() ? -1 : *found;
  }

  /// Adds the groups that read the operand too, where that is a reason to be one kernel: for column reductions of one
  /// gradient (accumulators and weights say nothing), for an operand that one of the readers wants to share, and for
  /// replays of one layer. Ops of all layers read a random key or rope's tables, which is no reason.
  void addReaders(const Op &op, int value, std::vector<int> &candidates) {
    if (op.work == Work::Column) {
      if (entry.values[value].rank > 1)
        addLatest(op, readers[value].all, candidates);
    } else if (value != op.replayKey) {
      addLatest(op, op.sharedOperand == value ? readers[value].all : readers[value].sharers, candidates);
      if (auto found = replays.find({value, op.layer}); found != replays.end())
        addLatest(op, found->second, candidates);
    }
  }

  /// A group that starts before all operands of the op are there cannot take it; nor can those that were begun before
  /// it.
  void addLatest(const Op &op, const std::vector<int> &sorted, std::vector<int> &candidates) {
    int complete = getComplete(op);
    for (int group : llvm::reverse(sorted)) {
      ++schedule.looks;
      if (groups[group].start <= complete && !groups[group].isEarly)
        return;
      candidates.push_back(group);
    }
  }

  /// The place from which on all operands are there, but those which may come earlier.
  int getComplete(const Op &op) const {
    int place = -1;
    for (const Operand &operand : op.operands)
      if (!op.atBorder || !mayComeEarlier(operand.value))
        place = std::max(place, getAvailable(operand.value));
    return place;
  }

  bool mayJoin(const Op &op, const Group &group) const {
    const Op &first = entry.ops[group.ops.front()];
    bool isAtBorder = group.part == 0 && op.atBorder;
    if (first.work != op.work || first.space != op.space || (group.part != getPart(op.segment) && !isAtBorder) ||
        group.immediates + (op.replayKey >= 0) > TXRT_MAX_IMMEDIATES)
      return false;
    // A row of one column and a number for each row are alike: who takes it for which?
    if (op.work == Work::Row && op.space.second == 1)
      return false;
    // The loops of column ops are alike if all add all rows to one, or all scatter them in the same way.
    if (op.work == Work::Column && !(op.scatter == first.scatter))
      return false;
    return countBuffers(op, group) <= maxBuffers &&
           llvm::all_of(op.operands, [&](const Operand &operand) { return fits(op, operand, group, isAtBorder); });
  }

  /// Whether an op of the group gives the operand, or it is there before the group starts.
  bool fits(const Op &op, const Operand &operand, const Group &group, bool isAtBorder) const {
    int producer = getProducerGroup(operand.value);
    // A reduction's result is there only when all columns are done.
    if (producer >= 0 && &groups[producer] == &group)
      return !operand.isOtherRows && op.work != Work::Column;
    return getAvailable(operand.value) < group.start || (isAtBorder && mayComeEarlier(operand.value));
  }

  static size_t countBuffers(const Op &op, const Group &group) {
    std::vector<int> added;
    auto add = [&](int value) {
      if (!llvm::is_contained(group.buffers, value))
        addOnce(added, value);
    };
    for (const Operand &operand : op.operands)
      add(operand.value);
    for (int result : op.results)
      add(result);
    return group.buffers.size() + added.size();
  }

  /// A group stands where its first op stands.
  void listLaunches() {
    for (int op : order)
      if (groupOf[op] < 0)
        schedule.launches.push_back(beginLaunch(entry, {op}));
      else if (const Group &group = groups[groupOf[op]]; group.ops.front() == op)
        schedule.launches.push_back(beginLaunch(entry, group.ops));
    fillInputsAndOutputs(entry, schedule);
  }

  const Entry &entry;
  unsigned maxBuffers;
  Order order;
  std::vector<int> places, groupOf;
  std::vector<Readers> readers;                            // by value
  std::map<std::pair<int, int>, std::vector<int>> replays; // by value and layer: groups with a replay that reads it
  std::vector<Group> groups;
  Schedule schedule;
};

} // namespace

Schedule tx::plan::makeSchedule(const Entry &entry, unsigned maxBuffers) { return Fuser(entry, maxBuffers).run(); }

Schedule tx::plan::readSchedule(const Entry &entry) {
  Schedule schedule;
  std::vector<std::vector<int>> groups;
  for (int op = 0, e = entry.ops.size(); op < e; ++op) {
    bool continues = op > 0 && entry.ops[op].group >= 0 && entry.ops[op].group == entry.ops[op - 1].group;
    if (!continues)
      groups.emplace_back();
    groups.back().push_back(op);
  }
  for (std::vector<int> &ops : groups)
    schedule.launches.push_back(beginLaunch(entry, std::move(ops)));
  fillInputsAndOutputs(entry, schedule);
  return schedule;
}
