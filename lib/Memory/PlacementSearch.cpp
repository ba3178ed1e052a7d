//===- PlacementSearch.cpp - packing under a capacity ----------*- C++ -*-===//
//
// Offsets are decided from the bottom up. `floor[s]` is the lowest byte of
// section s that is not decided yet, `rest[s]` the bytes still to come there;
// floor + rest may never exceed the capacity, so a section can waste no more
// than its slack. A *hole* is a run of sections whose floor is lower than both
// neighbours'. One section of a hole, the pivot, is decided at a time:
//
//   either one of the items that cover it and fit between the hole's walls
//   lies on its floor, or none does and its floor rises to the next byte where
//   something could lie.
//
// The alternatives exclude each other, so no packing is met twice, and holes
// may be filled in any order, so the tightest section can go first.
//
// From MiniMalloc (Moffitt, ASPLOS 2023) come the three ideas that prune:
// canonical solutions (an item rests on another one or on the ground),
// inference on sections (a floor rises to the lowest place that any remaining
// item of the section can still have) and decomposition (parts that no
// remaining item links are searched apart, so a failure in one does not
// revisit the choices of another).
//
//===----------------------------------------------------------------------===//

#include "PlacementSearch.h"

#include <algorithm>
#include <limits>

using namespace tx::memory;
using namespace tx::memory::detail;

namespace {

constexpr int64_t kInf = std::numeric_limits<int64_t>::max();

/// Lists by section in one array.
class SectionLists {
public:
  template <typename Sections>
  SectionLists(int numSections, const std::vector<int> &members,
               Sections sections)
      : begins(numSections + 2, 0) {
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
      : instance(instance), items(instance.items),
        numSections(instance.numSections()),
        // Narrow items first: as witnesses they last longest, since fewer
        // placements touch them.
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

  SearchStatus run(int64_t capacityWanted, const std::vector<int> &order,
                   Pivot rule, int64_t &effort) {
    reset(capacityWanted, order, rule);
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
  /// Sections [a, b) linked by remaining items, waiting to be searched.
  /// `parent` is the frame whose choice cut them off.
  struct Component {
    int a, b, parent, next;
  };
  /// One decision. Frames form a tree by `parent`; a frame that has tried
  /// everything proves its parent's last choice wrong, whatever was decided
  /// in other components since.
  struct Frame {
    int a, b, parent;
    int pending;       ///< components that wait behind this one
    int pivot;
    int64_t raiseTo;   ///< where the pivot's floor goes if no item takes it
    size_t trail, components, firstCandidate, lastCandidate;
    size_t next;       ///< candidate to try next; lastCandidate is the raise
  };
  struct Change {
    int index; ///< a section, or -1 - item for a placement
    int64_t floor, real;
  };
  /// The sections around one that lie no higher than it, and the walls.
  struct Hole {
    int a = 0, b = 0;
    int64_t wall = kInf; ///< the lower wall, kInf without walls
  };

  void reset(int64_t capacityWanted, const std::vector<int> &order, Pivot rule) {
    capacity = capacityWanted;
    pivotRule = rule;
    work = 0;
    rank.resize(instance.size());
    for (int i = 0; i < instance.size(); ++i)
      rank[order[i]] = i;
    floor.assign(numSections, 0);
    real.assign(numSections, 0);
    rest = instance.total;
    witness.assign(numSections, -1);
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
    split(0, numSections, -1);
    while (pendingHead >= 0) {
      openFrame();
      while (true) {
        if (work > limit)
          return SearchStatus::LimitReached;
        int current = static_cast<int>(frames.size()) - 1;
        Frame &frame = frames.back();
        if (frame.next > frame.lastCandidate) {
          if (frame.parent < 0)
            return SearchStatus::Infeasible;
          backTo(frame.parent);
          continue;
        }
        if (!tryNext(frame)) {
          undo(frame.trail);
          continue;
        }
        pendingHead = frame.pending;
        split(frame.a, frame.b, current);
        break;
      }
    }
    return SearchStatus::Found;
  }

  /// Queues the parts of [a, b) that remaining items link, leftmost first.
  void split(int a, int b, int parent) {
    work += (b - a) / 8;
    for (int s = b - 1, end = b; s >= a; --s) {
      if (s > a && crossing[s] > 0)
        continue;
      if (end - s > 1 || rest[s] > 0) {
        components.push_back({s, end, parent, pendingHead});
        pendingHead = static_cast<int>(components.size()) - 1;
      }
      end = s;
    }
  }

  void backTo(int f) {
    const Frame &frame = frames[f];
    undo(frame.trail);
    components.resize(frame.components);
    candidates.resize(frame.lastCandidate);
    frames.resize(f + 1);
  }

  void openFrame() {
    const Component &component = components[pendingHead];
    Frame frame;
    frame.a = component.a;
    frame.b = component.b;
    frame.parent = component.parent;
    frame.pending = component.next;
    frame.trail = trail.size();
    frame.components = components.size();
    frame.firstCandidate = frame.next = candidates.size();
    choosePivot(frame);
    frames.push_back(frame);
  }

  void choosePivot(Frame &frame) {
    int64_t bestFirst = kInf, bestSecond = kInf;
    Hole hole;
    work += (frame.b - frame.a) / 8;
    for (int a = frame.a, b; a < frame.b; a = b) {
      int64_t height = floor[a];
      for (b = a + 1; b < frame.b && floor[b] == height;)
        ++b;
      int64_t left = a > frame.a ? floor[a - 1] : kInf;
      int64_t right = b < frame.b ? floor[b] : kInf;
      if (left < height || right < height)
        continue;
      bool lowest = pivotRule == Pivot::LowestTightest ||
                    pivotRule == Pivot::LowestFirst;
      int64_t first = lowest ? height
                      : pivotRule == Pivot::Narrowest ? b - a : 0;
      if (first > bestFirst)
        continue;
      for (int s = a; s < b; ++s) {
        int64_t second = pivotRule == Pivot::LowestFirst
                             ? s
                             : capacity - floor[s] - rest[s];
        if (first == bestFirst && second >= bestSecond)
          continue;
        bestFirst = first;
        bestSecond = second;
        frame.pivot = s;
        hole = {a, b, std::min(left, right)};
      }
    }

    // An item that could lie on the pivot's floor but does not rests in the
    // end on an item still to be placed: on one in the hole, whose top is at
    // least a size above the floor, or on one that crosses a wall.
    int64_t height = floor[frame.pivot];
    frame.raiseTo = hole.wall;
    for (int u = firstItem[hole.a]; u < firstItem[hole.b]; ++u)
      if (offset[u] < 0 && items[u].hi <= hole.b)
        frame.raiseTo = std::min(frame.raiseTo, height + items[u].size);
    for (const int *u = cover.begin(frame.pivot); u != cover.end(frame.pivot); ++u) {
      const Item &item = items[*u];
      if (offset[*u] >= 0 || item.lo < hole.a || item.hi > hole.b)
        continue;
      int64_t lowest = alignUp(height, item.alignment);
      if (lowest == height)
        candidates.push_back(*u);
      else
        frame.raiseTo = std::min(frame.raiseTo, lowest);
    }
    work += cover.size(frame.pivot) / 4 +
            (firstItem[hole.b] - firstItem[hole.a]) / 8;
    frame.lastCandidate = candidates.size();
    std::sort(candidates.begin() + frame.firstCandidate, candidates.end(),
              [&](int a, int b) { return rank[a] < rank[b]; });
  }

  /// Applies the frame's next alternative. False if it cannot be completed.
  bool tryNext(Frame &frame) {
    ++work;
    size_t next = frame.next++;
    if (next == frame.lastCandidate) {
      if (frame.raiseTo == kInf)
        return false;
      return lift(frame.pivot, frame.raiseTo) && settle();
    }
    int u = candidates[next];
    // Of equal items that wait for the same place one is enough.
    if (next > frame.firstCandidate) {
      const Item &a = items[candidates[next - 1]], &b = items[u];
      if (a.lo == b.lo && a.hi == b.hi && a.size == b.size &&
          a.alignment == b.alignment)
        return false;
    }
    return isSupported(u, floor[frame.pivot]) && placeAt(u, floor[frame.pivot]) &&
           settle();
  }

  /// Would the item rest on another one (or the ground) there? If not, the
  /// packing would be the same with the item lower.
  bool isSupported(int u, int64_t at) {
    if (at == 0)
      return true;
    const Item &item = items[u];
    work += (item.hi - item.lo) / 8;
    int64_t top = 0;
    for (int s = item.lo; s < item.hi; ++s)
      top = std::max(top, real[s]);
    return alignUp(top, item.alignment) == at;
  }

  bool placeAt(int u, int64_t at) {
    const Item &item = items[u];
    int64_t top = at + item.size;
    offset[u] = at;
    trail.push_back({-1 - u, 0, 0});
    bool fits = true;
    for (int s = item.lo; s < item.hi; ++s) {
      trail.push_back({s, floor[s], real[s]});
      floor[s] = real[s] = top;
      rest[s] -= item.size;
      fits &= floor[s] + rest[s] <= capacity;
      enqueue(s);
    }
    for (int s = item.lo + 1; s < item.hi; ++s)
      --crossing[s];
    work += (item.hi - item.lo) / 2;
    touchAround(item.lo, item.hi, top);
    return fits;
  }

  bool lift(int s, int64_t to) {
    if (to + rest[s] > capacity)
      return false;
    trail.push_back({s, floor[s], real[s]});
    floor[s] = to;
    enqueue(s);
    touchAround(s, s + 1, to);
    return true;
  }

  /// [x, y) has risen to `top`. Outside, a section may have lost its witness
  /// only if the witness reaches into [x, y), so lies on no floor in between
  /// that is higher than its own section's, and below `top`.
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

  /// Raises floors until in each section some remaining item, its witness, can
  /// lie on the floor. False if a floor then leaves too little above it.
  bool settle() {
    bool fits = true;
    Hole hole;
    int64_t holeHeight = -1;
    for (size_t q = 0; q < queue.size(); ++q) {
      int s = queue[q];
      isQueued[s] = 0;
      if (!fits || rest[s] == 0)
        continue;
      if (holeHeight != floor[s] || s < hole.a || s >= hole.b) {
        hole = holeAround(s);
        holeHeight = floor[s];
      }
      int64_t lowest = hole.wall;
      int found = -1;
      const int *u = cover.begin(s);
      for (; u != cover.end(s) && found < 0; ++u) {
        const Item &item = items[*u];
        if (offset[*u] >= 0 || item.lo < hole.a || item.hi > hole.b)
          continue;
        int64_t at = alignUp(floor[s], item.alignment);
        lowest = std::min(lowest, at);
        if (at == floor[s])
          found = *u;
      }
      work += 1 + (u - cover.begin(s)) / 4;
      witness[s] = found;
      if (found >= 0)
        continue;
      fits = lift(s, lowest);
      holeHeight = -1;
    }
    queue.clear();
    return fits;
  }

  Hole holeAround(int s) {
    Hole hole;
    hole.a = s;
    while (hole.a > 0 && crossing[hole.a] > 0 && floor[hole.a - 1] <= floor[s])
      --hole.a;
    if (hole.a > 0 && crossing[hole.a] > 0)
      hole.wall = floor[hole.a - 1];
    hole.b = s + 1;
    while (hole.b < numSections && crossing[hole.b] > 0 &&
           floor[hole.b] <= floor[s])
      ++hole.b;
    if (hole.b < numSections && crossing[hole.b] > 0)
      hole.wall = std::min(hole.wall, floor[hole.b]);
    work += (hole.b - hole.a) / 8;
    return hole;
  }

  void undo(size_t mark) {
    for (int s : queue)
      isQueued[s] = 0;
    queue.clear();
    work += (trail.size() - mark) / 4;
    while (trail.size() > mark) {
      Change change = trail.back();
      trail.pop_back();
      if (change.index >= 0) {
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
  SectionLists cover;         // items that cover a section, narrow ones first
  std::vector<int> firstItem; // items with lo in [a, b): [first[a], first[b])

  int64_t capacity = 0, limit = 0, work = 0;
  Pivot pivotRule = Pivot::LeastSlack;
  std::vector<int> rank;
  std::vector<int64_t> offset; // by item, -1 while it remains
  std::vector<int64_t> floor;  // by section, see above
  std::vector<int64_t> real;   // by section, top of the placed items
  std::vector<int64_t> rest;   // by section, bytes of the remaining items
  std::vector<int> crossing;   // remaining items over both s - 1 and s
  std::vector<int> witness;    // by section; may be stale where not queued
  std::vector<char> isQueued;
  std::vector<int> queue; // sections that may have lost their witness
  std::vector<Change> trail;
  std::vector<Component> components;
  int pendingHead = -1;
  std::vector<Frame> frames;
  std::vector<int> candidates;
};

PackingSearch::PackingSearch(const Instance &instance)
    : impl(std::make_unique<Impl>(instance)) {}
PackingSearch::~PackingSearch() = default;

SearchStatus PackingSearch::run(int64_t capacity, const std::vector<int> &order,
                                Pivot pivot, int64_t &effort) {
  return impl->run(capacity, order, pivot, effort);
}

const Packing &PackingSearch::packing() const { return impl->packing; }
