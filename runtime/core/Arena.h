//===- Arena.h - The one allocation of a session --------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_CORE_ARENA_H
#define TXRT_CORE_ARENA_H

#include <cstdint>

namespace txrt {

/// Zero-filled anonymous memory, aligned to huge pages. A page becomes resident when it is first touched.
class Arena {
public:
  /// Fails with TXRT_OUT_OF_MEMORY if the system refuses to map the bytes. The system may also kill the process later,
  /// when it touches the pages; so the caller calls requireMemory (Memory.h) first.
  explicit Arena(uint64_t bytes);
  ~Arena();
  Arena(const Arena &) = delete;
  Arena &operator=(const Arena &) = delete;

  uint8_t *data() const { return base; }
  uint64_t bytes() const { return size; }
  /// Bytes that the constructor maps for a moment beside the arena, to align it.
  static constexpr uint64_t slackBytes = uint64_t(2) << 20;
  /// Bytes of all arenas of this process that are mapped but not yet resident, roughly.
  static uint64_t untouchedBytes();

private:
  uint8_t *base = nullptr;
  uint64_t size = 0;
};

} // namespace txrt

#endif // TXRT_CORE_ARENA_H
