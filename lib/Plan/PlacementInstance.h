//===- PlacementInstance.h - a placement problem made small ---------------------------------------------*- C++ -*-===//
//
// The greedy packing and the search work on an Instance. It reduces time to *sections*: the maximal sets of buffers
// that are alive together, in time order. Two buffers overlap in time exactly if they share a section, and the peak is
// reached in a section, so no other points of time matter. Buffers of 0 bytes are left out.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_PLAN_PLACEMENTINSTANCE_H
#define TX_LIB_PLAN_PLACEMENTINSTANCE_H

#include "tx/Plan/Placement.h"

namespace tx::plan::detail {

struct Item {
  int lo, hi;   ///< half-open range of sections
  int64_t size; ///< bytes, rounded up to the alignment
  int64_t alignment;
  int buffer; ///< index in the caller's list
};

inline int64_t alignUp(int64_t value, int64_t alignment) {
  return alignment == 1 ? value : (value + alignment - 1) / alignment * alignment;
}

struct Instance {
  std::vector<Item> items;    ///< sorted by lo, then hi descending
  std::vector<int64_t> total; ///< bytes alive in each section
  int64_t lowerBound = 0;     ///< the largest number in `total`
  int numSections() const { return static_cast<int>(total.size()); }
  int size() const { return static_cast<int>(items.size()); }
};

/// Reduces buffers to an instance. They must have passed verifyBuffers.
Instance makeInstance(const std::vector<Buffer> &buffers);

/// The offset of each item, and the top of the highest item, in bytes.
struct Packing {
  std::vector<int64_t> offsets;
  int64_t height = 0;
};

} // namespace tx::plan::detail

#endif // TX_LIB_PLAN_PLACEMENTINSTANCE_H
