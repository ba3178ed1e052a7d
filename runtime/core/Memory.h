//===- Memory.h - What a process may still take of memory -----------------------------------------------*- C++ -*-===//
//
// A process that the system kills for its memory can not say why, and a library may ask for its memory again and again
// for ever. So what a session needs is compared with every limit before any of it is allocated:
//
//   MemoryNeed need;
//   need.add("arena", bytes, bytes);
//   need.add("thread stacks", threads * stackBytes(), 0);
//   requireMemory(need);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_MEMORY_H
#define TXRT_CORE_MEMORY_H

#include <cstdint>
#include <string>
#include <vector>

namespace txrt {

/// Something that bounds the memory of this process.
struct MemoryLimit {
  /// Limits on address space count what is mapped, the others what is touched.
  enum Kind { Mapped, Touched } kind;
  std::string whose;  // "this process's address space (ulimit -v)"
  uint64_t limit;     // all of it, used or not
  uint64_t left;      // for us to take
  const char *remedy; // "raise it"
};

/// Where the system's files are; a test has its own.
struct MemoryFiles {
  std::string proc = "/proc", groups = "/sys/fs/cgroup";
};

/// Limits of the process (RLIMIT_AS, RLIMIT_DATA), of each control group above it (versions 1 and 2), of the system's
/// free memory and, where it commits no more than it has, of that.
std::vector<MemoryLimit> memoryLimits(const MemoryFiles &files = {});

/// What is going to be allocated, by part.
class MemoryNeed {
public:
  /// `mapped` bytes of address space, of which `touched` become resident.
  void add(const std::string &what, uint64_t mapped, uint64_t touched);
  uint64_t of(MemoryLimit::Kind kind) const { return kind == MemoryLimit::Mapped ? mapped : touched; }
  /// "arena 18.0 MiB, OpenBLAS 296.0 MiB": the parts that count for the kind.
  std::string parts(MemoryLimit::Kind kind) const;

private:
  struct Part {
    std::string what;
    uint64_t mapped, touched;
  };
  std::vector<Part> list;
  uint64_t mapped = 0, touched = 0;
};

/// Fails with TXRT_OUT_OF_MEMORY, the need and the limit that it is furthest beyond. `processes` of this machine are
/// about to take as much each: groups and free memory are for all of them.
void requireMemory(const MemoryNeed &need, unsigned processes, const std::vector<MemoryLimit> &limits = memoryLimits());

/// Of this process.
uint64_t residentBytes();

/// What a new thread's stack maps.
uint64_t stackBytes();

/// For an allocation that has failed although: "the least that is left is 1.2 MiB of ...".
std::string describeLeast(const std::vector<MemoryLimit> &limits = memoryLimits());

} // namespace txrt

#endif // TXRT_CORE_MEMORY_H
