//===- Launch.h - tx-run --ranks: start the ranks of one machine ----------------------------------------*- C++ -*-===//

#ifndef TXRUN_LAUNCH_H
#define TXRUN_LAUNCH_H

#include "Error.h"

#include <string>
#include <vector>

namespace txrun {

/// Most ranks of one machine: there are sockets between all of them.
constexpr int mostLocalRanks = 64;

/// Starts this program `ranks` times with these arguments, passes signals on, and waits. Returns 0 or the exit code of
/// the rank that failed first. A rank that was killed, or does not leave after another has failed, is named.
txrt_status launchRanks(int ranks, const std::vector<std::string> &arguments);

} // namespace txrun

#endif // TXRUN_LAUNCH_H
