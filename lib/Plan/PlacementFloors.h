//===- PlacementFloors.h - what is decided so far, and what follows ------------------------------------*- C++ -*-===//
//
// The search decides offsets from the bottom up. `floor[s]` is the lowest byte of section s that is not decided yet,
// `rest[s]` the bytes of the section's items that are not placed yet. floor + rest may never exceed the capacity; the
// difference is the section's slack, the bytes that it may still leave empty. A *hole* is a run of sections of one
// floor, which is lower than the floors on both sides of it (the walls).
//
// Placing an item, or raising a floor, has consequences: settle() raises floors until in each section some remaining
// item can lie on the floor. All of it can be undone, and each floor knows why it is as high as it is.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_PLAN_PLACEMENTFLOORS_H
#define TX_LIB_PLAN_PLACEMENTFLOORS_H

#include "PlacementInstance.h"
#include "PlacementReasons.h"

#include <algorithm>
#include <limits>
#include <vector>

namespace tx::plan::detail {

inline constexpr int64_t kInf = std::numeric_limits<int64_t>::max();

/// A list of items for each section, all in one array.
class SectionLists {
public:
  template <typename Sections>
  SectionLists(int numSections, const std::vector<int> &members, Sections sections) : begins(numSections + 2, 0) {
    for (int u : members)
      sections(u, [&](int s) { ++begins[s + 2]; });
    for (int s = 0; s < numSections; ++s)
      begins[s + 2] += begins[s + 1];
    list.resize(begins[numSections + 1]);
    for (int u : members)
      sections(u, [&](int s) { list[begins[s + 1]++] = u; });
  }
  const int *begin(int s) const { return list.data() + begins[s]; }
  const int *end(int s) const { return list.data() + begins[s + 1]; }
  int64_t size(int s) const { return begins[s + 1] - begins[s]; }

private:
  std::vector<int64_t> begins;
  std::vector<int> list;
};

/// The items, those of few sections first.
inline std::vector<int> itemsByWidth(const Instance &instance) {
  std::vector<int> members(instance.size());
  for (int u = 0; u < instance.size(); ++u)
    members[u] = u;
  std::sort(members.begin(), members.end(), [&](int a, int b) {
    int wa = instance.items[a].hi - instance.items[a].lo;
    int wb = instance.items[b].hi - instance.items[b].lo;
    return wa != wb ? wa < wb : a < b;
  });
  return members;
}

/// The state of a search; it has no decisions of its own.
class Floors {
protected:
  static constexpr int kItself = -1, kUnknown = -2;

  /// The sections [a, b) of a hole, and its walls.
  struct Hole {
    int a = 0, b = 0;
    int64_t wall = kInf; ///< floor of the lower wall; kInf without walls
    int why = kUnknown;  ///< index of the reasons of the walls; kUnknown until somebody asks
  };
  /// What undo() brings back.
  struct Change {
    int index; ///< the section whose floor rose; -1 - item if an item was placed
    int why;
    int64_t floor, real;
  };

  explicit Floors(const Instance &instance)
      : instance(instance), items(instance.items), numSections(instance.numSections()),
        // Narrow items (few sections) come first: they stay witnesses longest, since fewer placements touch them. A
        // witness of a section is an item that can lie on its floor, see settle().
        cover(numSections, itemsByWidth(instance),
              [&](int u, auto visit) {
                for (int s = items[u].lo; s < items[u].hi; ++s)
                  visit(s);
              }),
        isQueued(numSections, 0) {
    firstItem.assign(numSections + 1, instance.size());
    for (int u = instance.size() - 1; u >= 0; --u)
      firstItem[items[u].lo] = u;
    for (int s = numSections - 1; s >= 0; --s)
      firstItem[s] = std::min(firstItem[s], firstItem[s + 1]);
  }

  void reset(int64_t capacityWanted) {
    capacity = capacityWanted;
    work = 0;
    floor.assign(numSections, 0);
    real.assign(numSections, 0);
    rest = instance.total;
    witness.assign(numSections, -1);
    why.assign(numSections, kItself);
    reasonSets.clear();
    crossing.assign(numSections + 1, 0);
    for (const Item &item : items)
      for (int s = item.lo + 1; s < item.hi; ++s)
        ++crossing[s];
    offset.assign(instance.size(), -1);
    trail.clear();
  }

  bool placeAt(int u, int64_t at) {
    const Item &item = items[u];
    int64_t top = at + item.size;
    offset[u] = at;
    trail.push_back({-1 - u, kItself, 0, 0});
    bool fits = true;
    for (int s = item.lo; s < item.hi; ++s) {
      trail.push_back({s, why[s], floor[s], real[s]});
      floor[s] = real[s] = top;
      rest[s] -= item.size;
      if (floor[s] + rest[s] > capacity) {
        failure.join(reasonsOf(s));
        fits = false;
      }
      why[s] = kItself;
      enqueue(s);
    }
    for (int s = item.lo + 1; s < item.hi; ++s)
      --crossing[s];
    work += (item.hi - item.lo) / 2;
    touchAround(item.lo, item.hi, top);
    return fits;
  }

  bool lift(int s, int64_t to, int reason) {
    if (to + rest[s] > capacity) {
      failure.join(s, s + 1);
      failure.join(reasonSets[reason]);
      return false;
    }
    trail.push_back({s, why[s], floor[s], real[s]});
    floor[s] = to;
    why[s] = reason;
    lifted.push_back(s);
    enqueue(s);
    return true;
  }

  int addReasons(const Reasons &reasons) {
    ++work;
    reasonSets.push_back(reasons);
    return static_cast<int>(reasonSets.size()) - 1;
  }

  Reasons reasonsOf(int s) const {
    Reasons reasons = why[s] == kItself ? Reasons() : reasonSets[why[s]];
    reasons.join(s, s + 1);
    return reasons;
  }

  void joinAll(Reasons &reasons, int lo, int hi) const {
    reasons.join(lo, hi);
    for (int s = lo; s < hi; ++s)
      if (why[s] != kItself && (s == lo || why[s] != why[s - 1]))
        reasons.join(reasonSets[why[s]]);
  }

  /// The sections of a hole's walls, where remaining items cross the wall: such items lie at least as high as the wall.
  /// The floors between the walls matter only to items that lie inside, so they are no reasons.
  Reasons reasonsOfWalls(const Hole &hole) const {
    Reasons reasons;
    if (hole.a > 0 && crossing[hole.a] > 0)
      reasons.join(reasonsOf(hole.a - 1));
    if (hole.b < numSections && crossing[hole.b] > 0)
      reasons.join(reasonsOf(hole.b));
    return reasons;
  }

  /// Called when the floors of [x, y) have risen to `top`: queues the sections outside that may have lost their
  /// witness. Such a section's witness reaches into [x, y), the section's floor is below `top`, and no floor between
  /// the section and [x, y) is higher than its own.
  void touchAround(int x, int y, int64_t top) {
    int64_t highest = 0;
    int s = x - 1;
    for (; s >= 0 && crossing[s + 1] > 0 && floor[s] < top; --s) {
      if (floor[s] < highest)
        continue;
      highest = floor[s];
      if (witness[s] >= 0 && items[witness[s]].hi > x)
        enqueue(s);
    }
    work += (x - s) / 8;
    highest = 0;
    for (s = y; s < numSections && crossing[s] > 0 && floor[s] < top; ++s) {
      if (floor[s] < highest)
        continue;
      highest = floor[s];
      if (witness[s] >= 0 && items[witness[s]].lo < y)
        enqueue(s);
    }
    work += (s - y) / 8;
  }

  void enqueue(int s) {
    if (isQueued[s])
      return;
    isQueued[s] = 1;
    queue.push_back(s);
  }

  /// Raises floors until in each section some remaining item, the section's witness, can lie on the floor. False if a
  /// section then has too few bytes above its floor for its remaining items.
  ///
  /// Works in waves from left to right. Within a wave a hole may be out of date, if a floor has risen since the wave
  /// began. At worst a floor then rises too little; the next wave looks again at every section around a floor that
  /// rose.
  bool settle() {
    while (true) {
      touchLifted();
      if (queue.empty())
        return true;
      wave.swap(queue);
      std::sort(wave.begin(), wave.end());
      bool fits = true;
      Hole hole;
      int64_t holeHeight = -1;
      for (int s : wave) {
        isQueued[s] = 0;
        if (!fits || rest[s] == 0)
          continue;
        if (holeHeight != floor[s] || s >= hole.b) {
          hole = holeAround(s);
          holeHeight = floor[s];
        }
        fits = findWitness(s, hole);
      }
      wave.clear();
      if (!fits)
        return false;
    }
  }

  bool findWitness(int s, Hole &hole) {
    int64_t height = floor[s], lowest = hole.wall;
    const int *u = cover.begin(s), *end = cover.end(s);
    for (; u != end; ++u) {
      const Item &item = items[*u];
      if (item.hi - item.lo > hole.b - hole.a) {
        end = u; // wider than the hole, as are all that follow
        break;
      }
      if (offset[*u] >= 0 || item.lo < hole.a || item.hi > hole.b)
        continue;
      int64_t at = alignUp(height, item.alignment);
      lowest = std::min(lowest, at);
      if (at == height)
        break;
    }
    work += 1 + (u - cover.begin(s)) / 4;
    witness[s] = u != end ? *u : -1;
    if (u != end)
      return true;
    if (lowest < hole.wall) {
      // Only alignment raises this floor: the reasons of the floor itself and of the walls explain it.
      Reasons reasons = reasonsOf(s);
      reasons.join(reasonsOfWalls(hole));
      return lift(s, lowest, addReasons(reasons));
    }
    if (hole.why == kUnknown)
      hole.why = addReasons(reasonsOfWalls(hole));
    return lift(s, lowest, hole.why);
  }

  void touchLifted() {
    std::sort(lifted.begin(), lifted.end());
    for (size_t i = 0, j; i < lifted.size(); i = j) {
      int64_t top = floor[lifted[i]];
      for (j = i + 1; j < lifted.size() && lifted[j] == lifted[j - 1] + 1; ++j)
        top = std::max(top, floor[lifted[j]]);
      touchAround(lifted[i], lifted[j - 1] + 1, top);
    }
    lifted.clear();
  }

  Hole holeAround(int s) {
    Hole hole;
    hole.a = s;
    while (hole.a > 0 && crossing[hole.a] > 0 && floor[hole.a - 1] <= floor[s])
      --hole.a;
    if (hole.a > 0 && crossing[hole.a] > 0)
      hole.wall = floor[hole.a - 1];
    hole.b = s + 1;
    while (hole.b < numSections && crossing[hole.b] > 0 && floor[hole.b] <= floor[s])
      ++hole.b;
    if (hole.b < numSections && crossing[hole.b] > 0)
      hole.wall = std::min(hole.wall, floor[hole.b]);
    work += (hole.b - hole.a) / 4;
    return hole;
  }

  void undo(size_t mark) {
    for (int s : queue)
      isQueued[s] = 0;
    queue.clear();
    lifted.clear();
    work += (trail.size() - mark) / 4;
    while (trail.size() > mark) {
      Change change = trail.back();
      trail.pop_back();
      if (change.index >= 0) {
        why[change.index] = change.why;
        floor[change.index] = change.floor;
        real[change.index] = change.real;
        continue;
      }
      int u = -1 - change.index;
      const Item &item = items[u];
      offset[u] = -1;
      for (int s = item.lo; s < item.hi; ++s)
        rest[s] += item.size;
      for (int s = item.lo + 1; s < item.hi; ++s)
        ++crossing[s];
    }
  }

  const Instance &instance;
  const std::vector<Item> &items;
  int numSections;
  SectionLists cover;         // for each section: the items that cover it, narrow ones first
  std::vector<int> firstItem; // items with lo in [a, b): [first[a], first[b])

  int64_t capacity = 0, work = 0; // bytes; steps taken
  std::vector<int64_t> offset;    // for each item; -1 while it is not placed
  std::vector<int64_t> floor;     // for each section, the lowest byte that is not decided yet
  std::vector<int64_t> real;      // for each section: the top of the placed items
  std::vector<int64_t> rest;      // for each section: bytes of the remaining items
  std::vector<int> why;           // for each section: the reasons of its floor, besides the section itself
  std::vector<Reasons> reasonSets;
  std::vector<int> crossing; // for each section s: how many remaining items cover both s - 1 and s
  std::vector<int> witness;  // for each section, an item; may be out of date where the section is not queued
  std::vector<char> isQueued;
  std::vector<int> queue;  // sections that may have lost their witness
  std::vector<int> wave;   // the queued sections that settle() looks at now
  std::vector<int> lifted; // sections whose floor rose without a placement
  std::vector<Change> trail;
  Reasons failure; // the reasons why the choice tried last has failed
};

} // namespace tx::plan::detail

#endif // TX_LIB_PLAN_PLACEMENTFLOORS_H
