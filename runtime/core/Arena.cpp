#include "core/Arena.h"
#include "core/Failure.h"
#include "core/File.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sys/mman.h>

using namespace txrt;

static constexpr uint64_t hugePage = uint64_t(2) << 20;

/// The number after `key` in a text such as /proc/meminfo.
static bool numberAfter(const std::string &text, const char *key,
                        uint64_t &value) {
  size_t at = text.find(key);
  if (at == std::string::npos)
    return false;
  const char *start = text.c_str() + at + strlen(key);
  char *end;
  value = strtoull(start, &end, 10);
  return end != start;
}

/// What one control group leaves; page cache is given back under pressure, so
/// it does not count as used.
static uint64_t leftInGroup(const std::string &folder, const char *limitFile,
                            const char *usageFile) {
  uint64_t limit, used, cache = 0;
  if (!numberAfter(readSmallText((folder + limitFile).c_str()), "", limit) ||
      !numberAfter(readSmallText((folder + usageFile).c_str()), "", used))
    return UINT64_MAX; // "max", or no such file
  std::string stat = readSmallText((folder + "/memory.stat").c_str());
  uint64_t inactive, active;
  if (numberAfter(stat, "inactive_file ", inactive))
    cache += inactive;
  if (numberAfter(stat, "\nactive_file ", active))
    cache += active;
  used -= std::min(used, cache);
  return limit - std::min(limit, used);
}

uint64_t txrt::availableMemory() {
  uint64_t available = UINT64_MAX, kib;
  if (numberAfter(readSmallText("/proc/meminfo"), "MemAvailable:", kib))
    available = kib * 1024;
  // Version 2: "0::/a/b"; limits of every group up to the root count.
  std::string groups = readSmallText("/proc/self/cgroup");
  size_t at = groups.find("0::/");
  if (at != std::string::npos) {
    std::string path = groups.substr(at + 3);
    path.erase(std::min(path.find('\n'), path.size()));
    for (;;) {
      available = std::min(available,
                           leftInGroup("/sys/fs/cgroup" + path, "/memory.max",
                                       "/memory.current"));
      size_t slash = path.rfind('/');
      if (slash == std::string::npos)
        break;
      path.erase(slash);
    }
  }
  return std::min(available, leftInGroup("/sys/fs/cgroup/memory",
                                         "/memory.limit_in_bytes",
                                         "/memory.usage_in_bytes"));
}

Arena::Arena(uint64_t bytes) : size(bytes) {
  if (size == 0)
    return;
  uint64_t available = availableMemory();
  if (size > available)
    fail(TXRT_OUT_OF_MEMORY,
         "needs %s for its arena, %s are free: choose a policy with a lower "
         "peak, or a smaller batch",
         readableBytes(size).c_str(), readableBytes(available).c_str());
  // Reserve one huge page more and give back what alignment leaves over.
  uint64_t reserve = size + hugePage;
  void *memory = mmap(nullptr, reserve, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    fail(TXRT_OUT_OF_MEMORY, "needs %s for its arena; the system refuses: %s",
         readableBytes(size).c_str(), strerror(errno));
  auto start = reinterpret_cast<uintptr_t>(memory);
  uintptr_t aligned = (start + hugePage - 1) / hugePage * hugePage;
  constexpr uint64_t page = 4096;
  uintptr_t end = (aligned + size + page - 1) / page * page;
  if (aligned != start)
    munmap(memory, aligned - start);
  munmap(reinterpret_cast<void *>(end), start + reserve - end);
  base = reinterpret_cast<uint8_t *>(aligned);
  // Advice: first touch of 2 GB takes a quarter of the time where it is taken.
  if (size >= hugePage)
    madvise(base, size, MADV_HUGEPAGE);
}

Arena::~Arena() {
  if (base)
    munmap(base, size);
}
