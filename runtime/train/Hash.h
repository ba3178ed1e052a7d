//===- Hash.h - A hash as fast as memory ----------------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_TRAIN_HASH_H
#define TXRT_TRAIN_HASH_H

#include "core/Failure.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

namespace txrt::train {

/// A 64-bit hash of blocks of bytes. It takes four words at a time, so that it is as fast as memory. The same bytes in
/// other blocks may have another hash.
class Hash {
public:
  void add(const void *data, uint64_t bytes) {
    const char *from = static_cast<const char *>(data);
    uint64_t words[4] = {};
    for (; bytes > 0; from += sizeof words) {
      const uint64_t part = std::min<uint64_t>(bytes, sizeof words);
      if (part < sizeof words)
        std::memset(words, 0, sizeof words);
      std::memcpy(words, from, part);
      for (int i = 0; i < 4; ++i)
        lanes[i] = ((lanes[i] << 29 | lanes[i] >> 35) ^ words[i]) * prime;
      bytes -= part;
    }
  }
  /// 16 hexadecimal digits.
  std::string text() const {
    uint64_t all = 0;
    for (uint64_t lane : lanes) {
      all = (all ^ lane) * prime;
      all ^= all >> 32;
    }
    return format("%016llx", (unsigned long long)all);
  }

private:
  static constexpr uint64_t prime = 0x9e3779b97f4a7c15; // an odd number: 2^64 / golden ratio
  uint64_t lanes[4] = {1, 2, 3, 4};
};

} // namespace txrt::train

#endif // TXRT_TRAIN_HASH_H
