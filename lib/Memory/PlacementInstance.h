//===- PlacementInstance.h - a placement problem made small ---------------------------------------------*- C++ -*-===//
//
// What greedy and search work on. Time is reduced to *sections*: the maximal sets of buffers alive together, in time
// order. Two buffers overlap in time exactly if they share a section, and the peak is reached in one, so nothing else
// of time matters. Buffers without bytes are left out.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_MEMORY_PLACEMENTINSTANCE_H
#define TX_LIB_MEMORY_PLACEMENTINSTANCE_H

#include "tx/Memory/Placement.h"

namespace tx::memory::detail {

struct Item {
  int lo, hi;   ///< half-open range of sections
  int64_t size; ///< aligned
  int64_t alignment;
  int buffer; ///< index in the caller's list
};

inline int64_t alignUp(int64_t value, int64_t alignment) {
  return alignment == 1 ? value : (value + alignment - 1) / alignment * alignment;
}

struct Instance {
  std::vector<Item> items;    ///< sorted by lo, then hi descending
  std::vector<int64_t> total; ///< bytes alive in each section
  int64_t lowerBound = 0;     ///< max of total
  int numSections() const { return static_cast<int>(total.size()); }
  int size() const { return static_cast<int>(items.size()); }
};

/// Reduces checked buffers to an instance.
Instance makeInstance(const std::vector<Buffer> &buffers);

/// Offsets by item, and the top of the highest one.
struct Packing {
  std::vector<int64_t> offsets;
  int64_t height = 0;
};

} // namespace tx::memory::detail

#endif // TX_LIB_MEMORY_PLACEMENTINSTANCE_H
