//===- Sha256.h - The artifact's digest -----------------------------------------------------------------*- C++ -*-===//
//
// SHA-256 (FIPS 180-4). Integrity, not trust: whoever can change an artifact can also change its digest.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_SHA256_H
#define TXRT_CORE_SHA256_H

#include <array>
#include <cstddef>
#include <cstdint>

namespace txrt {

class Sha256 {
public:
  using Digest = std::array<uint8_t, 32>;

  void update(const void *data, size_t size);
  Digest finish();

private:
  void block(const uint8_t *bytes);

  std::array<uint32_t, 8> state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                   0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<uint8_t, 64> pending = {};
  size_t pendingSize = 0;
  uint64_t totalBytes = 0;
};

} // namespace txrt

#endif // TXRT_CORE_SHA256_H
