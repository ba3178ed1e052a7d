//===- PlacementSearch.h - packing under a capacity -----------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_PLAN_PLACEMENTSEARCH_H
#define TX_LIB_PLAN_PLACEMENTSEARCH_H

#include "PlacementInstance.h"

#include <memory>

namespace tx::plan::detail {

enum class SearchStatus {
  Found,        ///< a packing within the capacity was found
  Infeasible,   ///< proved that there is no packing within the capacity
  LimitReached, ///< gave up after the allowed effort
};

/// Which hole the search fills next, and with which section of the hole it begins: the section with the least slack or,
/// for the kinds that end in First, the leftmost one.
enum class Pivot {
  Nearest, ///< the hole that is reached by going downhill from the last choice
  NearestFirst,
  Lowest,
  LowestFirst,
  LeastSlack, ///< the hole that has the section with the least slack
  Narrowest,
};
constexpr int kNumPivots = 6;

/// Searches completely for a packing within a capacity (bytes). One object can run many times on its instance, with
/// different orders and limits.
class PackingSearch {
public:
  explicit PackingSearch(const Instance &instance);
  ~PackingSearch();

  /// `order` lists the items; those in front are tried first. `effort` is the most steps that the run may take; the run
  /// subtracts the steps that it took.
  SearchStatus run(int64_t capacity, const std::vector<int> &order, Pivot pivot, int64_t &effort);

  /// The packing that the last run with status Found has found.
  const Packing &packing() const;

private:
  class Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace tx::plan::detail

#endif // TX_LIB_PLAN_PLACEMENTSEARCH_H
