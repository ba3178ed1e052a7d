//===- PlacementSearch.h - packing under a capacity -----------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_MEMORY_PLACEMENTSEARCH_H
#define TX_LIB_MEMORY_PLACEMENTSEARCH_H

#include "PlacementInstance.h"

#include <memory>

namespace tx::memory::detail {

enum class SearchStatus {
  Found,        ///< the packing lies within the capacity
  Infeasible,   ///< proved: no packing does
  LimitReached, ///< gave up
};

/// Which hole the search fills next, and where in it it begins: at the section that can waste least or, with First, at
/// the left.
enum class Pivot {
  Nearest, ///< downhill from the last choice
  NearestFirst,
  Lowest,
  LowestFirst,
  LeastSlack, ///< the hole with the section that can waste least
  Narrowest,
};
constexpr int kNumPivots = 6;

/// A complete search for a packing within a capacity. One object serves many runs on one instance with different orders
/// and limits.
class PackingSearch {
public:
  explicit PackingSearch(const Instance &instance);
  ~PackingSearch();

  /// `order` lists items, the ones to try first in front. `effort` bounds the steps taken and is lowered by those
  /// spent.
  SearchStatus run(int64_t capacity, const std::vector<int> &order, Pivot pivot, int64_t &effort);

  /// The packing of the last run that found one.
  const Packing &packing() const;

private:
  class Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace tx::memory::detail

#endif // TX_LIB_MEMORY_PLACEMENTSEARCH_H
