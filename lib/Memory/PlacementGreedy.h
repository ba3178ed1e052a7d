//===- PlacementGreedy.h - one packing from one order ---------------------------------------------------*- C++ -*-===//

#ifndef TX_LIB_MEMORY_PLACEMENTGREEDY_H
#define TX_LIB_MEMORY_PLACEMENTGREEDY_H

#include "PlacementInstance.h"

namespace tx::memory::detail {

/// Packs from the bottom up: the lowest stretch of the skyline takes, of the items that fit between its walls, the one
/// of least rank; where none fits, the stretch rises to its lower wall. `order` lists items, first is best.
///
/// With `flatUnder`, an item that would stand out above the walls is taken only where leaving the hole empty would push
/// something above that height: long items can then lie across, and the short ones go on top of them.
Packing packSkyline(const Instance &instance, const std::vector<int> &order,
                    std::optional<int64_t> flatUnder = std::nullopt);

} // namespace tx::memory::detail

#endif // TX_LIB_MEMORY_PLACEMENTGREEDY_H
