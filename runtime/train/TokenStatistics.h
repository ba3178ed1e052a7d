//===- TokenStatistics.h - What bytes show of their ids -------------------------------------------------*- C++ -*-===//
//
// Ids of one file come from one distribution, whatever their places. So units (bytes or words) at even and at odd
// places look alike, unless a unit is half of an id: the upper halves of ids are mostly small. And the two bytes of an
// id differ, unless each is an id.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_TOKENSTATISTICS_H
#define TXRT_TRAIN_TOKENSTATISTICS_H

#include "core/File.h"

#include <vector>

namespace txrt::train {

class TokenStatistics {
public:
  /// Reads the file from `offset` on: all of a small one, blocks from all over a large one.
  TokenStatistics(const InputFile &file, uint64_t offset);

  /// Whether units of `width` bytes at even, or those at odd places are (nearly) all 0, and the others are not.
  bool isZeroAtEverySecond(uint64_t width) const;
  /// Whether the units' upper bytes at even and odd places have little in common, and those at one are much more alike:
  /// small, as upper halves are.
  bool alternates(uint64_t width) const;
  /// Whether the lowest and the highest byte of the units are from one distribution that is not flat.
  bool isOfTwoUnits(uint64_t width) const;
  /// Whether all bytes are UTF-8 without control characters; false for a few.
  bool isText() const;
  bool hasZero() const;
  /// The largest little-endian unit.
  uint64_t largest(uint64_t width) const;

private:
  uint64_t unit(uint64_t index, uint64_t width) const;

  std::vector<unsigned char> bytes;
  std::vector<size_t> starts; // of blocks, in `bytes`
};

} // namespace txrt::train

#endif // TXRT_TRAIN_TOKENSTATISTICS_H
