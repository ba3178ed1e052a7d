//===- Memory.h - How much memory this process may still take -------------------------------------------*- C++ -*-===//
//
// A process that the system kills for its memory cannot say why, and a library whose allocation fails may try again for
// ever. So a session compares the memory that it needs with every limit before it allocates any of it:
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
  /// Limits on address space count mapped bytes; all other limits count touched (resident) bytes.
  enum Kind { Mapped, Touched } kind;
  std::string whose;  // "this process's address space (ulimit -v)"
  uint64_t limit;     // the whole limit in bytes, used or not
  uint64_t left;      // bytes that this process may still take
  const char *remedy; // "raise it"
};

/// Where the system's files are; a test gives its own folders.
struct MemoryFiles {
  std::string proc = "/proc", groups = "/sys/fs/cgroup";
};

/// The limits of the process (RLIMIT_AS, RLIMIT_DATA), of each control group that it is in (versions 1 and 2), the
/// machine's free memory and, if vm.overcommit_memory is 2, the memory that the machine may still commit.
std::vector<MemoryLimit> memoryLimits(const MemoryFiles &files = {});

/// The memory that somebody is going to allocate, part by part.
class MemoryNeed {
public:
  /// `mapped` bytes of address space, of which `touched` become resident.
  void add(const std::string &what, uint64_t mapped, uint64_t touched);
  uint64_t of(MemoryLimit::Kind kind) const { return kind == MemoryLimit::Mapped ? mapped : touched; }
  /// The parts that count for this kind of limit: "arena 18.0 MiB, OpenBLAS 296.0 MiB".
  std::string parts(MemoryLimit::Kind kind) const;

private:
  struct Part {
    std::string what;
    uint64_t mapped, touched;
  };
  std::vector<Part> list;
  uint64_t mapped = 0, touched = 0;
};

/// Fails with TXRT_OUT_OF_MEMORY if `need` exceeds a limit; the message has the need and the limit that it exceeds
/// most. `processes` on this machine are about to take as much each, and share the control groups and the free memory.
void requireMemory(const MemoryNeed &need, unsigned processes, const std::vector<MemoryLimit> &limits = memoryLimits());

/// Resident bytes of this process.
uint64_t residentBytes();

/// Bytes that the stack of a new thread maps.
uint64_t stackBytes();

/// Names the limit with the least left, for an allocation that failed although requireMemory did not: "the least that
/// is left is 1.2 MiB of ...".
std::string describeLeast(const std::vector<MemoryLimit> &limits = memoryLimits());

} // namespace txrt

#endif // TXRT_CORE_MEMORY_H
