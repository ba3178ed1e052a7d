//===- Arena.h - The one allocation of a session ---------------*- C++ -*-===//

#ifndef TXRT_CORE_ARENA_H
#define TXRT_CORE_ARENA_H

#include <cstdint>
#include <string>

namespace txrt {

/// Zero-filled anonymous memory, aligned to huge pages. Its pages become
/// resident when they are first touched.
class Arena {
public:
  /// Fails with TXRT_OUT_OF_MEMORY, needed against free, before any page is
  /// touched: a process that the system kills can not say why.
  explicit Arena(uint64_t bytes);
  ~Arena();
  Arena(const Arena &) = delete;
  Arena &operator=(const Arena &) = delete;

  uint8_t *data() const { return base; }
  uint64_t bytes() const { return size; }

private:
  uint8_t *base = nullptr;
  uint64_t size = 0;
};

/// Bytes that this process may still take: the least of what the system has
/// available and what each control group above us leaves. UINT64_MAX when
/// nothing is known.
uint64_t availableMemory();

} // namespace txrt

#endif // TXRT_CORE_ARENA_H
