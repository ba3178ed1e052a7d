//===- Positions.h - Where each rank is, for messages ---------------------------------------------------*- C++ -*-===//
//
// A rank that has waited too long asks the other ranks which operation they are in; ranks that wait too answer. Its
// error then says which ranks are in the same operation, which are in another one, and which do not answer.
//
// The name of an operation ends with a number: how many collectives the rank has run so far. Several operations may
// have the same name; all ranks count the same collectives, so name and number together identify one.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_COMM_POSITIONS_H
#define TXRT_COMM_POSITIONS_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace txrt {

/// A message with which a rank says where it is, and may ask the receiver the same.
struct PositionMessage {
  static constexpr size_t nameBytes = 119;
  uint8_t asks = 0; // 1: the sender wants an answer
  char name[nameBytes] = {};

  PositionMessage() = default;
  PositionMessage(bool asks, const char *what);
};

/// Memory for an operation's name with its number, so that making the name allocates nothing.
struct OperationName {
  char text[PositionMessage::nameBytes] = {};
  /// "h.0.mlp:all_reduce #14"; a name that is too long loses its middle.
  const char *set(const char *name, uint64_t number);
};

class Positions {
public:
  Positions(int self, int ranks) : self(self), names(static_cast<size_t>(ranks)) {}

  /// Call it when an operation begins: forgets what the ranks have said during the last one.
  void clear();
  void hear(int rank, const PositionMessage &message);
  bool isKnown(int rank) const { return !names[size_t(rank)].empty(); }
  /// A text with the position of all ranks, if this rank is in `what`: "ranks 0 and 1 are in a:all_reduce #14; rank 2
  /// is in agreement; rank 3 does not say where it is".
  std::string report(const char *what) const;

private:
  int self;
  std::vector<std::string> names; // the operation that each rank has said; empty: it has said nothing
};

/// "rank 1", "ranks 0, 1 and 3".
std::string rankList(const std::vector<int> &ranks);

} // namespace txrt

#endif // TXRT_COMM_POSITIONS_H
