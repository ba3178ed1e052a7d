//===- Positions.h - Where each rank is, for messages ---------------------------------------------------*- C++ -*-===//
//
// A rank that has waited too long asks the others where they are, and those that wait, too, answer. What comes out is
// which ranks are at the same operation, which one is elsewhere, and which does not answer.
//
// An operation of a program has a number behind its name, that of collectives so far: all ranks count alike, so the
// name alone need not be unique.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_COMM_POSITIONS_H
#define TXRT_COMM_POSITIONS_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace txrt {

/// What a rank says, or asks with, on the wire.
struct PositionMessage {
  static constexpr size_t nameBytes = 119;
  uint8_t asks = 0; // for an answer
  char name[nameBytes] = {};

  PositionMessage() = default;
  PositionMessage(bool asks, const char *what);
};

/// An operation's name with its number, without an allocation.
struct OperationName {
  char text[PositionMessage::nameBytes] = {};
  /// "h.0.mlp:all_reduce #14"; a name that is too long loses its middle.
  const char *set(const char *name, uint64_t number);
};

class Positions {
public:
  Positions(int self, int ranks) : self(self), names(static_cast<size_t>(ranks)) {}

  /// An operation begins: what was heard before is of another.
  void clear();
  void hear(int rank, const PositionMessage &message);
  bool isKnown(int rank) const { return !names[size_t(rank)].empty(); }
  /// "ranks 0 and 1 are in a:all_reduce #14; rank 2 is in agreement; rank 3 does not say where it is", this rank being
  /// in `what`.
  std::string report(const char *what) const;

private:
  int self;
  std::vector<std::string> names; // of each rank; empty: not heard
};

/// "rank 1", "ranks 0, 1 and 3".
std::string rankList(const std::vector<int> &ranks);

} // namespace txrt

#endif // TXRT_COMM_POSITIONS_H
