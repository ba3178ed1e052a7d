//===- PlacementSearch.h - packing under a capacity ------------*- C++ -*-===//

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

/// Where the search decides next, among the sections at the bottom of a hole.
enum class Pivot {
  LeastSlack,    ///< the section that can waste least
  LowestTightest, ///< in the lowest hole, the section that can waste least
  LowestFirst,   ///< in the lowest hole, the first section
  Narrowest,     ///< in the narrowest hole, the section that can waste least
};
constexpr int kNumPivots = 4;

/// A complete search for a packing within a capacity. One object serves many
/// runs on one instance with different orders and limits.
class PackingSearch {
public:
  explicit PackingSearch(const Instance &instance);
  ~PackingSearch();

  /// `order` lists items, the ones to try first in front. `effort` bounds the
  /// steps taken and is lowered by those spent.
  SearchStatus run(int64_t capacity, const std::vector<int> &order, Pivot pivot,
                   int64_t &effort);

  /// The packing of the last run that found one.
  const Packing &packing() const;

private:
  class Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace tx::memory::detail

#endif // TX_LIB_MEMORY_PLACEMENTSEARCH_H
