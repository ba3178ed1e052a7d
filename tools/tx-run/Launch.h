//===- Launch.h - tx-run --ranks: start the ranks of one machine ----------------------------------------*- C++ -*-===//

#ifndef TXRUN_LAUNCH_H
#define TXRUN_LAUNCH_H

#include "Error.h"

#include <string>
#include <vector>

namespace txrun {

/// The most ranks on one machine: each pair of them needs a socket.
constexpr int mostLocalRanks = 64;

/// Starts this program `ranks` times with these arguments, passes signals on to the ranks, and waits for them. Returns
/// 0 or the exit code of the rank that failed first. Prints an error for a rank that a signal has ended, and for one
/// that does not exit after another has failed.
txrt_status launchRanks(int ranks, const std::vector<std::string> &arguments);

} // namespace txrun

#endif // TXRUN_LAUNCH_H
