//===- Waits.h - What a launch has to wait for ----------------------------------------------------------*- C++ -*-===//
//
// The results of a step are those of its launches run in order. Launches of one lane run in order; those of different
// lanes may run side by side, as long as no launch touches bytes on which an earlier one still works. findWaits says
// which launches of other lanes have to be done before a launch begins:
//
//     0  compute      writes A
//     1  collectives  sums A          waits for 0
//     2  compute      writes B
//     3  compute      reads A         waits for 1
//     4  compute      writes A        for 1 too, but launch 3, of its own lane, has done so already
//
// What is done when a launch begins: the launches of its own lane before it, what it waits for, and all that was done
// when those began. So a launch waits for the last launch of another lane whose bytes it touches, unless that is done
// anyway.
//
//   EntryPeak placed = placeStorages(storages, ...);
//   std::vector<Waits> waits = findWaits(getLaunchBytes(entry, schedule, storages, placed));
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_PLAN_WAITS_H
#define TX_PLAN_WAITS_H

#include "tx/Plan/Peak.h"

#include <array>
#include <cstdint>
#include <vector>

namespace tx::plan {

/// Bytes [begin, end) of a segment of the arena that a launch reads or writes.
struct ByteRange {
  unsigned segment = 0;
  int64_t begin = 0, end = 0;
  bool isWritten = false;
};

struct LaunchBytes {
  Lane lane = Lane::Compute;
  std::vector<ByteRange> ranges;
};

/// What the launches of an entry touch, once it is known where its values lie. A launch without code touches nothing.
std::vector<LaunchBytes> getLaunchBytes(const Entry &entry, const Schedule &schedule, const Storages &storages,
                                        const EntryPeak &placed);

/// By lane: the launch of that lane that has to be done; -1: none. A launch never waits in its own lane.
using Waits = std::array<int, kLaneCount>;

/// The waits of each launch of an entry. Takes no time worth mentioning if all launches are of one lane.
std::vector<Waits> findWaits(const std::vector<LaunchBytes> &launches);

} // namespace tx::plan

#endif // TX_PLAN_WAITS_H
