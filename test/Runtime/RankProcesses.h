//===- RankProcesses.h - Several ranks as processes -----------------------------------------------------*- C++ -*-===//

#ifndef TEST_RUNTIME_RANKPROCESSES_H
#define TEST_RUNTIME_RANKPROCESSES_H

#include "comm/World.h"
#include "comm/socket/SocketTransport.h"
#include "core/Failure.h"

#include <functional>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern "C" {
extern const txrt_transport txrt_local_transport;
}

/// Runs `work` in `ranks` processes, each with a world over socket pairs. Gives what each returned or threw, empty for
/// nothing. A fake GPU is a process's own, so the caller must not have used one.
inline std::vector<std::string> runRankProcesses(int ranks, const std::function<std::string(txrt_world &)> &work,
                                                 double timeoutSeconds = 10) {
  std::vector<std::vector<int>> sockets(ranks, std::vector<int>(ranks, -1));
  for (int i = 0; i < ranks; ++i)
    for (int j = i + 1; j < ranks; ++j) {
      int ends[2];
      if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
        return {"no sockets"};
      sockets[i][j] = ends[0];
      sockets[j][i] = ends[1];
    }
  std::vector<int> answers;
  std::vector<pid_t> children;
  for (int rank = 0; rank < ranks; ++rank) {
    int ends[2];
    if (pipe(ends))
      return {"no pipes"};
    const pid_t child = fork();
    if (child != 0) {
      ::close(ends[1]);
      answers.push_back(ends[0]);
      children.push_back(child);
      continue;
    }
    // The others' ends are theirs alone: one that dies is noticed.
    for (int other = 0; other < ranks; ++other)
      for (int peer = 0; peer < ranks && other != rank; ++peer)
        if (peer != other)
          ::close(sockets[other][peer]);
    auto *state = new txrt::SocketRanks{{rank, sockets[rank], timeoutSeconds, "test"}, ranks, rank};
    std::string answer;
    txrt_error error = {};
    if (txrt::guarded(&error, [&] {
          txrt_world world(txrt_local_transport, state);
          try {
            answer = work(world);
          } catch (...) {
            txrt::statusOfException(&error);
            state->sockets.sayFarewell(error.code, error.message);
            world.transport = nullptr;
            throw;
          }
        }))
      answer = error.message;
    (void)!::write(ends[1], answer.data(), answer.size());
    _exit(0);
  }
  for (const std::vector<int> &row : sockets)
    for (int socket : row)
      if (socket >= 0)
        ::close(socket);
  std::vector<std::string> texts;
  for (int rank = 0; rank < ranks; ++rank) {
    std::string text;
    char part[512];
    for (ssize_t n; (n = ::read(answers[rank], part, sizeof part)) > 0;)
      text.append(part, static_cast<size_t>(n));
    ::close(answers[rank]);
    int status = 0;
    ::waitpid(children[rank], &status, 0);
    if (status != 0)
      text += "(ended with status " + std::to_string(status) + ")";
    texts.push_back(text);
  }
  return texts;
}

#endif // TEST_RUNTIME_RANKPROCESSES_H
