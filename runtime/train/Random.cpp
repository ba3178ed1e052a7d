//===- Random.cpp - Random numbers that depend on a counter alone -------------------------------------------------===//

#include "train/Random.h"
#include "core/Text.h"

#include <cmath>

namespace txrt::train {

PhiloxBlock philox(PhiloxBlock counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    uint64_t product0 = uint64_t(0xD2511F53u) * counter[0];
    uint64_t product1 = uint64_t(0xCD9E8D57u) * counter[2];
    counter = {uint32_t(product1 >> 32) ^ counter[1] ^ key[0], uint32_t(product1),
               uint32_t(product0 >> 32) ^ counter[3] ^ key[1], uint32_t(product0)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

RandomStream::RandomStream(uint64_t seed, const std::string &purpose) : seed(seed), purposeHash(hashOf(purpose)) {}

PhiloxBlock RandomStream::block(uint64_t index) const {
  return philox({uint32_t(index), uint32_t(index >> 32), uint32_t(purposeHash), uint32_t(purposeHash >> 32)},
                {uint32_t(seed), uint32_t(seed >> 32)});
}

uint64_t RandomStream::bits(uint64_t index) const {
  PhiloxBlock words = block(index);
  return uint64_t(words[1]) << 32 | words[0];
}

uint64_t RandomStream::below(uint64_t index, uint64_t bound) const {
  // The high half of the product of two 64-bit numbers; its bias is below bound / 2^64.
  using Wide = unsigned __int128;
  return static_cast<uint64_t>(Wide(bits(index)) * bound >> 64);
}

double RandomStream::uniform(uint64_t index) const { return static_cast<double>(bits(index) >> 11) * 0x1p-53; }

std::array<double, 2> RandomStream::normals(uint64_t index) const {
  PhiloxBlock words = block(index);
  // Box-Muller. (x + 0.5) / 2^32 is never 0 nor 1.
  double u = (words[0] + 0.5) * 0x1p-32, v = (words[1] + 0.5) * 0x1p-32;
  double radius = std::sqrt(-2.0 * std::log(u));
  double angle = 6.283185307179586476925286766559 * v;
  return {radius * std::cos(angle), radius * std::sin(angle)};
}

} // namespace txrt::train
