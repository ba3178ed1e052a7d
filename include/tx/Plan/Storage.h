//===- Storage.h - Which values share bytes, and for how long -------------------------------------------*- C++ -*-===//
//
// A storage is a piece of memory with one lifetime. Each value that reaches memory lies in a storage. Most values have
// their own; accumulators, views and in-place results share one with other values. All state together is one storage,
// since all of it lives from start to end; byte offsets tell its parts apart.
//
//   StateLayout layout = StateLayout::compute(step);
//   Schedule schedule = makeSchedule(entry, maxBuffers);
//   Storages storages = computeStorages(step, entry, schedule, layout);
//
// Time counts launches: launch number 7 runs at time 7.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_PLAN_STORAGE_H
#define TX_PLAN_STORAGE_H

#include "tx/Plan/Schedule.h"

#include "txrt/abi.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tx::plan {

/// Why values cannot lie as they would have to; who reads the IR says it where `op`, `store` or `value` stands.
struct StorageFault {
  int entry = -1;
  int op = -1;    ///< -1: it is no op's
  int store = -1; ///< the number of a store of the entry
  int value = -1; ///< a value that nobody computes
  std::string text;
};

/// Where state lies. It lives from the first step to the last, so its places follow from an order and need no search:
///
///   | parameters | gradients | moments | masters |      roles in their order
///
/// Within a role, state that an op takes as one row (View::packsState) lies side by side in the row's order; the rest
/// lies in the order of the module.
struct StateLayout {
  std::vector<int64_t> offsets; ///< by state: bytes from the start of the persistent segment
  int64_t bytes = 0;            ///< of all state, with padding
  std::optional<StorageFault> fault;

  /// Finds a fault in an op that takes a row of values that are not state, or of state that another op takes in another
  /// order.
  static StateLayout compute(const Step &step);
};

/// A part of the arena. Only the transient one is placed by lifetime.
enum class MemorySegment { Persistent, Argument, Transient };

struct Storage {
  MemorySegment segment = MemorySegment::Transient;
  int64_t bytes = 0;
  int64_t alignment = TXRT_BUFFER_ALIGNMENT;
  int64_t lower = 0; ///< the first launch that writes the storage
  int64_t upper = 0; ///< one behind the last launch that uses it
};

/// Where a value lies in its storage: the offset of its first element in bytes, and the distance of its rows in
/// elements (0: rows follow each other).
struct Place {
  int storage = -1; ///< -1: the value never reaches memory
  int64_t byteOffset = 0;
  int64_t rowStride = 0;

  bool operator==(const Place &other) const {
    return storage == other.storage && byteOffset == other.byteOffset && rowStride == other.rowStride;
  }
};

struct Storages {
  std::vector<Storage> storages; ///< the first one is that of all state
  std::vector<Place> places;     ///< by value
  std::vector<int> scratch;      ///< by launch: the storage that its library call may fill; -1: none
  std::optional<StorageFault> fault;
};

/// Finds a fault in an op whose values cannot lie as it needs them: parts of a concat that lie elsewhere, a store of a
/// value that was not computed in its state's place, an op that no launch can run.
Storages computeStorages(const Step &step, const Entry &entry, const Schedule &schedule, const StateLayout &layout);

/// The operand of the value's op whose bytes the value overwrites and continues; -1: none.
int getTiedOperand(const Entry &entry, int value);

/// The state in whose bytes the value lies: the value was loaded from it, or continues the loaded value in place; -1:
/// none.
int findState(const Entry &entry, int value);

} // namespace tx::plan

#endif // TX_PLAN_STORAGE_H
