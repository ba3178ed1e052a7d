//===- Fingerprint.cpp - Do ranks have the same data? -------------------------------------------------------------===//

#include "train/Fingerprint.h"
#include "core/Failure.h"

#include <algorithm>
#include <cstring>

namespace txrt::train {

namespace {

/// A 64-bit hash. It takes four words at a time, so that it is as fast as memory.
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

} // namespace

std::string fingerprintOf(SampleSource &source, const Model &model) {
  constexpr uint64_t samples = 32, spread = 1 << 20;
  const uint64_t length = model.batch().sequence;
  const uint64_t size = source.size() ? source.size() : spread;
  std::vector<int32_t> tokens(length), targets(length);
  Hash hash;
  hash.add(&size, sizeof size);
  for (uint64_t i = 0; i < std::min(samples, size); ++i) {
    source.sample(i * (size - 1) / samples, tokens.data(), targets.data());
    hash.add(tokens.data(), length * sizeof(int32_t));
    hash.add(targets.data(), length * sizeof(int32_t));
  }
  return hash.text();
}

std::string fingerprintOf(const Model &model) {
  Hash hash;
  std::vector<char> block(copyBytes);
  for (const GlobalSpec &global : model.manifest().globals) {
    if (global.role == Role::Gradient)
      continue;
    for (uint64_t at = 0; at < global.bytes; at += copyBytes) {
      const uint64_t bytes = std::min(copyBytes, global.bytes - at);
      model.read(global, at, bytes, block.data());
      hash.add(block.data(), bytes);
    }
  }
  return hash.text();
}

} // namespace txrt::train
