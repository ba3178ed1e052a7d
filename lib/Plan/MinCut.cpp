//===- MinCut.cpp - Minimum cuts ----------------------------------------------------------------------------------===//

#include "MinCut.h"

#include <algorithm>

using namespace tx::plan;

/// Breadth first from the source over edges that have room. Returns whether the sink is reached.
bool MinCut::findLevels() {
  levels.assign(first.size(), -1);
  levels[kSource] = 0;
  std::vector<int> queue = {kSource};
  for (size_t at = 0; at < queue.size(); ++at)
    for (int half = first[queue[at]]; half >= 0; half = halves[half].next)
      if (int to = halves[half].to; halves[half].capacity > 0 && levels[to] < 0) {
        levels[to] = levels[queue[at]] + 1;
        queue.push_back(to);
      }
  return levels[kSink] >= 0;
}

/// Finds one path to the sink by levels and fills it. Chains of a model are as long as the model is deep, so this walks
/// with a stack of its own. Returns how much it has pushed; 0: there is no path left.
int64_t MinCut::push() {
  std::vector<int> path; // half edges
  int node = kSource;
  while (node != kSink) {
    int &half = current[node];
    while (half >= 0 && !(halves[half].capacity > 0 && levels[halves[half].to] == levels[node] + 1))
      half = halves[half].next;
    if (half >= 0) {
      path.push_back(half);
      node = halves[half].to;
      continue;
    }
    if (path.empty())
      return 0;
    levels[node] = -2; // a dead end, of this round
    node = halves[path.back() ^ 1].to;
    path.pop_back();
  }
  int64_t room = kInfinite;
  for (int half : path)
    room = std::min(room, halves[half].capacity);
  for (int half : path) {
    halves[half].capacity -= room;
    halves[half ^ 1].capacity += room;
  }
  return room;
}

int64_t MinCut::solve() {
  int64_t value = 0;
  while (findLevels()) {
    current = first;
    while (int64_t pushed = push()) {
      value += pushed;
      if (value >= kInfinite)
        return value;
    }
  }
  return value;
}
