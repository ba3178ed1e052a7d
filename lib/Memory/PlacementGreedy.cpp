//===- PlacementGreedy.cpp - skyline packing -------------------*- C++ -*-===//
//
// The skyline is the top of what lies so far, section by section, kept as
// stretches of equal height. Placing an item makes at most two new stretches
// and raising one removes at least one, so n items take O(n) steps of
// O(log n), but for the query below.
//
// Placed this way, offsets never fall and every item rests on another one or on
// the ground: the "canonical solutions" of MiniMalloc (Moffitt, ASPLOS 2023),
// among which there is always a best one.
//
//===----------------------------------------------------------------------===//

#include "PlacementGreedy.h"

#include <algorithm>
#include <limits>
#include <queue>

using namespace tx::memory;
using namespace tx::memory::detail;

namespace {

constexpr int kNone = std::numeric_limits<int>::max();

/// Finds the item of least rank with lo >= a and hi <= b. Items are the leaves
/// in order of lo, so the first condition is a range; each node holds its least
/// rank and least hi, which prune the descent.
class FitTree {
public:
  FitTree(const Instance &instance, const std::vector<int> &rank)
      : items(instance.items), leaves(1) {
    while (leaves < instance.size())
      leaves *= 2;
    nodes.assign(2 * leaves, {kNone, kNone});
    for (int i = 0; i < instance.size(); ++i)
      nodes[leaves + i] = {rank[i], items[i].hi};
    for (int n = leaves - 1; n > 0; --n)
      pull(n);
    firstItem.assign(instance.numSections() + 1, instance.size());
    for (int i = instance.size() - 1; i >= 0; --i)
      firstItem[items[i].lo] = i;
    for (int s = instance.numSections() - 1; s >= 0; --s)
      firstItem[s] = std::min(firstItem[s], firstItem[s + 1]);
  }

  int find(int a, int b) const {
    int best = kNone, found = -1;
    descend(1, 0, leaves, firstItem[a], firstItem[b], b, best, found);
    return found;
  }

  void remove(int item) {
    int n = leaves + item;
    nodes[n] = {kNone, kNone};
    for (n /= 2; n > 0; n /= 2)
      pull(n);
  }

private:
  struct Node {
    int rank, hi;
  };

  void pull(int n) {
    nodes[n] = {std::min(nodes[2 * n].rank, nodes[2 * n + 1].rank),
                std::min(nodes[2 * n].hi, nodes[2 * n + 1].hi)};
  }

  void descend(int n, int from, int to, int first, int last, int b, int &best,
               int &found) const {
    if (first >= to || last <= from || nodes[n].rank >= best || nodes[n].hi > b)
      return;
    if (to - from == 1) {
      best = nodes[n].rank;
      found = from;
      return;
    }
    int mid = (from + to) / 2;
    if (nodes[2 * n].rank < nodes[2 * n + 1].rank) {
      descend(2 * n, from, mid, first, last, b, best, found);
      descend(2 * n + 1, mid, to, first, last, b, best, found);
    } else {
      descend(2 * n + 1, mid, to, first, last, b, best, found);
      descend(2 * n, from, mid, first, last, b, best, found);
    }
  }

  const std::vector<Item> &items;
  int leaves;
  std::vector<Node> nodes;
  std::vector<int> firstItem;
};

/// The skyline's stretches, linked by their first sections.
class Skyline {
public:
  explicit Skyline(int numSections)
      : end(numSections, 0), begin(numSections + 1, -1), height(numSections, 0),
        numSections(numSections) {
    set(0, numSections, 0);
  }

  /// The first section of the lowest stretch, leftmost of equals.
  int lowest() {
    while (true) {
      auto [h, s] = heap.top();
      if (end[s] && height[s] == h)
        return s;
      heap.pop();
    }
  }
  int endOf(int s) const { return end[s]; }
  int64_t heightOf(int s) const { return height[s]; }

  /// Lays [lo, hi) at `top` onto the stretch that starts at s.
  void cover(int s, int lo, int hi, int64_t top) {
    int e = end[s];
    int64_t h = height[s];
    end[s] = 0;
    if (s < lo)
      set(s, lo, h);
    if (hi < e)
      set(hi, e, h);
    // Neighbours of equal height become one stretch.
    if (lo == s && lo > 0 && height[begin[lo]] == top) {
      lo = begin[lo];
      end[lo] = 0;
    }
    if (hi == e && hi < numSections && height[hi] == top) {
      e = hi;
      hi = end[hi];
      end[e] = 0;
    }
    set(lo, hi, top);
  }

  /// Lifts the stretch at s to its lower wall. False if it has no wall.
  bool raise(int s) {
    int e = end[s];
    int64_t wall = std::numeric_limits<int64_t>::max();
    if (s > 0)
      wall = height[begin[s]];
    if (e < numSections)
      wall = std::min(wall, height[e]);
    if (s == 0 && e == numSections)
      return false;
    cover(s, s, e, wall);
    return true;
  }

private:
  void set(int s, int e, int64_t h) {
    end[s] = e;
    begin[e] = s;
    height[s] = h;
    heap.push({h, s});
  }

  std::vector<int> end;   // of the stretch that starts here, 0 if none does
  std::vector<int> begin; // of the stretch that ends here
  std::vector<int64_t> height;
  using Entry = std::pair<int64_t, int>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<Entry>> heap;
  int numSections;
};

} // namespace

Packing tx::memory::detail::packSkyline(const Instance &instance,
                                        const std::vector<int> &order) {
  Packing packing;
  packing.offsets.assign(instance.size(), 0);
  if (instance.items.empty())
    return packing;
  std::vector<int> rank(instance.size());
  for (int i = 0; i < instance.size(); ++i)
    rank[order[i]] = i;
  FitTree unplaced(instance, rank);
  Skyline skyline(instance.numSections());
  while (true) {
    int s = skyline.lowest();
    int chosen = unplaced.find(s, skyline.endOf(s));
    if (chosen < 0) {
      if (!skyline.raise(s))
        return packing;
      continue;
    }
    const Item &item = instance.items[chosen];
    int64_t offset = alignUp(skyline.heightOf(s), item.alignment);
    packing.offsets[chosen] = offset;
    packing.height = std::max(packing.height, offset + item.size);
    unplaced.remove(chosen);
    skyline.cover(s, item.lo, item.hi, offset + item.size);
  }
}
