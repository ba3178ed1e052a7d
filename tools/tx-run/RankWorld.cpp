//===- RankWorld.cpp - tx-run as one rank of several --------------------------------------------------------------===//

#include "RankWorld.h"
#include "Interrupt.h"
#include "Options.h"

#include <exception>

namespace txrun {

/// The world that leaveRanks leaves in case of an error.
static txrt_world *current = nullptr;

void leaveRanks(txrt_status code, const std::string &why) {
  if (current)
    txrt_world_abort(current, code, why.c_str());
}

std::string rankPrefix() {
  return current ? format("rank %d of %d: ", txrt_world_rank(current), txrt_world_size(current)) : "";
}

RankWorld::RankWorld(const Options &options) {
  const int launched = txrt_world_launched_ranks();
  if (launched > 0 && options.ranks > 0 && options.ranks != launched)
    fail(TXRT_USAGE, "--ranks %lld, and the launcher has started %d: give one of the two", (long long)options.ranks,
         launched);
  if (launched > 1) {
    txrt_world_options world = {};
    world.timeout_seconds = options.timeoutMinutes * 60;
    world.stopping = [] { return int(terminated()); };
    world.interrupted = [] { return int(interrupted()); };
    txrt_error error;
    check(txrt_world_create(&world, &joined, &error), error);
    current = joined;
  }
  together = std::make_unique<Ranks>(joined, interrupted);
}

RankWorld::~RankWorld() {
  if (!joined || (std::uncaught_exceptions() > 0 && !together->haveAgreed()))
    return;
  current = nullptr;
  txrt_world_destroy(joined);
}

} // namespace txrun
