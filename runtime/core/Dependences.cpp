#include "core/Dependences.h"
#include "core/Failure.h"
#include "core/Program.h"

#include <array>
#include <map>
#include <vector>

using namespace txrt;

namespace {

/// For each lane 1 + the index of a launch; 0: none.
using LaneLaunches = std::array<uint32_t, TXRT_LANE_COUNT>;

/// Walks over the launches of one entry in order. Remembers, for each byte, which launches touched it last.
class Flight {
public:
  Flight(const txrt_program &program, const txrt_entry &entry)
      : program(program), first(entry.first_launch), doneWith(entry.launch_count) {}

  void pass(uint32_t index) {
    const txrt_launch &launch = program.launches[index];
    const LaneLaunches done = findDone(index);
    forEachRange(launch, [&](uint64_t begin, uint64_t end, bool writes) {
      for (auto part = firstBehind(begin); part != parts.end() && part->first < end; ++part)
        for (uint32_t lane = 0; lane < TXRT_LANE_COUNT; ++lane) {
          const uint32_t last = writes ? part->second.touches[lane] : part->second.writes[lane];
          if (lane != launch.lane && last > done[lane])
            refuse(index, last - 1);
        }
    });
    forEachRange(launch,
                 [&](uint64_t begin, uint64_t end, bool writes) { touch(begin, end, launch.lane, index + 1, writes); });
    lanes[launch.lane] = done;
    lanes[launch.lane][launch.lane] = index + 1;
    doneWith[index - first] = lanes[launch.lane];
  }

private:
  /// Bytes of the arena up to `end`, and the last launches that touch and that write them.
  struct Part {
    uint64_t end;
    LaneLaunches touches, writes;
  };

  /// The last launch of each lane that is done when this one begins.
  LaneLaunches findDone(uint32_t index) const {
    const txrt_launch &launch = program.launches[index];
    LaneLaunches done = lanes[launch.lane];
    for (uint32_t number : launch.waits)
      for (uint32_t lane = 0; number && lane < TXRT_LANE_COUNT; ++lane)
        done[lane] = std::max(done[lane], doneWith[number - 1 - first][lane]);
    return done;
  }

  [[noreturn]] void refuse(uint32_t index, uint32_t other) const {
    const uint32_t lane = program.launches[other].lane, waits = program.launches[index].waits[lane];
    const std::string waited = waits ? describeLaunch(program, waits - 1) : "no launch";
    fail(TXRT_BAD_INPUT, "%s: %s touches bytes of %s, which may not be done by then: of lane '%s' it waits for %s",
         program.name, describeLaunch(program, index).c_str(), describeLaunch(program, other).c_str(),
         txrt_lane_name(lane), waited.c_str());
  }

  template <typename Function> void forEachRange(const txrt_launch &launch, Function function) const {
    for (uint32_t i = 0; i < launch.buffer_count; ++i) {
      const txrt_buffer &b = program.buffers[launch.first_buffer + i];
      const uint64_t begin = program.segment_base[b.segment] + b.offset;
      if (b.bytes)
        function(begin, begin + b.bytes, b.writes != 0);
    }
  }

  /// The first part that ends after `at`.
  std::map<uint64_t, Part>::iterator firstBehind(uint64_t at) {
    auto part = parts.upper_bound(at);
    if (part != parts.begin() && std::prev(part)->second.end > at)
      --part;
    return part;
  }

  /// Splits the part that contains `at` in two at this byte, unless a part already begins there.
  void cut(uint64_t at) {
    const auto part = firstBehind(at);
    if (part == parts.end() || part->first >= at)
      return;
    parts[at] = part->second;
    part->second.end = at;
  }

  void touch(uint64_t begin, uint64_t end, uint32_t lane, uint32_t number, bool writes) {
    cut(begin);
    cut(end);
    auto part = firstBehind(begin);
    for (uint64_t at = begin; at < end; at = part->second.end, ++part) {
      if (part == parts.end() || part->first > at) {
        const uint64_t next = part == parts.end() ? end : std::min(end, part->first);
        part = parts.insert(part, {at, {next, {}, {}}});
      }
      part->second.touches[lane] = number; // larger than any number before
      if (writes)
        part->second.writes[lane] = number;
    }
  }

  const txrt_program &program;
  const uint32_t first;                                 // the entry's first launch
  std::map<uint64_t, Part> parts;                       // disjoint parts of the arena; the key is a part's first byte
  std::array<LaneLaunches, TXRT_LANE_COUNT> lanes = {}; // what is done when the last launch of each lane is
  std::vector<LaneLaunches> doneWith;                   // what is done when each launch of the entry is
};

void checkEntry(const txrt_program &program, const txrt_entry &entry, uint32_t index) {
  for (uint32_t number : program.launches[index].waits)
    if (number && number <= entry.first_launch)
      fail(TXRT_BAD_INPUT, "%s: %s waits for %s, which is of another entry", program.name,
           describeLaunch(program, index).c_str(), describeLaunch(program, number - 1).c_str());
}

/// Launches of one lane run in order anyway.
bool isOfOneLane(const txrt_program &program, const txrt_entry &entry) {
  const txrt_launch *begin = program.launches + entry.first_launch;
  return std::all_of(begin, begin + entry.launch_count,
                     [&](const txrt_launch &launch) { return launch.lane == begin->lane; });
}

} // namespace

void txrt::checkWaits(const txrt_program &program) {
  for (uint32_t e = 0; e < program.entry_count; ++e) {
    const txrt_entry &entry = program.entries[e];
    const uint32_t end = entry.first_launch + entry.launch_count;
    for (uint32_t i = entry.first_launch; i < end; ++i)
      checkEntry(program, entry, i);
    if (isOfOneLane(program, entry))
      continue;
    Flight flight(program, entry);
    for (uint32_t i = entry.first_launch; i < end; ++i)
      flight.pass(i);
  }
}
