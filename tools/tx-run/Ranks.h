//===- Ranks.h - The processes that run one step together -----------------------------------------------*- C++ -*-===//
//
// Every rank runs the same program on its own rows of the global batch. What may go another way on one of them (a file,
// a signal) is agreed on, so that all stay in step and leave together, with one message:
//
//   Ranks ranks(options);
//   ranks.together([&] { log.open(path); });
//   while (!ranks.interrupted()) ...
//
// With one rank nothing of it costs anything.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_RANKS_H
#define TXRUN_RANKS_H

#include "Error.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace txrun {

struct Options;

class Ranks {
public:
  /// One rank.
  Ranks() = default;
  static Ranks &alone();
  /// Joins those that a launcher has started (mpirun, tx-run --ranks), or is one rank. Throws when one of them does not
  /// come.
  explicit Ranks(const Options &options);
  /// Waits for the others, unless an error of this rank alone is on its way:
  /// then leaveRanks tells them.
  ~Ranks();
  Ranks(const Ranks &) = delete;
  Ranks &operator=(const Ranks &) = delete;

  int rank() const { return number; }
  int size() const { return count; }
  /// Whether this rank is the one that prints and writes files.
  bool isFirst() const { return number == 0; }
  /// Null for one rank.
  txrt_world *world() const { return joined; }

  /// Does the work on every rank. If it throws on any, all throw the error of the first such rank, and one prints it.
  void together(const std::function<void()> &work);
  /// Whether a signal asked any of them to stop: all get the same answer.
  bool interrupted();
  /// Whether it is true on any of them.
  bool any(bool mine);

  /// (name, value), for example ("artifact's digest", "9f2c...").
  using Field = std::pair<std::string, std::string>;
  /// Throws on all ranks, with the field's name, when one has another value than the first rank, or none.
  void requireSame(const std::vector<Field> &fields);

private:
  std::vector<std::string> gather(const std::string &mine, const char *what);
  [[noreturn]] void failOnAll(ExitCode code, const std::string &message);

  txrt_world *joined = nullptr;
  int number = 0, count = 1;
  bool hasAgreed = false; // on an error: all ranks are on their way out
};

/// Ends this process with an error that the other ranks do not know of, and tells them. Returns if there is only one
/// rank.
void leaveRanks(ExitCode code, const std::string &why);

/// "rank 2 of 4: " for messages of one of several; else empty.
std::string rankPrefix();

} // namespace txrun

#endif // TXRUN_RANKS_H
