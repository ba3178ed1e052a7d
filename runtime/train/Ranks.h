//===- Ranks.h - The processes that run one step together -----------------------------------------------*- C++ -*-===//
//
// Every rank runs the same program on its own rows of the global batch. Something may happen on one rank only: it
// cannot read a file, or it gets a signal. Then the ranks agree on what to do, so that they stay in step or leave
// together, with one message:
//
//   Ranks ranks(world);
//   ranks.together([&] { file.emplace(path); });
//   while (!ranks.interrupted()) ...
//
// With one rank none of these calls communicates.
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

/// A failure that all ranks know of: every rank throws it, with the same status and message.
class AgreedFailure : public Failure {
  using Failure::Failure;
};

class Ranks {
public:
  /// One rank, which nobody interrupts.
  Ranks() = default;
  /// The ranks of `world`, which must outlive this object; null: one rank. `interruption` returns true when somebody
  /// wants this process to stop; may be null.
  explicit Ranks(txrt_world *world, std::function<bool()> interruption = nullptr);
  Ranks(const Ranks &) = delete;
  Ranks &operator=(const Ranks &) = delete;

  int rank() const { return number; }
  int size() const { return count; }
  /// Whether this rank is the one that prints and writes files.
  bool isFirst() const { return number == 0; }
  /// Null for one rank.
  txrt_world *world() const { return joined; }

  /// Every rank calls it and does `work`. If `work` throws on some ranks, all ranks throw the error of the lowest of
  /// these: rank 0 rethrows its own error, if it is the lowest; all others throw an AgreedFailure.
  void together(const std::function<void()> &work);
  /// Whether somebody wants one of the ranks to stop. All ranks get the same answer.
  bool interrupted();
  /// Whether `mine` is true on at least one rank. All ranks get the same answer.
  bool any(bool mine);

  /// (name, value), for example ("artifact's digest", "9f2c...").
  using Field = std::pair<std::string, std::string>;
  /// Throws on all ranks, with the field's name, if a rank has another value than rank 0 for a field, or lacks it.
  void requireSame(const std::vector<Field> &fields);

  /// Whether the ranks have agreed on a failure: then all of them are leaving.
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
