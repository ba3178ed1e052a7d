//===- Philox.h - The random words of dropout -----------------------------------------------------------*- C++ -*-===//
//
// Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (SC 2011): makes four random 32-bit
// words from a counter of four words and a key of two.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_REFERENCE_PHILOX_H
#define TX_LIB_REFERENCE_PHILOX_H

#include <array>
#include <cstdint>

namespace tx {

using PhiloxCounter = std::array<uint32_t, 4>;
using PhiloxKey = std::array<uint32_t, 2>;

inline PhiloxCounter philox4x32(PhiloxCounter counter, PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    uint64_t product0 = uint64_t(0xD2511F53u) * counter[0];
    uint64_t product1 = uint64_t(0xCD9E8D57u) * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(product0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

} // namespace tx

#endif // TX_LIB_REFERENCE_PHILOX_H
