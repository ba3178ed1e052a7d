//===- TokenStatistics.cpp - What a file's bytes say about its ids ------------------------------------------------===//

#include "train/TokenStatistics.h"

#include <algorithm>
#include <array>

namespace txrt::train {

// Reads 64 blocks of 64 KiB, which takes some milliseconds for any file.
static constexpr uint64_t blockBytes = uint64_t(64) << 10, mostBlocks = 64;
// Blocks begin at whole ids of any width.
static constexpr uint64_t alignment = 8;

// Distributions of fewer units than this are too rough to be compared.
static constexpr uint64_t enoughUnits = 4096, enoughPairs = 1024;
// Fewer units than this may look like this by chance.
static constexpr uint64_t fewUnits = 4;

TokenStatistics::TokenStatistics(const InputFile &file, uint64_t offset) {
  const uint64_t all = file.size() - offset;
  const uint64_t blocks = std::min(mostBlocks, (all + blockBytes - 1) / blockBytes);
  for (uint64_t i = 0; i < blocks; ++i) {
    const uint64_t at = all * i / blocks / alignment * alignment;
    const uint64_t next = i + 1 == blocks ? all : all * (i + 1) / blocks / alignment * alignment;
    const uint64_t count = std::min(blockBytes, next - at);
    starts.push_back(bytes.size());
    bytes.resize(bytes.size() + count);
    file.readAt(offset + at, bytes.data() + starts.back(), count);
  }
}

uint64_t TokenStatistics::unit(uint64_t index, uint64_t width) const {
  uint64_t value = 0;
  for (uint64_t i = width; i-- > 0;)
    value = value << 8 | bytes[index * width + i];
  return value;
}

bool TokenStatistics::isZeroAtEverySecond(uint64_t width) const {
  uint64_t present[2] = {}; // units that are not 0, at even and at odd places
  const uint64_t pairs = bytes.size() / (2 * width);
  for (uint64_t i = 0; i < 2 * pairs; ++i)
    present[i % 2] += unit(i, width) != 0;
  const uint64_t both = present[0] + present[1];
  // One unit in twenty may be an exception, such as the byte order mark of UTF-16.
  return both >= fewUnits && std::min(present[0], present[1]) <= both / 20;
}

namespace {

class Histogram {
public:
  void add(unsigned char value) {
    ++counts[value];
    ++all;
  }
  uint64_t distinct() const {
    return counts.size() - static_cast<uint64_t>(std::count(counts.begin(), counts.end(), 0u));
  }
  /// 1 if the two distributions are the same, 0 if they share no value.
  double overlap(const Histogram &other) const {
    double sum = 0;
    for (size_t i = 0; i < counts.size(); ++i)
      sum += std::min(double(counts[i]) / double(all), double(other.counts[i]) / double(other.all));
    return sum;
  }
  /// 1 if there is one value only, 1 / n if n values are equally frequent.
  double concentration() const {
    double sum = 0;
    for (uint64_t count : counts)
      sum += double(count) / double(all) * double(count) / double(all);
    return sum;
  }
  double overlapWithFlat() const {
    double sum = 0;
    for (uint64_t count : counts)
      sum += std::min(double(count) / double(all), 1.0 / double(counts.size()));
    return sum;
  }

private:
  std::array<uint64_t, 256> counts = {};
  uint64_t all = 0;
};

} // namespace

bool TokenStatistics::alternates(uint64_t width) const {
  const uint64_t pairs = bytes.size() / (2 * width);
  if (pairs < enoughPairs)
    return false;
  Histogram upper[2];
  for (uint64_t i = 0; i < 2 * pairs; ++i)
    upper[i % 2].add(bytes[i * width + width - 1]);
  const double even = upper[0].concentration(), odd = upper[1].concentration();
  // Data that repeat themselves may have different values at even and at odd places, but as many of them.
  return upper[0].overlap(upper[1]) < 0.7 && std::max(even, odd) > 3 * std::min(even, odd);
}

bool TokenStatistics::isOfTwoUnits(uint64_t width) const {
  const uint64_t units = bytes.size() / width;
  if (width == 1 || units < enoughUnits)
    return false;
  Histogram low, high;
  for (uint64_t i = 0; i < units; ++i) {
    low.add(bytes[i * width]);
    high.add(bytes[i * width + width - 1]);
  }
  // If ids are drawn evenly from nearly all numbers of two bytes, both bytes are flat; so flat bytes prove nothing.
  return low.distinct() >= 8 && low.overlap(high) > 0.7 && low.overlapWithFlat() < 0.8;
}

/// How many bytes follow the first byte of a UTF-8 sequence; -1: no sequence begins with this byte.
static int followers(unsigned char lead) {
  return lead < 0x80 ? 0 : (lead >> 5) == 0x06 ? 1 : (lead >> 4) == 0x0e ? 2 : (lead >> 3) == 0x1e ? 3 : -1;
}

static bool isControl(unsigned char byte) { return (byte < 0x20 && !(byte >= '\t' && byte <= '\r')) || byte == 0x7f; }

bool TokenStatistics::isText() const {
  constexpr size_t few = 32;
  if (bytes.size() < few)
    return false;
  for (size_t b = 0; b < starts.size(); ++b) {
    const size_t end = b + 1 < starts.size() ? starts[b + 1] : bytes.size();
    size_t at = starts[b];
    // A block may begin or end inside a UTF-8 sequence.
    for (int i = 0; i < 3 && at < end && (bytes[at] >> 6) == 2; ++i)
      ++at;
    while (at < end) {
      if (isControl(bytes[at]))
        return false;
      const int more = followers(bytes[at++]);
      if (more < 0)
        return false;
      for (int i = 0; i < more && at < end; ++i)
        if ((bytes[at++] >> 6) != 2)
          return false;
    }
  }
  return true;
}

bool TokenStatistics::hasZero() const { return std::find(bytes.begin(), bytes.end(), 0) != bytes.end(); }

uint64_t TokenStatistics::largest(uint64_t width) const {
  uint64_t most = 0;
  for (uint64_t i = 0; i < bytes.size() / width; ++i)
    most = std::max(most, unit(i, width));
  return most;
}

} // namespace txrt::train
