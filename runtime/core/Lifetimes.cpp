#include "core/Lifetimes.h"
#include "core/Failure.h"
#include "core/Program.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

using namespace txrt;

using ull = unsigned long long;

namespace {

/// The caller walks over an entry's launches from the last to the first. This is the set of bytes that some launch
/// after the current one reads, each with the last launch that reads it.
class NeededBytes {
public:
  /// `launch` reads these bytes. Bytes that are in the set already keep their launch, which is a later one.
  void need(uint64_t begin, uint64_t end, uint32_t launch) {
    cut(begin);
    cut(end);
    auto part = parts.lower_bound(begin);
    for (uint64_t at = begin; at < end;) {
      if (part != parts.end() && part->first == at) {
        at = part->second.end;
        ++part;
        continue;
      }
      const uint64_t next = part == parts.end() ? end : std::min(end, part->first);
      parts.insert(part, {at, {next, launch}});
      at = next;
    }
  }

  /// The current launch writes these bytes: no launch after it reads what was there before. Removes them, and returns
  /// the last launch that reads any of them.
  std::optional<uint32_t> take(uint64_t begin, uint64_t end) {
    cut(begin);
    cut(end);
    std::optional<uint32_t> last;
    auto part = parts.lower_bound(begin);
    while (part != parts.end() && part->first < end) {
      last = std::max(last.value_or(0), part->second.last);
      part = parts.erase(part);
    }
    return last;
  }

private:
  struct Part {
    uint64_t end;
    uint32_t last;
  };

  /// Splits the part that contains `at` in two at this byte, unless a part already begins there.
  void cut(uint64_t at) {
    auto part = parts.upper_bound(at);
    if (part == parts.begin())
      return;
    --part;
    if (part->first == at || part->second.end <= at)
      return;
    parts[at] = part->second;
    part->second.end = at;
  }

  std::map<uint64_t, Part> parts; // disjoint; the key is a part's first byte
};

bool readsAndWrites(const txrt_launch &launch, uint32_t buffer) {
  return launch.kind == TXRT_LAUNCH_GEMM && buffer + 1 == launch.u.gemm.buffers[TXRT_GEMM_C] && launch.u.gemm.beta != 0;
}

} // namespace

std::vector<Lifetime> txrt::findLifetimes(const txrt_program &program, uint32_t entry) {
  const txrt_entry &e = program.entries[entry];
  const uint32_t end = e.first_launch + e.launch_count;
  const uint64_t behindState = program.segment_base[TXRT_SEGMENT_ARGUMENT];
  std::vector<Lifetime> values;
  NeededBytes needed;
  std::vector<const txrt_place *> ofEntry;
  for (uint32_t i = 0; i < program.place_count; ++i)
    if (const txrt_place &place = program.places[i]; place.kind != TXRT_PLACE_STATE && place.entry == entry)
      ofEntry.push_back(&place);
  for (const txrt_place *place : ofEntry)
    if (place->kind == TXRT_PLACE_RESULT)
      needed.need(place->begin, place->end, end);

  for (uint32_t number = end; number-- > e.first_launch;) {
    const txrt_launch &launch = program.launches[number];
    auto forEach = [&](auto function) {
      for (uint32_t i = 0; i < launch.buffer_count; ++i) {
        const txrt_buffer &b = program.buffers[launch.first_buffer + i];
        const uint64_t begin = program.segment_base[b.segment] + b.offset;
        if (begin >= behindState && b.bytes)
          function(i, b, begin, begin + b.bytes);
      }
    };
    forEach([&](uint32_t, const txrt_buffer &b, uint64_t from, uint64_t to) {
      if (b.writes)
        values.push_back({from, to, number, needed.take(from, to).value_or(number), &b, "", false});
    });
    forEach([&](uint32_t i, const txrt_buffer &b, uint64_t from, uint64_t to) {
      if (!b.unread && (!b.writes || readsAndWrites(launch, i)))
        needed.need(from, to, number);
    });
  }
  for (const txrt_place *place : ofEntry)
    if (place->kind == TXRT_PLACE_ARGUMENT)
      if (std::optional<uint32_t> last = needed.take(place->begin, place->end))
        values.push_back({place->begin, place->end, e.first_launch, *last, nullptr, place->name, false});
  for (Lifetime &value : values) {
    value.isResult = value.last == end;
    value.last = std::max(value.first, std::min(value.last, end ? end - 1 : 0));
    for (const txrt_place *place : ofEntry)
      if (value.isResult && place->kind == TXRT_PLACE_RESULT && place->begin < value.end && value.begin < place->end)
        value.name = place->name;
  }
  std::sort(values.begin(), values.end(), [](const Lifetime &a, const Lifetime &b) {
    return std::tie(a.begin, a.first, a.end) < std::tie(b.begin, b.first, b.end);
  });
  return values;
}

std::string txrt::nameOfPlace(const txrt_program &program, uint32_t entry, const txrt_buffer &buffer) {
  const uint64_t begin = program.segment_base[buffer.segment] + buffer.offset, end = begin + buffer.bytes;
  const txrt_place *first = nullptr, *last = nullptr;
  for (uint32_t i = 0; i < program.place_count; ++i) {
    const txrt_place &place = program.places[i];
    const bool isThere = place.kind == TXRT_PLACE_STATE || (place.kind == TXRT_PLACE_ARGUMENT && place.entry == entry);
    if (!isThere || place.begin >= end || begin >= place.end)
      continue;
    first = first ? first : &place;
    last = &place;
  }
  if (!first)
    return "";
  return first == last ? printable(first->name) : printable(first->name) + " .. " + printable(last->name);
}

std::string txrt::describeAddress(const txrt_program &program, uint64_t place) {
  uint32_t segment = TXRT_SEGMENT_COUNT - 1;
  while (segment && (place < program.segment_base[segment] || !program.segment_bytes[segment]))
    --segment;
  return format("%s+0x%llx", txrt_segment_name(segment), static_cast<ull>(place - program.segment_base[segment]));
}
