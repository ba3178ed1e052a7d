//===- PlacementSearch.cpp - packing under a capacity ---------------------------------------------------*- C++ -*-===//
//
// The search decides offsets from the bottom up. `floor[s]` is the lowest byte of section s that is not decided yet,
// `rest[s]` the bytes of the section's items that are not placed yet. floor + rest may never exceed the capacity; the
// difference is the section's slack, the bytes that it may still leave empty. A *hole* is a run of sections of one
// floor, which is lower than the floors on both sides of it (the walls). The search decides about one section of a
// hole, the pivot, at a time:
//
//   either one of the items that cover the pivot and fit between the hole's walls lies on the pivot's floor,
//   or none does, and the floor rises to the next byte where an item could lie.
//
// The alternatives exclude each other, so the search meets no packing twice. It may fill holes in any order, so it can
// take the tightest section first.
//
// Three ideas of MiniMalloc (Moffitt, ASPLOS 2023) prune the search: canonical solutions (an item rests on another one
// or on the ground), inference on sections (a floor rises to the lowest place that any remaining item of the section
// can still have), and decomposition (the search treats parts that no remaining item links one by one, so a failure in
// one part does not revisit the choices of another).
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "PlacementSearch.h"

#include "PlacementReasons.h"

#include <algorithm>
#include <limits>

using namespace tx::plan;
using namespace tx::plan::detail;

namespace {

constexpr int64_t kInf = std::numeric_limits<int64_t>::max();

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

std::vector<int> itemsByWidth(const Instance &instance) {
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

} // namespace

class PackingSearch::Impl {
public:
  explicit Impl(const Instance &instance)
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

  SearchStatus run(int64_t capacityWanted, const std::vector<int> &order, Pivot newPivot, int64_t &effort) {
    reset(capacityWanted, order, newPivot);
    limit = effort;
    SearchStatus status = search();
    effort -= std::min(effort, work);
    if (status == SearchStatus::Found) {
      packing.offsets = offset;
      packing.height = 0;
      for (int u = 0; u < instance.size(); ++u)
        packing.height = std::max(packing.height, offset[u] + items[u].size);
    }
    return status;
  }

  Packing packing;

private:
  static constexpr int kItself = -1, kUnknown = -2;

  /// The sections [a, b) of a hole, and its walls.
  struct Hole {
    int a = 0, b = 0;
    int64_t wall = kInf; ///< floor of the lower wall; kInf without walls
    int why = kUnknown;  ///< index of the reasons of the walls; kUnknown until somebody asks
  };
  /// Sections [a, b) that remaining items link; they wait to be searched.
  struct Component {
    int a, b, next;
  };
  /// One decision: which item lies on the pivot's floor, or that none does.
  struct Frame {
    int a, b;
    int pending; ///< components that wait behind this one
    int pivot;
    int64_t raiseTo; ///< where the pivot's floor goes if no item takes it
    size_t trail, components, firstCandidate, lastCandidate;
    size_t next;            ///< candidate to try next; lastCandidate is the raise
    int chosenLo, chosenHi; ///< the sections that the present choice touches
    Hole hole;              ///< around the pivot
    size_t reasonSets;
    Reasons conflict; ///< why the choices tried so far failed
  };
  struct Change {
    int index; ///< the section whose floor rose; -1 - item if an item was placed
    int why;
    int64_t floor, real;
  };

  void reset(int64_t capacityWanted, const std::vector<int> &order, Pivot newPivot) {
    capacity = capacityWanted;
    pivotRule = newPivot;
    work = 0;
    rank.resize(instance.size());
    for (int i = 0; i < instance.size(); ++i)
      rank[order[i]] = i;
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
    components.clear();
    frames.clear();
    candidates.clear();
    trail.clear();
    pendingHead = -1;
  }

  SearchStatus search() {
    if (capacity < instance.lowerBound)
      return SearchStatus::Infeasible;
    split(0, numSections, 0, numSections);
    focus = 0;
    while (pendingHead >= 0) {
      openFrame();
      while (true) {
        if (work > limit)
          return SearchStatus::LimitReached;
        Frame &frame = frames.back();
        if (frame.next > frame.lastCandidate) {
          if (!backjump())
            return SearchStatus::Infeasible;
          continue;
        }
        failure = Reasons();
        if (!tryNext(frame)) {
          frame.conflict.join(failure);
          undo(frame.trail);
          reasonSets.resize(frame.reasonSets);
          continue;
        }
        pendingHead = frame.pending;
        split(frame.a, frame.b, frame.chosenLo, frame.chosenHi);
        focus = frame.chosenLo;
        break;
      }
    }
    return SearchStatus::Found;
  }

  /// Splits [a, b) into parts that remaining items link, and queues them, leftmost first. The caller knows that links
  /// can be missing only inside of [from, to).
  void split(int a, int b, int from, int to) {
    work += (to - from) / 8;
    int end = b;
    for (int s = to - 1; s > from; --s)
      if (crossing[s] == 0) {
        addComponent(s, end);
        end = s;
      }
    addComponent(a, end);
  }

  void addComponent(int a, int b) {
    if (b - a == 1 && rest[a] == 0)
      return;
    components.push_back({a, b, pendingHead});
    pendingHead = static_cast<int>(components.size()) - 1;
  }

  /// Goes back when the last frame has tried all of its alternatives: to the latest frame whose choice touched a
  /// section of the conflict. Frames in between did not cause the conflict, so their other alternatives would fail too.
  /// False if there is no such frame.
  bool backjump() {
    Reasons conflict = frames.back().conflict;
    size_t f = frames.size() - 1;
    while (f > 0 && !conflict.touches(frames[f - 1].chosenLo, frames[f - 1].chosenHi))
      --f;
    work += (frames.size() - f) / 4;
    if (f == 0)
      return false;
    Frame &frame = frames[f - 1];
    frame.conflict.join(conflict);
    undo(frame.trail);
    components.resize(frame.components);
    candidates.resize(frame.lastCandidate);
    reasonSets.resize(frame.reasonSets);
    frames.resize(f);
    return true;
  }

  void openFrame() {
    const Component &component = components[pendingHead];
    Frame frame;
    frame.a = component.a;
    frame.b = component.b;
    frame.pending = component.next;
    frame.trail = trail.size();
    frame.components = components.size();
    frame.firstCandidate = frame.next = candidates.size();
    choosePivot(frame);
    frames.push_back(frame);
  }

  void choosePivot(Frame &frame) {
    Hole hole = pivotRule == Pivot::Nearest || pivotRule == Pivot::NearestFirst ? nearestHole(frame) : bestHole(frame);
    bool first = pivotRule == Pivot::LowestFirst || pivotRule == Pivot::NearestFirst;
    frame.pivot = hole.a;
    for (int s = hole.a + 1; s < hole.b && !first; ++s)
      if (rest[s] > rest[frame.pivot]) // all sections of a hole have one floor: most bytes left is least slack
        frame.pivot = s;
    work += (hole.b - hole.a) / 8;

    // Other items cannot lie on the pivot's floor because of the floor's own height and of the walls.
    frame.conflict = reasonsOf(frame.pivot);
    frame.conflict.join(reasonsOfWalls(hole));
    frame.hole = hole;
    frame.reasonSets = reasonSets.size();

    // If none of the items that could lie on the pivot's floor does, each of them rests, directly or through others, on
    // an item that is not placed yet. That one either lies in the hole, and its top is at least its size above the
    // floor; or it crosses a wall, and lies at least as high as the wall.
    int64_t height = floor[frame.pivot];
    frame.raiseTo = hole.wall;
    for (int u = firstItem[hole.a]; u < firstItem[hole.b]; ++u)
      if (offset[u] < 0 && items[u].hi <= hole.b)
        frame.raiseTo = std::min(frame.raiseTo, height + items[u].size);
    const int *u = cover.begin(frame.pivot);
    for (; u != cover.end(frame.pivot); ++u) {
      const Item &item = items[*u];
      if (item.hi - item.lo > hole.b - hole.a)
        break; // wider than the hole, as are all that follow
      if (offset[*u] >= 0 || item.lo < hole.a || item.hi > hole.b)
        continue;
      int64_t lowest = alignUp(height, item.alignment);
      if (lowest == height)
        candidates.push_back(*u);
      else
        frame.raiseTo = std::min(frame.raiseTo, lowest);
    }
    work += (u - cover.begin(frame.pivot)) / 4 + (firstItem[hole.b] - firstItem[hole.a]) / 8;
    frame.lastCandidate = candidates.size();
    std::sort(candidates.begin() + frame.firstCandidate, candidates.end(),
              [&](int a, int b) { return rank[a] < rank[b]; });
  }

  /// The hole that is reached by going downhill from the section of the last choice.
  Hole nearestHole(const Frame &frame) {
    int s = std::min(std::max(focus, frame.a), frame.b - 1);
    while (true) {
      Hole hole = {s, s + 1, kInf, kUnknown};
      while (hole.a > frame.a && floor[hole.a - 1] == floor[s])
        --hole.a;
      while (hole.b < frame.b && floor[hole.b] == floor[s])
        ++hole.b;
      work += (hole.b - hole.a) / 4;
      int64_t left = hole.a > frame.a ? floor[hole.a - 1] : kInf;
      int64_t right = hole.b < frame.b ? floor[hole.b] : kInf;
      hole.wall = std::min(left, right);
      if (hole.wall > floor[s])
        return hole;
      s = left < right ? hole.a - 1 : hole.b;
    }
  }

  /// The hole of the frame that is best by the pivot rule.
  Hole bestHole(const Frame &frame) {
    Hole best;
    int64_t bestKey = kInf;
    work += (frame.b - frame.a) / 4;
    for (int a = frame.a, b; a < frame.b; a = b) {
      int64_t height = floor[a], most = 0;
      for (b = a; b < frame.b && floor[b] == height; ++b)
        most = std::max(most, rest[b]);
      int64_t left = a > frame.a ? floor[a - 1] : kInf;
      int64_t right = b < frame.b ? floor[b] : kInf;
      if (left < height || right < height)
        continue;
      int64_t key = pivotRule == Pivot::LeastSlack  ? capacity - height - most
                    : pivotRule == Pivot::Narrowest ? b - a
                                                    : height;
      if (key < bestKey) {
        bestKey = key;
        best = {a, b, std::min(left, right), kUnknown};
      }
    }
    return best;
  }

  /// Applies the frame's next alternative: a candidate, or at last raising the pivot's floor. False if no packing can
  /// follow from it.
  bool tryNext(Frame &frame) {
    ++work;
    size_t next = frame.next++;
    if (next == frame.lastCandidate) {
      frame.chosenLo = frame.pivot;
      frame.chosenHi = frame.pivot + 1;
      return raise(frame) && settle();
    }
    int u = candidates[next];
    // Of equal items only the first has to be tried at the same place.
    if (next > frame.firstCandidate) {
      const Item &a = items[candidates[next - 1]], &b = items[u];
      if (a.lo == b.lo && a.hi == b.hi && a.size == b.size && a.alignment == b.alignment)
        return false;
    }
    frame.chosenLo = items[u].lo;
    frame.chosenHi = items[u].hi;
    return isSupported(u, floor[frame.pivot]) && placeAt(u, floor[frame.pivot]) && settle();
  }

  /// Whether the item at offset `at` would rest on another item or on the ground. If not, the item could lie lower in
  /// the same packing.
  bool isSupported(int u, int64_t at) {
    if (at == 0)
      return true;
    const Item &item = items[u];
    work += (item.hi - item.lo) / 8;
    int64_t top = 0;
    for (int s = item.lo; s < item.hi; ++s)
      top = std::max(top, real[s]);
    if (alignUp(top, item.alignment) == at)
      return true;
    joinAll(failure, item.lo, item.hi);
    return false;
  }

  /// Applies the alternative that no item lies on the pivot's floor: the floor rises.
  bool raise(Frame &frame) {
    int s = frame.pivot;
    if (frame.raiseTo == kInf || floor[s] + rest[s] == capacity)
      return false; // the frame's conflict has the reasons already
    // How far the floor rises depends on the floors of the whole hole, so these are reasons too.
    Reasons reasons = reasonsOf(s);
    reasons.join(reasonsOfWalls(frame.hole));
    joinAll(reasons, frame.hole.a, frame.hole.b);
    work += (frame.hole.b - frame.hole.a) / 4;
    return lift(s, frame.raiseTo, addReasons(reasons));
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

  int64_t capacity = 0, limit = 0, work = 0;
  Pivot pivotRule = Pivot::Nearest;
  std::vector<int> rank;
  std::vector<int64_t> offset; // for each item; -1 while it is not placed
  std::vector<int64_t> floor;  // for each section, see the top of this file
  std::vector<int64_t> real;   // for each section: the top of the placed items
  std::vector<int64_t> rest;   // for each section: bytes of the remaining items
  std::vector<int> why;        // for each section: the reasons of its floor, besides the section itself
  std::vector<Reasons> reasonSets;
  std::vector<int> crossing; // for each section s: how many remaining items cover both s - 1 and s
  std::vector<int> witness;  // for each section, an item; may be out of date where the section is not queued
  std::vector<char> isQueued;
  std::vector<int> queue;  // sections that may have lost their witness
  std::vector<int> wave;   // the queued sections that settle() looks at now
  std::vector<int> lifted; // sections whose floor rose without a placement
  std::vector<Change> trail;
  Reasons failure; // the reasons why the choice tried last has failed
  std::vector<Component> components;
  int pendingHead = -1;
  int focus = 0; // a section that the last choice touched
  std::vector<Frame> frames;
  std::vector<int> candidates;
};

PackingSearch::PackingSearch(const Instance &instance) : impl(std::make_unique<Impl>(instance)) {}
PackingSearch::~PackingSearch() = default;

SearchStatus PackingSearch::run(int64_t capacity, const std::vector<int> &order, Pivot pivot, int64_t &effort) {
  return impl->run(capacity, order, pivot, effort);
}

const Packing &PackingSearch::packing() const { return impl->packing; }
