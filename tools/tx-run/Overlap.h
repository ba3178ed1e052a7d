//===- Overlap.h - How much communication computation hides ---------------------------------------------*- C++ -*-===//

#ifndef TXRUN_OVERLAP_H
#define TXRUN_OVERLAP_H

#include "txrt/runtime.h"

#include <vector>

namespace txrun {

/// Seconds that collectives take. `exposed` is the part during which no other launch runs: a step could gain at most
/// this if all collectives were hidden behind computation.
struct CommunicationTime {
  double total = 0, exposed = 0;
};

/// Computes the times for the launches of one entry, from its last timed run.
CommunicationTime communicationTime(const std::vector<txrt_launch_info> &launches);

} // namespace txrun

#endif // TXRUN_OVERLAP_H
