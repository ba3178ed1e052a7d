//===- PlacementSearch.cpp - packing under a capacity ---------------------------------------------------*- C++ -*-===//
//
// The search decides offsets from the bottom up, in holes (PlacementFloors.h). It decides about one section of a
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

#include "PlacementFloors.h"

#include <algorithm>

using namespace tx::plan;
using namespace tx::plan::detail;

class PackingSearch::Impl : Floors {
public:
  explicit Impl(const Instance &instance) : Floors(instance) {}

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
  void reset(int64_t capacityWanted, const std::vector<int> &order, Pivot newPivot) {
    Floors::reset(capacityWanted);
    pivotRule = newPivot;
    rank.resize(instance.size());
    for (int i = 0; i < instance.size(); ++i)
      rank[order[i]] = i;
    components.clear();
    frames.clear();
    candidates.clear();
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

  int64_t limit = 0; // the most steps
  Pivot pivotRule = Pivot::Nearest;
  std::vector<int> rank; // by item: its place in the order
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
