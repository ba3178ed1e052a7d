//===- Ranks.h - The processes that run one step together -----------------------------------------------*- C++ -*-===//
//
// Every rank runs the same program on its own rows of the global batch. What may go another way on one of them (a file,
// a signal) is agreed on, so that all stay in step and leave together, with one message:
//
//   Ranks ranks(world);
//   ranks.together([&] { file.emplace(path); });
//   while (!ranks.interrupted()) ...
//
// With one rank nothing of it costs anything.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_TRAIN_RANKS_H
#define TXRT_TRAIN_RANKS_H

#include "core/Failure.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace txrt::train {

/// A failure that all ranks know of: each throws it, with the same status and message.
class AgreedFailure : public Failure {
  using Failure::Failure;
};

class Ranks {
public:
  /// One rank, which nobody interrupts.
  Ranks() = default;
  /// The ranks of a world, which must outlive this; one rank for a null one. `interruption` says whether somebody wants
  /// this process to stop; may be null.
  explicit Ranks(txrt_world *world, std::function<bool()> interruption = nullptr);
  Ranks(const Ranks &) = delete;
  Ranks &operator=(const Ranks &) = delete;

  int rank() const { return number; }
  int size() const { return count; }
  /// Whether this rank is the one that prints and writes files.
  bool isFirst() const { return number == 0; }
  /// Null for one rank.
  txrt_world *world() const { return joined; }

  /// Does the work on every rank. If it throws on any, all throw the error of the first such rank: rank 0 its own, if
  /// it is the one, all others an AgreedFailure.
  void together(const std::function<void()> &work);
  /// Whether somebody wants any of them to stop: all get the same answer.
  bool interrupted();
  /// Whether it is true on any of them.
  bool any(bool mine);

  /// (name, value), for example ("artifact's digest", "9f2c...").
  using Field = std::pair<std::string, std::string>;
  /// Throws on all ranks, with the field's name, when one has another value than the first rank, or none.
  void requireSame(const std::vector<Field> &fields);

  /// Whether they have agreed on a failure: all are on their way out.
  bool haveAgreed() const { return hasAgreed; }

private:
  std::vector<std::string> gather(const std::string &mine, const char *what);
  [[noreturn]] void failOnAll(txrt_status code, const std::string &message);

  txrt_world *joined = nullptr;
  int number = 0, count = 1;
  std::function<bool()> interruption;
  bool hasAgreed = false;
};

} // namespace txrt::train

#endif // TXRT_TRAIN_RANKS_H
