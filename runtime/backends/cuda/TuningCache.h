//===- TuningCache.h - Chosen algorithms, in a file -----------------------------------------------------*- C++ -*-===//
//
// Stores the algorithms that --tune has found for later runs, as JSON: one choice for each GPU, library version and
// product. The key does not contain the recompute policy, so a recomputation gets the algorithm of its forward.
//
//   {"format": "tx-tuning", "version": 1, "choices": [
//     {"gpu": "NVIDIA H100 80GB HBM3 sm_90", "library": "cuBLASLt 13.1.0",
//      "product": "nn 4096x3072x768 ...", "algorithm": "0000002a...",
//      "microseconds": 41.2, "heuristic_microseconds": 47.9}]}
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_BACKENDS_CUDA_TUNINGCACHE_H
#define TXRT_BACKENDS_CUDA_TUNINGCACHE_H

#include "backends/cuda/CublasLtApi.h"

#include <map>
#include <optional>
#include <string>
#include <tuple>

namespace txrt::cuda {

struct TunedChoice {
  lt::Algorithm algorithm;
  double seconds, heuristicSeconds;
};

class TuningCache {
public:
  /// Reads the file, if there is one. Throws a Failure that says what is wrong with it when it is no tuning cache.
  TuningCache(std::string path, std::string gpu, std::string library);

  std::optional<TunedChoice> find(const std::string &product) const;
  void set(const std::string &product, const TunedChoice &choice);
  /// Writes all choices to the file. Keeps those of other machines, and those that other runs have written meanwhile.
  void save() const;

  const std::string path;

private:
  using Key = std::tuple<std::string, std::string, std::string>;
  using Choices = std::map<Key, TunedChoice>;
  static Choices read(const std::string &path);

  const std::string gpu, library;
  Choices choices, added;
};

} // namespace txrt::cuda

#endif // TXRT_BACKENDS_CUDA_TUNINGCACHE_H
