//===- Random.h - Random numbers that depend on a counter alone -----------------------------------------*- C++ -*-===//
//
// Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011): the numbers at a counter do
// not depend on how many were drawn before, so data order, initial weights and samples are the same for any batch size,
// thread count or restart.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_RANDOM_H
#define TXRT_TRAIN_RANDOM_H

#include <array>
#include <cstdint>
#include <string>

namespace txrt::train {

using PhiloxBlock = std::array<uint32_t, 4>;

/// The ten rounds, exactly as published.
PhiloxBlock philox(PhiloxBlock counter, std::array<uint32_t, 2> key);

/// A stream for one purpose: streams of different names or seeds are independent of each other.
class RandomStream {
public:
  RandomStream(uint64_t seed, const std::string &purpose);

  /// 64 random bits; they depend on the stream and the index only.
  uint64_t bits(uint64_t index) const;
  /// Uniform in [0, bound), bound > 0.
  uint64_t below(uint64_t index, uint64_t bound) const;
  /// Uniform in [0, 1).
  double uniform(uint64_t index) const;
  /// Two standard normal numbers for each index.
  std::array<double, 2> normals(uint64_t index) const;

private:
  PhiloxBlock block(uint64_t index) const;
  uint64_t seed, purposeHash;
};

} // namespace txrt::train

#endif // TXRT_TRAIN_RANDOM_H
