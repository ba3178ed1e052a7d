//===- Peak.h - How many bytes a step takes -------------------------------------------------------------*- C++ -*-===//
//
//   Peak peak = computePeak(step, schedules);
//   peak.getBytes()                               // what the runtime allocates: peak_bytes of a report
//   step.entries[peak.largest].name               // the entry that needs them
//
// The arena holds three segments: state, the arguments of an entry, and what lives for a part of an entry only. All
// entries share them, so each segment is as long as the entry needs that needs most. There is no second estimate:
// tx-place-memory gives the addresses that these functions choose.
//
// A planner that tries many plans asks for live bytes alone: no placement needs less, and most need no more.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_PLAN_PEAK_H
#define TX_PLAN_PEAK_H

#include "tx/Plan/Placement.h"
#include "tx/Plan/Storage.h"

namespace tx::plan {

/// What the lengths of segments are rounded up to: segments follow each other, and scratch, which is in the last one,
/// is aligned in the whole arena.
int64_t getSegmentAlignment(const Step &step);

/// The bytes of the persistent segment.
int64_t getPersistentBytes(const Step &step, const StateLayout &layout);

/// The storages of the transient segment, in their order, as buffers to be placed.
std::vector<Buffer> getBuffers(const Storages &storages);

/// The bytes of the argument segment.
int64_t getArgumentBytes(const Storages &storages, int64_t segmentAlignment);

/// The most bytes of the transient segment that are alive at one time, sizes rounded up to alignments.
int64_t getLiveBytes(const Storages &storages);

/// Where an entry's storages lie.
struct EntryPeak {
  int64_t argumentBytes = 0;
  int64_t transientBytes = 0;  ///< as placed
  int64_t liveBytes = 0;       ///< no placement of the transient segment has fewer
  std::vector<int64_t> starts; ///< by storage: bytes from the start of its segment
};

/// Places the storages of an entry; they must have no fault.
EntryPeak placeStorages(const Storages &storages, int64_t segmentAlignment, const PlacementOptions &options = {});

/// What is wrong with the places of the transient segment, if anything: see Placement.h.
std::optional<std::string> verifyPlacement(const Storages &storages, const EntryPeak &peak);

/// The whole arena.
struct Peak {
  int64_t persistentBytes = 0, argumentBytes = 0, transientBytes = 0;
  std::vector<EntryPeak> entries;
  int largest = -1; ///< the entry with the longest transient segment, the first of several; -1: there is no entry
  std::optional<StorageFault> fault;

  int64_t getBytes() const { return persistentBytes + argumentBytes + transientBytes; }
};

/// Places all entries of a step; `schedules` has one for each.
Peak computePeak(const Step &step, const std::vector<Schedule> &schedules, const PlacementOptions &options = {});

/// The same without a placement: transient bytes are the live bytes, which is a lower bound, and nothing has a start.
Peak computeLeastPeak(const Step &step, const std::vector<Schedule> &schedules);

/// A storage that is alive where live bytes are most.
struct LiveStorage {
  int storage = -1;
  int value = -1;    ///< one that lies there: the whole, as it is at that time; -1: a library's scratch
  int64_t bytes = 0; ///< rounded up to the alignment
};

struct LivePoint {
  int launch = -1; ///< the first at which live bytes are most; -1: nothing is ever alive
  int64_t bytes = 0;
  std::vector<LiveStorage> storages; ///< largest first
};

/// What holds an entry's peak up, for explanations.
LivePoint findPeakPoint(const Entry &entry, const Schedule &schedule, const Storages &storages);

} // namespace tx::plan

#endif // TX_PLAN_PEAK_H
