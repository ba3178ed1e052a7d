//===- RankWorld.h - tx-run as one rank of several ------------------------------------------------------*- C++ -*-===//

#ifndef TXRUN_RANKWORLD_H
#define TXRUN_RANKWORLD_H

#include "Error.h"
#include "train/Ranks.h"

#include <memory>

namespace txrun {

struct Options;

/// Connects the ranks that a launcher (mpirun, tx-run --ranks) has started; without a launcher it is one rank alone.
/// Throws if a rank does not join in time. The destructor waits for the other ranks, unless this rank is being ended by
/// an error that the others do not know of; then leaveRanks tells them.
class RankWorld {
public:
  explicit RankWorld(const Options &options);
  ~RankWorld();
  RankWorld(const RankWorld &) = delete;
  RankWorld &operator=(const RankWorld &) = delete;

  Ranks &ranks() { return *together; }

private:
  txrt_world *joined = nullptr; // null if there is one rank
  std::unique_ptr<Ranks> together;
};

/// Tells the other ranks of an error that only this rank has, and ends this process with its status. Returns if there
/// is only one rank.
void leaveRanks(txrt_status code, const std::string &why);

/// "rank 2 of 4: " for messages if there are several ranks; else empty.
std::string rankPrefix();

} // namespace txrun

#endif // TXRUN_RANKWORLD_H
