#include "comm/socket/Launchers.h"
#include "comm/Environment.h"
#include "core/Failure.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace txrt;

static std::string variable(const char *name) {
  const char *text = getenv(name);
  return text ? text : "";
}

/// Whether srun has started this process as a task of a step. A job's own script has the job's variables too, but is no
/// task.
static bool isSrun() {
  return getenv("SLURM_PROCID") && ranksFromEnvironment("SLURM_NTASKS") &&
         (!getenv("SLURM_JOB_ID") || getenv("SLURM_STEP_ID"));
}

// The variables that torchrun always sets.
static const char *const ofTorchrun[] = {"RANK", "WORLD_SIZE", "MASTER_ADDR"};

/// Whether torchrun has started this process. A single one of its variables may be there for another reason; two of
/// them must come from a launcher. If the third is missing, readTcpLaunch fails: otherwise every rank would run alone
/// and do the work of all.
static bool isTorchrun() {
  int found = 0;
  for (const char *name : ofTorchrun)
    found += !variable(name).empty();
  return found == 3 || (found == 2 && !variable("RANK").empty() && !isSrun());
}

int txrt::launchedOverTcp() {
  // If torchrun has not set WORLD_SIZE, return more than one, so that readTcpLaunch is called and reports it.
  const int launched = ranksFromEnvironment("WORLD_SIZE");
  if (isTorchrun())
    return launched > 0 ? launched : 2;
  return isSrun() ? ranksFromEnvironment("SLURM_NTASKS") : 0;
}

std::string txrt::firstHost(const std::string &list) {
  const size_t open = list.find('['), comma = list.find(',');
  if (open == std::string::npos || comma < open)
    return list.substr(0, comma);
  // The first number of the first range, with its leading zeros.
  const size_t end = list.find_first_of("-,]", open);
  const size_t close = list.find(']', open);
  if (end == std::string::npos || close == std::string::npos)
    return "";
  const size_t after = std::min(list.find(',', close), list.size());
  return list.substr(0, open) + list.substr(open + 1, end - open - 1) + list.substr(close + 1, after - close - 1);
}

static TcpLaunch readTorchrun() {
  TcpLaunch launch;
  launch.launcher = "torchrun";
  Rendezvous &meeting = launch.meeting;
  for (const char *name : ofTorchrun)
    if (variable(name).empty())
      fail(TXRT_USAGE,
           "the environment has RANK=%s, and no %s: torchrun sets RANK, "
           "WORLD_SIZE and MASTER_ADDR; unset RANK to run alone",
           printable(variable("RANK")).c_str(), name);
  meeting.ranks = static_cast<int>(numberFromEnvironment("WORLD_SIZE", 1, 1 << 20, 1));
  meeting.rank = static_cast<int>(numberFromEnvironment("RANK", 0, meeting.ranks - 1, 0));
  meeting.host = variable("MASTER_ADDR");
  const bool isTaken = variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
  meeting.port = static_cast<uint16_t>(numberFromEnvironment("MASTER_PORT", 1, 65534, 29500) + isTaken);
  meeting.run = variable("TORCHELASTIC_RUN_ID");
  launch.localRanks = static_cast<int>(numberFromEnvironment("LOCAL_WORLD_SIZE", 1, meeting.ranks, 1));
  launch.localRank = static_cast<int>(numberFromEnvironment("LOCAL_RANK", 0, meeting.ranks - 1, 0));
  return launch;
}

static TcpLaunch readSrun() {
  TcpLaunch launch;
  launch.launcher = "SLURM";
  Rendezvous &meeting = launch.meeting;
  meeting.ranks = ranksFromEnvironment("SLURM_NTASKS");
  meeting.rank = static_cast<int>(numberFromEnvironment("SLURM_PROCID", 0, meeting.ranks - 1, 0));
  for (const char *name : {"MASTER_ADDR", "SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST"})
    if (meeting.host.empty())
      meeting.host = firstHost(variable(name));
  if (meeting.host.empty())
    fail(TXRT_USAGE,
         "rank %d of %d: the environment names no node: SLURM_STEP_NODELIST "
         "or MASTER_ADDR must",
         meeting.rank, meeting.ranks);
  // Ports that programs may choose, outside of the range from which systems give out ports.
  constexpr int64_t lowest = 20000, span = 12000;
  const int64_t job = numberFromEnvironment("SLURM_JOB_ID", 0, INT64_MAX, 0);
  const int64_t step = numberFromEnvironment("SLURM_STEP_ID", 0, INT64_MAX, 0);
  meeting.port =
      static_cast<uint16_t>(numberFromEnvironment("MASTER_PORT", 1, 65535, lowest + (job % span + step % span) % span));
  meeting.run = variable("SLURM_JOB_ID") + "." + variable("SLURM_STEP_ID");
  // "4(x2),3" does not tell how many tasks this node has; take the first number.
  const std::string tasks = variable("SLURM_STEP_TASKS_PER_NODE");
  launch.localRanks = std::max(1, atoi(tasks.c_str()));
  launch.localRank = static_cast<int>(numberFromEnvironment("SLURM_LOCALID", 0, meeting.ranks - 1, 0));
  return launch;
}

TcpLaunch txrt::readTcpLaunch() { return isTorchrun() ? readTorchrun() : readSrun(); }
