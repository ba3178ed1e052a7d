//===- TokenStatistics.h - What a file's bytes say about its ids ----------------------------------------*- C++ -*-===//
//
// The ids of a file have the same distribution at all places. So if a unit (a byte or a word of `width` bytes) is an
// id, units at even and at odd places have the same distribution. If a unit is half of an id, they have not: the upper
// halves of ids are mostly small. Likewise, the two bytes of a two-byte id have different distributions, unless each
// byte is an id of its own.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_TOKENSTATISTICS_H
#define TXRT_TRAIN_TOKENSTATISTICS_H

#include "core/File.h"

#include <vector>

namespace txrt::train {

class TokenStatistics {
public:
  /// Reads the file from byte `offset` on: all of a small file, blocks from all over a large one.
  TokenStatistics(const InputFile &file, uint64_t offset);

  /// Whether (nearly) all units of `width` bytes at even places are 0 and those at odd places are not, or the reverse.
  bool isZeroAtEverySecond(uint64_t width) const;
  /// Whether the upper bytes of units at even places and at odd places share few values, and those at one of the two
  /// have far fewer different values: they are small, as the upper halves of ids are.
  bool alternates(uint64_t width) const;
  /// Whether the lowest and the highest byte of the units have the same distribution, and it is not flat.
  bool isOfTwoUnits(uint64_t width) const;
  /// Whether all bytes are UTF-8 without control characters; false if there are only a few bytes.
  bool isText() const;
  bool hasZero() const;
  /// The largest little-endian unit.
  uint64_t largest(uint64_t width) const;

private:
  uint64_t unit(uint64_t index, uint64_t width) const;

  std::vector<unsigned char> bytes;
  std::vector<size_t> starts; // where each block begins in `bytes`
};

} // namespace txrt::train

#endif // TXRT_TRAIN_TOKENSTATISTICS_H
