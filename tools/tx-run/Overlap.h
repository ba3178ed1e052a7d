//===- Overlap.h - How much communication computation hides ---------------------------------------------*- C++ -*-===//

#ifndef TXRUN_OVERLAP_H
#define TXRUN_OVERLAP_H

#include "txrt/runtime.h"

#include <vector>

namespace txrun {

/// In seconds. Exposed is what collectives take while no other launch runs: the most that a step could gain if all of
/// them were hidden.
struct CommunicationTime {
  double total = 0, exposed = 0;
};

/// Of the launches of one entry, as its last timed run saw them.
CommunicationTime communicationTime(const std::vector<txrt_launch_info> &launches);

} // namespace txrun

#endif // TXRUN_OVERLAP_H
