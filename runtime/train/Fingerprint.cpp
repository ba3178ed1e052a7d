//===- Fingerprint.cpp - Do ranks have the same data? -------------------------------------------------------------===//

#include "train/Fingerprint.h"
#include "train/Hash.h"

#include <vector>

namespace txrt::train {

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
