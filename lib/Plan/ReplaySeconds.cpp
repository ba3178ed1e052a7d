//===- ReplaySeconds.cpp - What a recomputation takes at least ----------------------------------------------------===//

#include "tx/Plan/Bound.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

using namespace tx;
using namespace tx::plan;

/// Seconds per byte of the kernels of rows, as the step without recomputation runs them.
struct KeepProblem::Traffic {
  std::vector<double> secondsPerByte; // by launch
  double least = 0;
};

void KeepProblem::countSeconds() {
  LaunchTimer &timer = scorer.getTimer();
  Traffic traffic;
  traffic.secondsPerByte.resize(schedule.launches.size());
  double least = std::numeric_limits<double>::infinity();
  for (int number = 0, e = schedule.launches.size(); number < e; ++number) {
    const Launch &launch = schedule.launches[number];
    double seconds = timer.secondsOf(entry, launch);
    if (launch.lane == Lane::Compute)
      fixedSeconds += seconds;
    int64_t bytes = launch.isKernel() ? getMovedBytes(entry, launch) : 0;
    if (launch.work != Work::Row || bytes == 0)
      continue;
    traffic.secondsPerByte[number] = std::max(0.0, seconds - timer.getDevice().launchSeconds) / double(bytes);
    least = std::min(least, traffic.secondsPerByte[number]);
  }
  traffic.least = std::isfinite(least) ? least : 0;
  leastSeconds = computeSeconds(entry, schedule, timer).getTotal();
  replays.resize(entry.ops.size());
  for (int op = 0, e = entry.ops.size(); op < e; ++op) {
    if (!mayReplay(op))
      continue;
    countReplays(op, traffic);
    double saved = 0;
    for (const ReplayCost &cost : replays[op])
      saved = std::max(saved, -cost.seconds);
    leastSeconds -= saved;
  }
}

/// Counts the op's recomputation for each set of results that it may be for: others of them may be kept, and are then
/// not written again.
void KeepProblem::countReplays(int op, const Traffic &traffic) {
  constexpr size_t kMostResults = 5; // an op with more has all of them computed again, or counts nothing
  const std::vector<int> &results = entry.ops[op].results;
  std::map<int, double> reads; // by producer: what every set reads
  if (results.size() > kMostResults) {
    replays[op].push_back({0, {}});
    return;
  }
  for (unsigned set = (1u << results.size()) - 1; set > 0; --set) {
    std::vector<int> computed, kept;
    for (size_t i = 0; i < results.size(); ++i)
      (set >> i & 1 ? computed : kept).push_back(results[i]);
    Replay replay = countReplay(op, computed, traffic);
    std::map<int, double> own;
    for (auto [producer, seconds] : replay.readsIfKept)
      own[producer] += seconds;
    if (kept.empty()) {
      reads = own;
    } else {
      for (auto &[producer, seconds] : reads) {
        auto found = own.find(producer);
        seconds = std::min(seconds, found == own.end() ? 0 : found->second);
      }
    }
    replays[op].push_back({replay.seconds, std::move(kept)});
  }
  for (auto [producer, seconds] : reads)
    if (seconds > 0)
      readsIfKept.push_back({producer, op, seconds});
}

/// The kernels of backward that the op's recomputation may be a part of: their ops have rows alike, and read a result
/// of it, or, if it is elementwise, an operand. Not those that cannot begin before somebody else needs a result.
std::vector<int> KeepProblem::findHosts(int op, const std::vector<int> &computed) const {
  const Op &forward = entry.ops[op];
  int firstUse = schedule.launches.size(); // at the latest
  std::set<int> hosts;
  auto addReaders = [&](int value) {
    for (int user : users[value])
      if (!entry.ops[user].isForward() && entry.ops[user].work == Work::Row && entry.ops[user].space == forward.space)
        hosts.insert(user);
  };
  for (int result : computed) {
    addReaders(result);
    for (int user : usersOfRoots[result])
      if (!entry.ops[user].isForward() && !movable[user])
        firstUse = std::min(firstUse, launchOf[user]);
  }
  if (forward.reductionPasses == 0)
    for (const Operand &operand : forward.operands)
      if (operand.value != forward.replayKey)
        addReaders(operand.value);
  std::set<int> launches;
  for (int host : hosts)
    if (earliest[host] <= firstUse)
      launches.insert(launchOf[host]);
  return {launches.begin(), launches.end()};
}

KeepProblem::Replay KeepProblem::countReplay(int op, const std::vector<int> &computed, const Traffic &traffic) const {
  const Op &forward = entry.ops[op];
  if (forward.work == Work::View || forward.work == Work::Collective || forward.work == Work::Column)
    return {}; // a collective may be hidden, sums may be in a kernel that is there
  if (forward.work != Work::Row)
    return {secondsAlone(op), {}};
  Replay replay;
  const double launchSeconds = scorer.getTimer().getDevice().launchSeconds;
  std::vector<int> hosts = findHosts(op, computed);
  auto isHost = [&](int user) { return std::binary_search(hosts.begin(), hosts.end(), launchOf[user]); };
  auto isLike = [&](int other) {
    return entry.ops[other].work == Work::Row && entry.ops[other].space == forward.space && mayReplay(other);
  };
  double seconds = 0;
  std::map<int, double> saved; // by host: what it need not read
  bool hasLikeReader = false;
  for (int result : computed) {
    double bytes = double(entry.values[result].bytes);
    bool isWritten = false, leavesKernel = false;
    std::set<int> readers;
    for (int user : users[result]) {
      bool isForward = entry.ops[user].isForward();
      hasLikeReader |= isForward && isLike(user);
      if (!isForward && isHost(user))
        readers.insert(launchOf[user]);
      else if (!isForward && entry.ops[user].work != Work::View)
        isWritten = true;
      else if (isForward && launchOf[user] != launchOf[op])
        leavesKernel = true;
    }
    for (int reader : readers)
      saved[reader] += bytes * traffic.secondsPerByte[reader];
    if (isWritten)
      seconds += bytes * traffic.least;
    if (!leavesKernel)
      seconds -= bytes * traffic.secondsPerByte[launchOf[op]];
  }
  bool hasLikeProducer = false;
  for (const Operand &operand : forward.operands) {
    const Value &value = entry.values[operand.value];
    if (!operand.isRead || value.rows > forward.space.first)
      continue;
    if (std::any_of(users[operand.value].begin(), users[operand.value].end(),
                    [&](int user) { return !entry.ops[user].isForward() && isHost(user); }))
      continue; // a host reads it anyway
    double read = double(value.bytes) * traffic.least;
    if (value.producer >= 0 && isLike(value.producer)) {
      hasLikeProducer = true;
      replay.readsIfKept.push_back({value.producer, read});
    } else {
      seconds += read;
    }
  }
  if (hosts.empty() && !hasLikeReader && !hasLikeProducer)
    seconds += launchSeconds; // it has a kernel of its own
  // Of several hosts one has the recomputation. They become one kernel only where the later one needs nothing that
  // comes after the earlier one.
  double merged = 0, mostSaved = 0;
  for (int result : computed)
    for (int user : users[result])
      if (!entry.ops[user].isForward() && isHost(user) && launchOf[user] != hosts.front() &&
          earliest[user] < hosts.front())
        merged += launchSeconds + double(entry.values[result].bytes) * traffic.secondsPerByte[launchOf[user]];
  for (auto [reader, each] : saved)
    mostSaved = std::max(mostSaved, each);
  replay.seconds = seconds - mostSaved - merged;
  return replay;
}

/// Of an op that shares its kernel with no other.
double KeepProblem::secondsAlone(int op) const {
  Launch alone;
  alone.work = entry.ops[op].work;
  alone.main = op;
  alone.ops = {op};
  for (const Operand &operand : entry.ops[op].operands)
    if (std::find(alone.inputs.begin(), alone.inputs.end(), operand.value) == alone.inputs.end())
      alone.inputs.push_back(operand.value);
  alone.outputs = entry.ops[op].results;
  return scorer.getTimer().secondsOf(entry, alone);
}
