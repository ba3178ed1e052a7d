//===- Launch.cpp - tx-run --ranks: start the ranks of one machine ------------------------------------------------===//

#include "Launch.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace txrun {

namespace {

using Clock = std::chrono::steady_clock;

// Seconds that ranks have to exit after one of them has failed. They notice the failure themselves, unless one is
// stuck.
constexpr double secondsToLeave = 5.0;

class Launcher {
public:
  Launcher(int ranks, const std::vector<std::string> &arguments);
  txrt_status run();

private:
  struct Rank {
    pid_t process = 0; // 0: the rank has ended
  };

  void connect();
  void start(int rank);
  [[noreturn]] void becomeRank(int rank, char **environment, char **arguments);
  void handle(int signal);
  void collect();
  void fail(int code);
  void signalAll(int signal);
  bool anyLeft() const;

  const int count;
  std::vector<std::string> arguments;
  std::vector<Rank> ranks;
  std::vector<std::vector<int>> sockets; // [i][j]: rank i's end to rank j
  sigset_t watched, before;
  pid_t self = ::getpid();
  int result = 0;
  bool hasFailed = false, isKilling = false;
  Clock::time_point failedAt;
};

Launcher::Launcher(int ranks, const std::vector<std::string> &arguments)
    : count(ranks), arguments(arguments), ranks(static_cast<size_t>(ranks)) {
  // Each pair of ranks has a socket with two ends; 64 more descriptors are for everything else that is open.
  const auto wanted = static_cast<rlim_t>(ranks * (ranks - 1) + 64);
  struct rlimit limit;
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < wanted) {
    limit.rlim_cur = std::min(wanted, limit.rlim_max);
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
  }
  sigemptyset(&watched);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCHLD}) {
    struct sigaction action = {};
    ::sigaction(signal, nullptr, &action);
    if (signal != SIGHUP || action.sa_handler != SIG_IGN) // nohup makes SIGHUP ignored: leave it so
      sigaddset(&watched, signal);
  }
  ::sigprocmask(SIG_BLOCK, &watched, &before);
}

void Launcher::connect() {
  sockets.assign(static_cast<size_t>(count), std::vector<int>(static_cast<size_t>(count), -1));
  for (int i = 0; i < count; ++i)
    for (int j = i + 1; j < count; ++j) {
      int ends[2];
      if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        txrun::fail(TXRT_USAGE, "--ranks %d: no more sockets: %s", count, std::strerror(errno));
      sockets[i][j] = ends[0];
      sockets[j][i] = ends[1];
    }
}

void Launcher::becomeRank(int rank, char **environment, char **argument) {
  // The kernel kills a rank when the launcher ends, for whatever reason. A rank has its own process group, so that a
  // terminal sends signals only to the launcher, which passes each one on once.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != self)
    ::_exit(TXRT_PEER);
  ::setpgid(0, 0);
  ::sigprocmask(SIG_SETMASK, &before, nullptr);
  for (int descriptor : sockets[rank])
    if (descriptor >= 0)
      ::fcntl(descriptor, F_SETFD, 0);
  ::execve("/proc/self/exe", argument, environment);
  ::_exit(TXRT_USAGE);
}

void Launcher::start(int rank) {
  std::string list;
  for (int descriptor : sockets[rank])
    list += (list.empty() ? "" : ",") + (descriptor < 0 ? "-" : std::to_string(descriptor));
  std::vector<std::string> own = {format("TXRT_LOCAL_RANK=%d", rank), format("TXRT_LOCAL_RANKS=%d", count),
                                  "TXRT_LOCAL_SOCKETS=" + list};
  std::vector<char *> environment, argument;
  for (char **variable = environ; *variable; ++variable)
    if (std::strncmp(*variable, "TXRT_LOCAL_", 11) != 0)
      environment.push_back(*variable);
  for (std::string &variable : own)
    environment.push_back(&variable[0]);
  environment.push_back(nullptr);
  std::string program = "tx-run";
  argument.push_back(&program[0]);
  for (std::string &text : arguments)
    argument.push_back(&text[0]);
  argument.push_back(nullptr);
  const pid_t process = ::fork();
  if (process < 0) {
    const int reason = errno;
    signalAll(SIGKILL);
    txrun::fail(TXRT_USAGE, "rank %d of %d cannot be started: %s", rank, count, std::strerror(reason));
  }
  if (process == 0)
    becomeRank(rank, environment.data(), argument.data());
  ::setpgid(process, process);
  ranks[rank].process = process;
}

void Launcher::signalAll(int signal) {
  for (const Rank &rank : ranks)
    if (rank.process > 0)
      ::kill(rank.process, signal);
}

bool Launcher::anyLeft() const {
  return std::any_of(ranks.begin(), ranks.end(), [](const Rank &rank) { return rank.process > 0; });
}

/// A rank's own error is the launcher's exit code; a code TXRT_PEER, by which other ranks report it, does not replace
/// it.
void Launcher::fail(int code) {
  if (!hasFailed)
    failedAt = Clock::now();
  hasFailed = true;
  if (result == 0 || result == TXRT_PEER)
    result = code;
}

void Launcher::collect() {
  int status;
  for (pid_t process; (process = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    auto found = std::find_if(ranks.begin(), ranks.end(), [&](const Rank &r) { return r.process == process; });
    if (found == ranks.end())
      continue;
    found->process = 0;
    const auto rank = static_cast<int>(found - ranks.begin());
    if (WIFEXITED(status) && WEXITSTATUS(status) != 0)
      fail(WEXITSTATUS(status));
    if (!WIFSIGNALED(status))
      continue;
    if (!isKilling)
      std::fprintf(stderr,
                   "tx-run: error: rank %d of %d was ended by signal "
                   "%d (%s)\n",
                   rank, count, WTERMSIG(status), strsignal(WTERMSIG(status)));
    fail(TXRT_PEER);
  }
}

void Launcher::handle(int signal) {
  if (signal == SIGCHLD)
    return collect();
  if (signal == SIGTSTP) {
    signalAll(SIGSTOP);
    ::kill(self, SIGSTOP); // stops here until the shell continues the launcher
    signalAll(SIGCONT);
    return;
  }
  // When the terminal has gone, the run ends as by Ctrl-C: it finishes its iteration.
  signalAll(signal == SIGHUP ? SIGTERM : signal);
}

txrt_status Launcher::run() {
  connect();
  for (int rank = 0; rank < count; ++rank)
    start(rank);
  // Closes the launcher's copies of the sockets. So when a rank ends, its peers see their sockets closed.
  for (const std::vector<int> &row : sockets)
    for (int descriptor : row)
      if (descriptor >= 0)
        ::close(descriptor);
  while (anyLeft()) {
    const timespec pause = {0, 100000000};
    const int signal = ::sigtimedwait(&watched, nullptr, &pause);
    if (signal > 0)
      handle(signal);
    const double seconds = hasFailed ? std::chrono::duration<double>(Clock::now() - failedAt).count() : 0;
    if (isKilling || seconds < secondsToLeave)
      continue;
    isKilling = true;
    for (int rank = 0; rank < count; ++rank)
      if (ranks[rank].process > 0)
        std::fprintf(stderr,
                     "tx-run: error: rank %d of %d did not leave within %.0f s "
                     "after another had failed: killed\n",
                     rank, count, secondsToLeave);
    signalAll(SIGKILL);
  }
  return static_cast<txrt_status>(result);
}

} // namespace

txrt_status launchRanks(int ranks, const std::vector<std::string> &arguments) {
  return Launcher(ranks, arguments).run();
}

} // namespace txrun
