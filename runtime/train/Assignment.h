//===- Assignment.h - Which stored tensor goes into which global ------------------------------------------*- C++
//-*-===//

#ifndef TXRT_TRAIN_ASSIGNMENT_H
#define TXRT_TRAIN_ASSIGNMENT_H

#include "core/Manifest.h"
#include "train/StoredWeights.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace txrt::train {

/// Which stored tensor goes into which global. It is complete before any global is written.
struct Assignment {
  std::vector<std::pair<const GlobalSpec *, StoredWeights::Place>> pairs;
  std::vector<std::pair<StoredWeights::Place, StoredWeights::Place>> tied; // a parameter and the file's copy of it
  std::map<std::pair<std::string, std::string>, size_t> converted;         // parameters by their stored and own types
  size_t ignored = 0;                                                      // how many tensors are no weights
  std::string firstIgnored;
  bool hasOptimizer = false;
};

/// Finds the place of every stored tensor. Throws, with the names of all tensors that are missing, superfluous, of
/// another shape or of a type that cannot be loaded. Without `wantOptimizer` it leaves out optimizer state.
Assignment assign(const Manifest &manifest, const StoredWeights &stored, bool wantOptimizer);

} // namespace txrt::train

#endif // TXRT_TRAIN_ASSIGNMENT_H
