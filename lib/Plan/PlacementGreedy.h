//===- PlacementGreedy.h - one packing from one order ---------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_PLAN_PLACEMENTGREEDY_H
#define TX_LIB_PLAN_PLACEMENTGREEDY_H

#include "PlacementInstance.h"

namespace tx::plan::detail {

/// Packs from the bottom up. The lowest stretch of the skyline takes an item that fits between its walls: of several,
/// the one that stands first in `order`. If none fits, the stretch rises to its lower wall.
///
/// With `flatUnder`, an item that would be higher than the lower wall is taken only if an empty hole would push other
/// items above the height `flatUnder`. Else the hole stays empty, so that long items can lie across it and short ones
/// on top of them.
Packing packSkyline(const Instance &instance, const std::vector<int> &order,
                    std::optional<int64_t> flatUnder = std::nullopt);

} // namespace tx::plan::detail

#endif // TX_LIB_PLAN_PLACEMENTGREEDY_H
