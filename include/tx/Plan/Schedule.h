//===- Schedule.h - In which order a step's launches run, and what each computes ------------------------*- C++ -*-===//
//
//   Schedule schedule = makeSchedule(entry);  // decides: what becomes one kernel, and where it stands
//   Schedule schedule = readSchedule(entry);  // repeats what was decided: Op::group says it
//   for (const Launch &launch : schedule.launches)
//     ...                                     // in the order of the program
//
// A schedule changes memory traffic, lifetimes and time, never a value.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_PLAN_SCHEDULE_H
#define TX_PLAN_SCHEDULE_H

#include "tx/Plan/Step.h"

#include <vector>

namespace tx::plan {

/// What a device is asked for at once. A view is a launch without code, so that each op has exactly one launch.
struct Launch {
  Lane lane = Lane::Compute;
  Work work = Work::Other;
  int main = -1;            ///< of `ops`, the one that names the launch: the one with most work
  std::vector<int> ops;     ///< in the order in which they run; several only in a kernel
  std::vector<int> inputs;  ///< operands that no op of the launch computes, in the order of their first use
  std::vector<int> outputs; ///< results; of a kernel those that others need: ops outside of it, stores, the return

  bool isKernel() const { return work <= Work::Tile; }
};

struct Schedule {
  std::vector<Launch> launches; ///< in order
  int64_t looks = 0;            ///< how often an op was held against another or a group: linear in the number of ops
};

/// The number of distinct buffers that a kernel takes at most.
constexpr unsigned kMaxKernelBuffers = 14;

/// Decides the order of ops and what one kernel computes. Each op of the entry is in one launch, whatever Op::group
/// says.
Schedule makeSchedule(const Entry &entry, unsigned maxBuffers = kMaxKernelBuffers);

/// The launches of an entry as it stands: in program order; ops with equal Op::group are one launch.
Schedule readSchedule(const Entry &entry);

} // namespace tx::plan

#endif // TX_PLAN_SCHEDULE_H
