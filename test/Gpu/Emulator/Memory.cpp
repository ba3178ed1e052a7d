#include "Memory.h"

#include "Emulator.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

using namespace ptx;

// Pages of it come into being when they are touched.
/// Zeros, which take memory where they are touched.
template <typename T> static T *mapZeros(size_t count) {
  void *memory =
      mmap(nullptr, count * sizeof(T), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    throw Error("no address space to watch memory for races");
  return static_cast<T *>(memory);
}

Shadow::Shadow(size_t bytes)
    : wordCount(bytes / kWord + 1), words(mapZeros<Accesses>(wordCount)), parts(mapZeros<Accesses>(wordCount * kWord)) {
}
Shadow::~Shadow() {
  munmap(words, wordCount * sizeof(Accesses));
  munmap(parts, wordCount * kWord * sizeof(Accesses));
}
void Shadow::clear() {
  madvise(words, wordCount * sizeof(Accesses), MADV_DONTNEED);
  madvise(parts, wordCount * kWord * sizeof(Accesses), MADV_DONTNEED);
  pool.resize(1);
}

// The last readers of a warp: that there are some, two lanes (twice the same, if no other has read), and their clock.
// Readers before are no danger to others that these are not.
static constexpr uint32_t kSome = 1u << 31;
static constexpr unsigned kLaneAt[] = {20, 25};
static uint32_t laneOf(uint32_t readers, unsigned which) { return readers >> kLaneAt[which] & 31; }

void Shadow::addReader(Accesses &one, Moment now) {
  const uint32_t warp = threadOf(now) / 32, lane = threadOf(now) % 32;
  if (!one.more || pool[one.more + Warps] <= warp) {
    const uint32_t from = one.more;
    one.more = static_cast<uint32_t>(pool.size());
    const uint32_t warps = (warp + 4) / 4 * 4;
    pool.resize(pool.size() + First + warps);
    if (from)
      std::copy_n(pool.begin() + from, First + pool[from + Warps], pool.begin() + one.more);
    pool[one.more + Warps] = warps;
  }
  uint32_t *more = &pool[one.more];
  if (more[Launch] != launchOf(now) || more[Block] != blockOf(now)) {
    std::fill_n(more + First, more[Warps], 0);
    more[Launch] = launchOf(now), more[Block] = blockOf(now);
  }
  uint32_t &last = more[First + warp];
  if (!last || (last & kMaxClock) != clockOf(now))
    last = kSome | lane << kLaneAt[0] | lane << kLaneAt[1] | clockOf(now);
  else if (laneOf(last, 0) == laneOf(last, 1))
    last = (last & ~(31u << kLaneAt[1])) | lane << kLaneAt[1];
}

/// Of the readers in `pool`, one that is not ordered before `now`; 0 if there is none.
Moment Shadow::findReader(const Accesses &one, Moment now, const uint32_t *clocks) const {
  const uint32_t *more = &pool[one.more];
  if (!one.more || more[Launch] != launchOf(now))
    return 0;
  for (uint32_t warp = 0; warp < more[Warps]; ++warp) {
    const uint32_t last = more[First + warp];
    for (unsigned which = 0; last && which < 2; ++which) {
      const Moment reader = momentOf(more[Launch], more[Block], warp * 32 + laneOf(last, which), last & kMaxClock);
      if (!isOrdered(reader, now, clocks))
        return reader;
    }
  }
  return 0;
}

void Shadow::split(size_t word) {
  for (size_t i = word * kWord; i < (word + 1) * kWord; ++i) {
    parts[i] = words[word];
    if (!parts[i].more)
      continue;
    const uint32_t from = parts[i].more, size = First + pool[from + Warps];
    parts[i].more = static_cast<uint32_t>(pool.size());
    pool.resize(pool.size() + size);
    std::copy_n(pool.begin() + from, size, pool.begin() + parts[i].more);
  }
  words[word].isSplit = 1;
}

Moment Shadow::recordOne(Accesses &one, Use use, Moment now, const uint32_t *clocks) {
  if (one.writer && !isOrdered(one.writer, now, clocks))
    return one.writer;
  if (use == Use::Write) {
    for (Moment reader : one.readers)
      if (reader && !isOrdered(reader, now, clocks))
        return reader;
    if (Moment reader = findReader(one, now, clocks))
      return reader;
    one.writer = now, one.readers[0] = one.readers[1] = 0;
    if (one.more)
      pool[one.more + Launch] = 0; // empty
    return 0;
  }
  // A reader that comes before this one is no danger to others that this one is not.
  for (Moment &reader : one.readers)
    if (!reader || isOrdered(reader, now, clocks)) {
      reader = now;
      return 0;
    }
  // Who writes is of another block than one of two readers of different blocks.
  if (blockOf(one.readers[0]) != blockOf(one.readers[1]))
    return 0;
  if (blockOf(one.readers[0]) != blockOf(now))
    one.readers[1] = now;
  else
    addReader(one, now);
  return 0;
}

Memory::~Memory() {
  for (auto &item : allocations)
    free(reinterpret_cast<void *>(item.first));
}

uint64_t Memory::allocate(size_t bytes) {
  void *memory = aligned_alloc(256, (bytes + 255) / 256 * 256 + 256);
  memset(memory, 0xff, bytes);
  auto address = reinterpret_cast<uint64_t>(memory);
  allocations.emplace(address, bytes);
  return address;
}

void Memory::release(uint64_t address) {
  last = nullptr;
  if (allocations.erase(address))
    free(reinterpret_cast<void *>(address));
}

Allocation *Memory::find(uint64_t address, size_t bytes, uint64_t &begin) {
  if (!last || address < lastBegin || address + bytes > lastBegin + last->bytes) {
    auto next = allocations.upper_bound(address);
    if (next == allocations.begin())
      return nullptr;
    auto at = std::prev(next);
    if (address + bytes > at->first + at->second.bytes)
      return nullptr;
    lastBegin = at->first;
    last = &at->second;
  }
  begin = lastBegin;
  return last;
}

std::string Memory::describe(uint64_t address) const {
  auto next = allocations.upper_bound(address);
  if (next != allocations.begin()) {
    auto at = std::prev(next);
    uint64_t offset = address - at->first, bytes = at->second.bytes;
    return offset < bytes ? "at byte " + std::to_string(offset) + " of " + std::to_string(bytes)
                          : std::to_string(offset - bytes) + " bytes behind the end of " + std::to_string(bytes);
  }
  return "before all device memory";
}

uint32_t Memory::nextLaunch() {
  if (++launch == kMaxLaunches) {
    for (auto &item : allocations)
      item.second.shadow.clear();
    launch = 1;
  }
  return launch;
}
