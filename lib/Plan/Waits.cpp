#include "tx/Plan/Waits.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <utility>

using namespace tx;
using namespace tx::plan;

/// Bytes from the first element of a value to behind the last.
static int64_t getExtent(const Value &value, const Place &place) {
  int64_t stride = place.rowStride ? place.rowStride : value.columns;
  return ((value.rows - 1) * stride + value.columns) * value.elementBytes;
}

namespace {

constexpr Waits kNone = {-1, -1, -1};

/// Remembers, for each byte, the last launch of each lane that touched it and the last one that wrote it.
class LastUses {
public:
  /// Raises `last` to the launches of each lane with which `range` collides: two that read do not.
  void findCollisions(const ByteRange &range, Waits &last) {
    if (range.begin >= range.end)
      return;
    Parts &parts = segments[range.segment];
    for (auto part = firstBehind(parts, range.begin); part != parts.end() && part->first < range.end; ++part)
      for (unsigned lane = 0; lane < kLaneCount; ++lane)
        last[lane] = std::max(last[lane], range.isWritten ? part->second.touched[lane] : part->second.written[lane]);
  }

  void add(const ByteRange &range, unsigned lane, int launch) {
    if (range.begin >= range.end)
      return;
    Parts &parts = segments[range.segment];
    cut(parts, range.begin);
    cut(parts, range.end);
    auto part = firstBehind(parts, range.begin);
    for (int64_t at = range.begin; at < range.end; at = part->second.end, ++part) {
      if (part == parts.end() || part->first > at) { // nobody has touched what lies here
        int64_t end = part == parts.end() ? range.end : std::min(range.end, part->first);
        part = parts.insert(part, {at, {end, kNone, kNone}});
      }
      part->second.touched[lane] = launch;
      if (range.isWritten)
        part->second.written[lane] = launch;
    }
  }

private:
  struct Part {
    int64_t end;
    Waits touched, written;
  };
  using Parts = std::map<int64_t, Part>; // disjoint, by their first bytes

  /// The first part that ends behind `at`.
  static Parts::iterator firstBehind(Parts &parts, int64_t at) {
    auto part = parts.upper_bound(at);
    if (part != parts.begin() && std::prev(part)->second.end > at)
      --part;
    return part;
  }

  /// Splits the part that has `at` inside in two.
  static void cut(Parts &parts, int64_t at) {
    auto part = firstBehind(parts, at);
    if (part == parts.end() || part->first >= at)
      return;
    parts[at] = part->second;
    part->second.end = at;
  }

  std::map<unsigned, Parts> segments;
};

void raise(Waits &done, const Waits &more) {
  for (unsigned lane = 0; lane < kLaneCount; ++lane)
    done[lane] = std::max(done[lane], more[lane]);
}

class WaitFinder {
public:
  explicit WaitFinder(const std::vector<LaunchBytes> &launches) : launches(launches) { laneDone.fill(kNone); }

  std::vector<Waits> run() {
    std::vector<Waits> waits;
    for (int launch = 0, e = launches.size(); launch < e; ++launch)
      waits.push_back(pass(launch));
    return waits;
  }

private:
  Waits pass(int launch) {
    const unsigned own = static_cast<unsigned>(launches[launch].lane);
    Waits last = kNone;
    for (const ByteRange &range : launches[launch].ranges)
      uses.findCollisions(range, last);
    for (const ByteRange &range : launches[launch].ranges)
      uses.add(range, own, launch);
    last[own] = -1;
    Waits needed = takeWhatIsNotDone(last, laneDone[own]);
    laneDone[own][own] = launch;
    doneWith.push_back(laneDone[own]);
    return needed;
  }

  /// The latest first: it may have waited for another one.
  Waits takeWhatIsNotDone(const Waits &last, Waits &done) {
    Waits latestFirst = last, needed = kNone;
    std::sort(latestFirst.begin(), latestFirst.end(), std::greater<int>());
    for (int launch : latestFirst) {
      if (launch < 0)
        break;
      const unsigned lane = static_cast<unsigned>(launches[launch].lane);
      if (launch <= done[lane])
        continue;
      needed[lane] = launch;
      raise(done, doneWith[launch]);
    }
    return needed;
  }

  const std::vector<LaunchBytes> &launches;
  LastUses uses;
  std::array<Waits, kLaneCount> laneDone; // by lane: the launches of each lane that are done when its last one is
  std::vector<Waits> doneWith;            // by launch: the same when this one is done
};

} // namespace

std::vector<LaunchBytes> tx::plan::getLaunchBytes(const Entry &entry, const Schedule &schedule,
                                                  const Storages &storages, const EntryPeak &placed) {
  auto getRange = [&](int storage, int64_t offset, int64_t bytes, bool isWritten) {
    int64_t begin = placed.starts[storage] + offset;
    return ByteRange{static_cast<unsigned>(storages.storages[storage].segment), begin, begin + bytes, isWritten};
  };
  std::vector<LaunchBytes> launches;
  for (size_t number = 0; number < schedule.launches.size(); ++number) {
    const Launch &launch = schedule.launches[number];
    LaunchBytes bytes{launch.lane, {}};
    auto addValues = [&](const std::vector<int> &values, bool isWritten) {
      for (int value : values)
        if (const Place &place = storages.places[value]; place.storage >= 0)
          bytes.ranges.push_back(
              getRange(place.storage, place.byteOffset, getExtent(entry.values[value], place), isWritten));
    };
    if (launch.work != Work::View) {
      addValues(launch.inputs, false);
      addValues(launch.outputs, true);
      if (int scratch = storages.scratch[number]; scratch >= 0)
        bytes.ranges.push_back(getRange(scratch, 0, storages.storages[scratch].bytes, true));
    }
    launches.push_back(std::move(bytes));
  }
  return launches;
}

std::vector<Waits> tx::plan::findWaits(const std::vector<LaunchBytes> &launches) {
  auto isOfFirst = [&](const LaunchBytes &launch) { return launch.lane == launches.front().lane; };
  if (std::all_of(launches.begin(), launches.end(), isOfFirst))
    return std::vector<Waits>(launches.size(), kNone);
  return WaitFinder(launches).run();
}
