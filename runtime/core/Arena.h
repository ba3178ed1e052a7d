//===- Arena.h - The one allocation of a session --------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_CORE_ARENA_H
#define TXRT_CORE_ARENA_H

#include <cstdint>

namespace txrt {

/// Zero-filled anonymous memory, aligned to huge pages. Its pages become resident when they are first touched.
class Arena {
public:
  /// Fails with TXRT_OUT_OF_MEMORY where the system refuses; what it would refuse later is found by requireMemory
  /// before.
  explicit Arena(uint64_t bytes);
  ~Arena();
  Arena(const Arena &) = delete;
  Arena &operator=(const Arena &) = delete;

  uint8_t *data() const { return base; }
  uint64_t bytes() const { return size; }
  /// What alignment takes beside the bytes, for a moment.
  static constexpr uint64_t slackBytes = uint64_t(2) << 20;
  /// Of all arenas of this process, about.
  static uint64_t untouchedBytes();

private:
  uint8_t *base = nullptr;
  uint64_t size = 0;
};

} // namespace txrt

#endif // TXRT_CORE_ARENA_H
