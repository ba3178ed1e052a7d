//===- RankWorld.h - tx-run as one rank of several ------------------------------------------------------*- C++ -*-===//

#ifndef TXRUN_RANKWORLD_H
#define TXRUN_RANKWORLD_H

#include "Error.h"
#include "train/Ranks.h"

#include <memory>

namespace txrun {

struct Options;

/// Joins the ranks that a launcher has started (mpirun, tx-run --ranks), or is one rank. Throws when one of them does
/// not come. At its end waits for the others, unless an error of this rank alone is on its way: then leaveRanks tells
/// them.
class RankWorld {
public:
  explicit RankWorld(const Options &options);
  ~RankWorld();
  RankWorld(const RankWorld &) = delete;
  RankWorld &operator=(const RankWorld &) = delete;

  Ranks &ranks() { return *together; }

private:
  txrt_world *joined = nullptr; // null for one rank
  std::unique_ptr<Ranks> together;
};

/// Ends this process with an error that the other ranks do not know of, and tells them. Returns if there is only one
/// rank.
void leaveRanks(txrt_status code, const std::string &why);

/// "rank 2 of 4: " for messages of one of several; else empty.
std::string rankPrefix();

} // namespace txrun

#endif // TXRUN_RANKWORLD_H
