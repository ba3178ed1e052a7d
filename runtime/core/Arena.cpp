#include "core/Arena.h"
#include "core/Failure.h"
#include "core/Memory.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <sys/mman.h>

using namespace txrt;

static constexpr uint64_t hugePage = Arena::slackBytes;

static std::atomic<uint64_t> live{0};

uint64_t Arena::untouchedBytes() {
  const uint64_t resident = residentBytes();
  return live - std::min<uint64_t>(live, resident);
}

Arena::Arena(uint64_t bytes) : size(bytes) {
  if (size == 0)
    return;
  // Map one huge page more than needed, then unmap the bytes before and after the aligned arena.
  uint64_t reserve = size + hugePage;
  void *memory = mmap(nullptr, reserve, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    fail(TXRT_OUT_OF_MEMORY, "needs %s for its arena; the system refuses: %s; %s", readableBytes(size).c_str(),
         strerror(errno), describeLeast().c_str());
  auto start = reinterpret_cast<uintptr_t>(memory);
  uintptr_t aligned = (start + hugePage - 1) / hugePage * hugePage;
  constexpr uint64_t page = 4096;
  uintptr_t end = (aligned + size + page - 1) / page * page;
  if (aligned != start)
    munmap(memory, aligned - start);
  munmap(reinterpret_cast<void *>(end), start + reserve - end);
  base = reinterpret_cast<uint8_t *>(aligned);
  // The system may ignore this advice. If it takes it, the first touch of 2 GB takes a quarter of the time.
  if (size >= hugePage)
    madvise(base, size, MADV_HUGEPAGE);
  live += size;
}

Arena::~Arena() {
  if (!base)
    return;
  munmap(base, size);
  live -= size;
}
