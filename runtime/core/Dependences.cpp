#include "core/Dependences.h"

#include <algorithm>

using namespace txrt;

namespace {

/// Bytes of collectives that have not been waited for.
struct Open {
  uint32_t launch;
  uint64_t begin, end; // in the arena
  bool writes;
};

/// The collectives of one entry, as its launches pass by.
class Flight {
public:
  Flight(const txrt_program &program, std::vector<uint32_t> &waits)
      : program(program), waits(waits) {}

  void pass(uint32_t index) {
    const txrt_launch &launch = program.launches[index];
    if (launch.kind == TXRT_LAUNCH_COLLECTIVE) {
      forEachRange(launch, [&](uint64_t begin, uint64_t end, bool writes) {
        open.push_back({index, begin, end, writes});
      });
      return;
    }
    uint32_t last = 0;
    forEachRange(launch, [&](uint64_t begin, uint64_t end, bool writes) {
      for (const Open &o : open)
        if (o.begin < end && begin < o.end && (o.writes || writes))
          last = std::max(last, o.launch + 1);
    });
    waits[index] = last;
    // Those before it are done then, too.
    open.erase(std::remove_if(open.begin(), open.end(),
                              [&](const Open &o) { return o.launch < last; }),
               open.end());
  }

private:
  template <typename Function>
  void forEachRange(const txrt_launch &launch, Function function) const {
    for (uint32_t i = 0; i < launch.buffer_count; ++i) {
      const txrt_buffer &b = program.buffers[launch.first_buffer + i];
      const uint64_t begin = program.segment_base[b.segment] + b.offset;
      if (b.bytes)
        function(begin, begin + b.bytes, b.writes != 0);
    }
  }

  const txrt_program &program;
  std::vector<uint32_t> &waits;
  std::vector<Open> open;
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
