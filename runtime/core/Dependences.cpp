#include "core/Dependences.h"

#include <algorithm>
#include <iterator>
#include <map>

using namespace txrt;

namespace {

/// The collectives of one entry, as its launches pass by.
class Flight {
public:
  Flight(const txrt_program &program, std::vector<uint32_t> &waits) : program(program), waits(waits) {}

  void pass(uint32_t index) {
    const txrt_launch &launch = program.launches[index];
    const bool isCollective = launch.kind == TXRT_LAUNCH_COLLECTIVE;
    uint32_t last = 0;
    forEachRange(launch, [&](uint64_t begin, uint64_t end, bool writes) {
      if (isCollective)
        open(begin, end, index + 1, writes);
      else
        last = std::max(last, lastIn(begin, end, writes));
    });
    if (isCollective || last <= done)
      return;
    waits[index] = last;
    done = last; // those before it are done then, too
  }

private:
  /// Up to `end`, the last collectives that touch and that write it, plus one.
  struct Part {
    uint64_t end;
    uint32_t touches, writes;
  };

  template <typename Function> void forEachRange(const txrt_launch &launch, Function function) const {
    for (uint32_t i = 0; i < launch.buffer_count; ++i) {
      const txrt_buffer &b = program.buffers[launch.first_buffer + i];
      const uint64_t begin = program.segment_base[b.segment] + b.offset;
      if (b.bytes)
        function(begin, begin + b.bytes, b.writes != 0);
    }
  }

  /// The first part that ends behind `at`.
  std::map<uint64_t, Part>::iterator firstBehind(uint64_t at) {
    auto part = parts.upper_bound(at);
    if (part != parts.begin() && std::prev(part)->second.end > at)
      --part;
    return part;
  }

  /// Makes `at` the border of a part, if it is inside of one.
  void cut(uint64_t at) {
    const auto part = firstBehind(at);
    if (part == parts.end() || part->first >= at)
      return;
    parts[at] = part->second;
    part->second.end = at;
  }

  void open(uint64_t begin, uint64_t end, uint32_t number, bool writes) {
    cut(begin);
    cut(end);
    auto part = firstBehind(begin);
    for (uint64_t at = begin; at < end; at = part->second.end, ++part) {
      if (part == parts.end() || part->first > at) {
        const uint64_t next = part == parts.end() ? end : std::min(end, part->first);
        part = parts.insert(part, {at, {next, 0, 0}});
      }
      part->second.touches = number; // numbers grow
      if (writes)
        part->second.writes = number;
    }
  }

  uint32_t lastIn(uint64_t begin, uint64_t end, bool writes) {
    uint32_t last = 0;
    for (auto part = firstBehind(begin); part != parts.end() && part->first < end; ++part)
      last = std::max(last, writes ? part->second.touches : part->second.writes);
    return last;
  }

  const txrt_program &program;
  std::vector<uint32_t> &waits;
  std::map<uint64_t, Part> parts; // of the arena, disjoint, by where they begin
  uint32_t done = 0;              // collectives before it have been waited for
};

} // namespace

std::vector<uint32_t> txrt::findWaits(const txrt_program &program) {
  std::vector<uint32_t> waits(program.launch_count);
  for (uint32_t e = 0; e < program.entry_count; ++e) {
    const txrt_entry &entry = program.entries[e];
    Flight flight(program, waits);
    for (uint32_t i = 0; i < entry.launch_count; ++i)
      flight.pass(entry.first_launch + i);
  }
  return waits;
}
