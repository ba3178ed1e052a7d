//===- PlacementGreedy.cpp - skyline packing ------------------------------------------------------------*- C++ -*-===//
//
// The skyline is the height of the placed items in each section; neighbouring sections of equal height form a stretch.
// Placing an item makes at most two new stretches, and raising a stretch removes at least one, so n items take O(n)
// steps. A step takes O(log n), but for the query of FitTree. No step walks over all sections of an item, as there may
// be many: an activation that the first layer saves lives through all layers.
//
// So each item is placed no lower than the one before, and rests on another item or on the ground. MiniMalloc (Moffitt,
// ASPLOS 2023) calls such packings "canonical solutions"; one of them always has the least height.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "PlacementGreedy.h"

#include <algorithm>
#include <limits>
#include <queue>

using namespace tx::plan;
using namespace tx::plan::detail;

namespace {

constexpr int kNone = std::numeric_limits<int>::max();

/// Finds the item of least rank with lo >= a, hi <= b and size <= most. Items are the leaves in order of lo, so the
/// first condition is a range; each node holds its least rank, hi and size, which prune the descent.
class FitTree {
public:
  FitTree(const Instance &instance, const std::vector<int> &rank) : items(instance.items), leaves(1) {
    while (leaves < instance.size())
      leaves *= 2;
    nodes.assign(2 * leaves, kRemoved);
    for (int i = 0; i < instance.size(); ++i)
      nodes[leaves + i] = {items[i].size, rank[i], items[i].hi};
    for (int n = leaves - 1; n > 0; --n)
      pull(n);
    firstItem.assign(instance.numSections() + 1, instance.size());
    for (int i = instance.size() - 1; i >= 0; --i)
      firstItem[items[i].lo] = i;
    for (int s = instance.numSections() - 1; s >= 0; --s)
      firstItem[s] = std::min(firstItem[s], firstItem[s + 1]);
  }

  int find(int a, int b, int64_t most) const {
    int best = kNone, found = -1;
    descend(1, 0, leaves, {firstItem[a], firstItem[b], b, most}, best, found);
    return found;
  }

  void remove(int item) {
    int n = leaves + item;
    nodes[n] = kRemoved;
    for (n /= 2; n > 0; n /= 2)
      pull(n);
  }

private:
  struct Node {
    int64_t size;
    int rank, hi;
  };
  static constexpr Node kRemoved = {std::numeric_limits<int64_t>::max(), kNone, kNone};
  struct Query {
    int first, last, b;
    int64_t most;
  };

  void pull(int n) {
    const Node &left = nodes[2 * n], &right = nodes[2 * n + 1];
    nodes[n] = {std::min(left.size, right.size), std::min(left.rank, right.rank), std::min(left.hi, right.hi)};
  }

  void descend(int n, int from, int to, const Query &query, int &best, int &found) const {
    const Node &node = nodes[n];
    if (query.first >= to || query.last <= from || node.rank >= best || node.hi > query.b || node.size > query.most)
      return;
    if (to - from == 1) {
      best = node.rank;
      found = from;
      return;
    }
    int mid = (from + to) / 2;
    if (nodes[2 * n].rank < nodes[2 * n + 1].rank) {
      descend(2 * n, from, mid, query, best, found);
      descend(2 * n + 1, mid, to, query, best, found);
    } else {
      descend(2 * n + 1, mid, to, query, best, found);
      descend(2 * n, from, mid, query, best, found);
    }
  }

  const std::vector<Item> &items;
  int leaves;
  std::vector<Node> nodes;
  std::vector<int> firstItem;
};

/// A number for each section. It can add to all numbers of a range, and find the largest number of a range. A node's
/// number is the larger one of its children's, plus what was added to its whole range at once.
class SectionTree {
public:
  explicit SectionTree(const std::vector<int64_t> &values) {
    while (leaves < values.size())
      leaves *= 2;
    nodes.assign(2 * leaves, {kLeast, 0});
    for (size_t i = 0; i < values.size(); ++i)
      nodes[leaves + i].most = values[i];
    for (size_t n = leaves - 1; n > 0; --n)
      pull(n);
  }

  void add(size_t lo, size_t hi, int64_t amount) { add(1, 0, leaves, lo, hi, amount); }
  int64_t findMost(size_t lo, size_t hi) const { return findMost(1, 0, leaves, lo, hi); }

private:
  static constexpr int64_t kLeast = std::numeric_limits<int64_t>::min() / 2;
  struct Node {
    int64_t most, added;
  };

  void pull(size_t n) { nodes[n].most = std::max(nodes[2 * n].most, nodes[2 * n + 1].most) + nodes[n].added; }

  void add(size_t n, size_t from, size_t to, size_t lo, size_t hi, int64_t amount) {
    if (lo >= to || hi <= from)
      return;
    if (lo <= from && to <= hi) {
      nodes[n].most += amount;
      nodes[n].added += amount;
      return;
    }
    size_t mid = (from + to) / 2;
    add(2 * n, from, mid, lo, hi, amount);
    add(2 * n + 1, mid, to, lo, hi, amount);
    pull(n);
  }

  int64_t findMost(size_t n, size_t from, size_t to, size_t lo, size_t hi) const {
    if (lo >= to || hi <= from)
      return kLeast;
    if (lo <= from && to <= hi)
      return nodes[n].most;
    size_t mid = (from + to) / 2;
    return std::max(findMost(2 * n, from, mid, lo, hi), findMost(2 * n + 1, mid, to, lo, hi)) + nodes[n].added;
  }

  size_t leaves = 1;
  std::vector<Node> nodes;
};

/// The skyline's stretches, linked by their first sections.
class Skyline {
public:
  explicit Skyline(int numSections)
      : end(numSections, 0), begin(numSections + 1, -1), height(numSections, 0), numSections(numSections) {
    set(0, numSections, 0);
  }

  /// The first section of the lowest stretch; of equally low ones, of the leftmost.
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

  /// The height of the lower wall of the stretch that starts at s; the largest int64_t if it has no walls.
  int64_t wallOf(int s) const {
    int64_t wall = std::numeric_limits<int64_t>::max();
    if (s > 0)
      wall = height[begin[s]];
    if (end[s] < numSections)
      wall = std::min(wall, height[end[s]]);
    return wall;
  }

  /// Raises the sections [lo, hi) of the stretch that starts at s to `top`.
  void cover(int s, int lo, int hi, int64_t top) {
    int e = end[s];
    int64_t h = height[s];
    end[s] = 0;
    if (s < lo)
      set(s, lo, h);
    if (hi < e)
      set(hi, e, h);
    // Neighbouring stretches of equal height become one.
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

private:
  void set(int s, int e, int64_t h) {
    end[s] = e;
    begin[e] = s;
    height[s] = h;
    heap.push({h, s});
  }

  std::vector<int> end;   // if a stretch starts at this section: its end; else 0
  std::vector<int> begin; // if a stretch ends at this section: its begin
  std::vector<int64_t> height;
  using Entry = std::pair<int64_t, int>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<Entry>> heap;
  int numSections;
};

} // namespace

Packing tx::plan::detail::packSkyline(const Instance &instance, const std::vector<int> &order,
                                      std::optional<int64_t> flatUnder) {
  constexpr int64_t kAny = std::numeric_limits<int64_t>::max();
  Packing packing;
  packing.offsets.assign(instance.size(), 0);
  std::vector<int> rank(instance.size());
  for (int i = 0; i < instance.size(); ++i)
    rank[order[i]] = i;
  FitTree unplaced(instance, rank);
  Skyline skyline(instance.numSections());
  SectionTree rest(instance.total);
  for (int remaining = instance.size(); remaining > 0;) {
    int s = skyline.lowest(), e = skyline.endOf(s);
    int64_t height = skyline.heightOf(s), wall = skyline.wallOf(s);
    int chosen = -1;
    if (flatUnder && wall != kAny) {
      chosen = unplaced.find(s, e, wall - height);
      // If no section of the hole would then have to exceed flatUnder, leave the hole empty.
      if (chosen < 0 && rest.findMost(s, e) + wall > *flatUnder)
        chosen = unplaced.find(s, e, kAny);
    } else {
      chosen = unplaced.find(s, e, kAny);
    }
    if (chosen < 0) {
      skyline.cover(s, s, e, wall);
      continue;
    }
    const Item &item = instance.items[chosen];
    int64_t offset = alignUp(height, item.alignment);
    packing.offsets[chosen] = offset;
    packing.height = std::max(packing.height, offset + item.size);
    unplaced.remove(chosen);
    --remaining;
    skyline.cover(s, item.lo, item.hi, offset + item.size);
    if (flatUnder)
      rest.add(item.lo, item.hi, -item.size);
  }
  return packing;
}
