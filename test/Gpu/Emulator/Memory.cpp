#include "Memory.h"

#include "Emulator.h"

#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

using namespace ptx;

// Pages of it come into being when they are touched.
Shadow::Shadow(size_t bytes) : size(bytes ? bytes * sizeof(Byte) : 1) {
  void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    throw Error("no address space to watch " + std::to_string(bytes) + " bytes for races");
  bytesOf = static_cast<Byte *>(memory);
}
Shadow::~Shadow() { munmap(bytesOf, size); }
void Shadow::clear() { madvise(bytesOf, size, MADV_DONTNEED); }

Moment Shadow::recordByte(Byte &byte, Use use, Moment now, const uint32_t *clocks) {
  if (byte.writer && !isOrdered(byte.writer, now, clocks))
    return byte.writer;
  if (use == Use::Write) {
    for (Moment reader : byte.readers)
      if (reader && !isOrdered(reader, now, clocks))
        return reader;
    byte = {now, {0, 0}};
    return 0;
  }
  // A reader that comes before this one is no danger to others that this one is not.
  for (Moment &reader : byte.readers)
    if (!reader || isOrdered(reader, now, clocks)) {
      reader = now;
      break;
    }
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
