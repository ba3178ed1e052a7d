#include "core/Dependences.h"

#include <algorithm>
#include <iterator>
#include <map>

using namespace txrt;

namespace {

/// Walks over the launches of one entry in order, and remembers which collective was the last to touch each byte.
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
    done = last; // all collectives before it are done then, too
  }

private:
  /// Bytes of the arena up to `end`. `touches` is 1 + the index of the last collective that reads or writes them,
  /// `writes` 1 + the index of the last one that writes them; 0: none.
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

  void open(uint64_t begin, uint64_t end, uint32_t number, bool writes) {
    cut(begin);
    cut(end);
    auto part = firstBehind(begin);
    for (uint64_t at = begin; at < end; at = part->second.end, ++part) {
      if (part == parts.end() || part->first > at) {
        const uint64_t next = part == parts.end() ? end : std::min(end, part->first);
        part = parts.insert(part, {at, {next, 0, 0}});
      }
      part->second.touches = number; // larger than any number before
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
  std::map<uint64_t, Part> parts; // disjoint parts of the arena; the key is a part's first byte
  uint32_t done = 0;              // 1 + the index of the last collective that some launch has waited for; 0: none
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
