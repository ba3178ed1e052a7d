#include "core/Memory.h"
#include "core/Failure.h"
#include "core/File.h"
#include "txrt/runtime.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace txrt;

/// The number after `key` in a text such as /proc/meminfo.
static bool numberAfter(const std::string &text, const char *key, uint64_t &value) {
  const size_t at = text.find(key);
  if (at == std::string::npos)
    return false;
  const char *start = text.c_str() + at + strlen(key);
  char *end;
  value = strtoull(start, &end, 10);
  return end != start;
}

static uint64_t difference(uint64_t a, uint64_t b) { return a - std::min(a, b); }

// Adds without wrapping around: a damaged file may plan any number of bytes, and must be refused.
static uint64_t sum(uint64_t a, uint64_t b) {
  uint64_t all;
  return __builtin_add_overflow(a, b, &all) ? UINT64_MAX : all;
}
static uint64_t product(uint64_t a, uint64_t b) {
  uint64_t all;
  return __builtin_mul_overflow(a, b, &all) ? UINT64_MAX : all;
}

namespace {

/// A hierarchy of control groups, of version 1 or 2.
struct Hierarchy {
  const char *folder; // below MemoryFiles::groups
  const char *line;   // the part of a line of /proc/self/cgroup before the group's path
  const char *limitFile, *usageFile;
};

// Version 2 alone, or beside version 1.
constexpr Hierarchy hierarchies[] = {{"", "0::", "/memory.max", "/memory.current"},
                                     {"/unified", "0::", "/memory.max", "/memory.current"},
                                     {"/memory", ":memory:", "/memory.limit_in_bytes", "/memory.usage_in_bytes"}};

class LimitList {
public:
  explicit LimitList(const MemoryFiles &files) : files(files) {}

  std::vector<MemoryLimit> read() {
    addProcess();
    const std::string mine = text("/self/cgroup");
    for (const Hierarchy &hierarchy : hierarchies)
      addGroups(hierarchy, mine);
    addSystem();
    return std::move(limits);
  }

private:
  std::string text(const char *file) const { return readSmallText((files.proc + file).c_str()); }

  void addProcess() {
    const std::string status = text("/self/status");
    auto add = [&](int resource, const char *used, const char *whose) {
      rlimit limit;
      uint64_t kib;
      if (getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
          numberAfter(status, used, kib))
        limits.push_back(
            {MemoryLimit::Mapped, whose, limit.rlim_cur, difference(limit.rlim_cur, kib * 1024), "raise it"});
    };
    add(RLIMIT_AS, "VmSize:", "this process's address space (ulimit -v)");
    add(RLIMIT_DATA, "VmData:", "this process's data (ulimit -d)");
  }

  /// Adds the limits of this process's group and of all groups above it: each of them counts.
  void addGroups(const Hierarchy &hierarchy, const std::string &mine) {
    const size_t at = mine.find(hierarchy.line);
    if (at == std::string::npos)
      return;
    std::string path = mine.substr(at + strlen(hierarchy.line));
    path.erase(std::min(path.find('\n'), path.size()));
    for (;;) {
      addGroup(hierarchy, path == "/" ? "" : path);
      const size_t slash = path.rfind('/');
      if (slash == std::string::npos)
        return;
      path.erase(slash);
    }
  }

  void addGroup(const Hierarchy &hierarchy, const std::string &path) {
    const std::string folder = files.groups + hierarchy.folder + path;
    uint64_t limit, used, cache;
    if (!number(folder + hierarchy.limitFile, limit) || !number(folder + hierarchy.usageFile, used))
      return; // "max", or no such file
    // The kernel frees page cache when memory gets scarce, so it does not count as used.
    const std::string stat = readSmallText((folder + "/memory.stat").c_str());
    for (const char *key : {"\ntotal_inactive_file ", "\ntotal_active_file "})
      if (numberAfter("\n" + stat, key, cache))
        used = difference(used, cache);
    if (stat.find("total_inactive_file ") == std::string::npos)
      for (const char *key : {"\ninactive_file ", "\nactive_file "})
        if (numberAfter("\n" + stat, key, cache))
          used = difference(used, cache);
    limits.push_back({MemoryLimit::Touched, "the control group " + (path.empty() ? "/" : path), limit,
                      difference(limit, used), "give it more"});
  }

  static bool number(const std::string &file, uint64_t &value) {
    return numberAfter(readSmallText(file.c_str()), "", value);
  }

  void addSystem() {
    const std::string info = text("/meminfo");
    uint64_t total, left, mode;
    if (numberAfter(info, "MemTotal:", total) && numberAfter(info, "MemAvailable:", left))
      limits.push_back(
          {MemoryLimit::Touched, "this machine's memory", total * 1024, left * 1024, "end other processes"});
    // In mode 2 the system lets processes map no more memory than CommitLimit.
    if (numberAfter(text("/sys/vm/overcommit_memory"), "", mode) && mode == 2 &&
        numberAfter(info, "CommitLimit:", total) && numberAfter(info, "Committed_AS:", left))
      limits.push_back({MemoryLimit::Mapped, "what this machine commits (vm.overcommit_memory is 2)", total * 1024,
                        difference(total, left) * 1024, "end other processes"});
  }

  const MemoryFiles &files;
  std::vector<MemoryLimit> limits;
};

} // namespace

std::vector<MemoryLimit> txrt::memoryLimits(const MemoryFiles &files) { return LimitList(files).read(); }

void MemoryNeed::add(const std::string &what, uint64_t mappedBytes, uint64_t touchedBytes) {
  list.push_back({what, mappedBytes, touchedBytes});
  mapped = sum(mapped, mappedBytes);
  touched = sum(touched, touchedBytes);
}

std::string MemoryNeed::parts(MemoryLimit::Kind kind) const {
  std::string text;
  for (const Part &part : list)
    if (const uint64_t bytes = kind == MemoryLimit::Mapped ? part.mapped : part.touched)
      text += (text.empty() ? "" : ", ") + part.what + " " + readableBytes(bytes);
  return text;
}

/// Whether the system would map so many bytes now. This finds limits that no file shows.
static bool canMap(uint64_t bytes) {
  void *memory =
      mmap(nullptr, std::max<uint64_t>(bytes, 1), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    return false;
  munmap(memory, std::max<uint64_t>(bytes, 1));
  return true;
}

void txrt::requireMemory(const MemoryNeed &need, unsigned processes, const std::vector<MemoryLimit> &limits) {
  const MemoryLimit *worst = nullptr;
  uint64_t largest = 0;
  for (const MemoryLimit &limit : limits) {
    const bool isShared = limit.kind == MemoryLimit::Touched;
    const uint64_t wanted = product(need.of(limit.kind), isShared ? processes : 1);
    if (wanted > limit.left && wanted - limit.left > largest) {
      largest = wanted - limit.left;
      worst = &limit;
    }
  }
  if (worst) {
    const bool isShared = worst->kind == MemoryLimit::Touched && processes > 1;
    const uint64_t wanted = need.of(worst->kind);
    fail(TXRT_OUT_OF_MEMORY,
         "needs %s (%s)%s; %s leaves %s of its %s: %s, or choose a policy with "
         "a lower peak, a smaller batch or fewer threads",
         readableBytes(wanted).c_str(), need.parts(worst->kind).c_str(),
         isShared ? format(" in each of %u processes", processes).c_str() : "", worst->whose.c_str(),
         readableBytes(worst->left).c_str(), readableBytes(worst->limit).c_str(), worst->remedy);
  }
  if (!canMap(need.of(MemoryLimit::Mapped)))
    fail(TXRT_OUT_OF_MEMORY, "needs %s (%s), and the system refuses: %s; %s",
         readableBytes(need.of(MemoryLimit::Mapped)).c_str(), need.parts(MemoryLimit::Mapped).c_str(), strerror(errno),
         describeLeast(limits).c_str());
}

uint64_t txrt::residentBytes() {
  uint64_t kib = 0;
  numberAfter(readSmallText("/proc/self/status"), "VmRSS:", kib);
  return kib * 1024;
}

uint64_t txrt::stackBytes() {
  pthread_attr_t attributes;
  size_t bytes = 0, guard = 0;
  if (pthread_attr_init(&attributes) == 0) {
    pthread_attr_getstacksize(&attributes, &bytes);
    pthread_attr_getguardsize(&attributes, &guard);
    pthread_attr_destroy(&attributes);
  }
  return bytes + guard;
}

std::string txrt::describeLeast(const std::vector<MemoryLimit> &limits) {
  const auto least = std::min_element(limits.begin(), limits.end(),
                                      [](const MemoryLimit &a, const MemoryLimit &b) { return a.left < b.left; });
  if (least == limits.end())
    return "no limit of it is known";
  return format("the least is left of %s: %s of %s", least->whose.c_str(), readableBytes(least->left).c_str(),
                readableBytes(least->limit).c_str());
}

void txrt_describe_memory(char *text, size_t size) {
  try {
    snprintf(text, size, "memory ran out; %s", describeLeast().c_str());
  } catch (...) {
    snprintf(text, size, "memory ran out");
  }
}
