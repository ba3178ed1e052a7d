#include "comm/Collectives.h"
#include "comm/RankSum.h"
#include "comm/World.h"
#include "core/Failure.h"
#include "core/Manifest.h"

#include <algorithm>
#include <cstring>

using namespace txrt;

// Bytes of memory for the other ranks' operands before they are added. A sum of more bytes is done in pieces.
static constexpr uint64_t scratchBytes = uint64_t(4) << 20;
// Up to this many bytes reduceSmall, with one round of messages, is faster than reducePiece, which sends fewer bytes in
// two rounds.
static constexpr uint64_t smallBytes = 4096;

static const char *at(const void *data, uint64_t offset) { return static_cast<const char *>(data) + offset; }
static char *at(void *data, uint64_t offset) { return static_cast<char *>(data) + offset; }

Group txrt::groupOf(int rank, int ranks, int stride) {
  const int index = rank / stride % ranks;
  return {rank - index * stride, stride, ranks, index};
}

int txrt::neighbor(const Group &group, int64_t shift, bool wraps) {
  int64_t place = group.index + shift;
  if (wraps)
    place = (place % group.ranks + group.ranks) % group.ranks;
  return place < 0 || place >= group.ranks ? -1 : static_cast<int>(place);
}

Collectives::Collectives(txrt_world &world)
    : world(world), scratch(world.size() > 1 ? scratchBytes : 0), operands(static_cast<size_t>(world.size())) {
  messages.reserve(2 * static_cast<size_t>(world.size()));
}

void Collectives::run(const txrt_collective_launch &launch, txrt_dtype dtype, const void *from, void *to,
                      const char *name) {
  const char *what = operation.set(name, ++runs);
  const Group group = groupOf(world.rank(), static_cast<int>(launch.ranks), static_cast<int>(launch.stride));
  const uint64_t element = dtypeBytes(dtype);
  const uint64_t bytes = launch.count * element;
  const uint64_t block = launch.count / launch.outer;
  switch (static_cast<txrt_collective>(launch.collective)) {
  case TXRT_ALL_REDUCE:
    return allReduce(group, from, to, launch.count, dtype, what);
  case TXRT_ALL_GATHER:
    return allGather(group, from, to, launch.outer, block * element, what);
  case TXRT_REDUCE_SCATTER:
    return reduceScatter(group, from, to, launch.outer, block / launch.ranks, dtype, what);
  case TXRT_ALL_TO_ALL:
    return allToAll(group, from, to, launch.outer, block / launch.ranks * element, what);
  case TXRT_BROADCAST:
    return broadcast(group, from, to, bytes, launch.peer, what);
  case TXRT_REDUCE:
    return reduce(group, from, to, launch.count, dtype, launch.peer, what);
  case TXRT_SEND_RECV:
    return sendReceive(group, from, to, bytes, launch.peer, launch.wraps, what);
  }
}

void Collectives::send(int peer, const void *data, uint64_t bytes) {
  for (uint64_t done = 0; done < bytes; done += TXRT_MESSAGE_BYTES)
    messages.push_back(
        {peer, 1, const_cast<char *>(at(data, done)), std::min<uint64_t>(bytes - done, TXRT_MESSAGE_BYTES)});
}

void Collectives::receive(int peer, void *data, uint64_t bytes) {
  for (uint64_t done = 0; done < bytes; done += TXRT_MESSAGE_BYTES)
    messages.push_back({peer, 0, at(data, done), std::min<uint64_t>(bytes - done, TXRT_MESSAGE_BYTES)});
}

void Collectives::exchange(const char *what) {
  txrt_error error = {};
  if (world.isBroken)
    fail(TXRT_PEER, "%s: this rank has failed before", what);
  const txrt_status status = messages.empty()
                                 ? TXRT_OK
                                 : world.transport->exchange(world.state, messages.data(),
                                                             static_cast<uint32_t>(messages.size()), what, &error);
  messages.clear();
  if (!status)
    return;
  world.isBroken = true;
  fail(status, "%s", error.message);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Sums
//===--------------------------------------------------------------------------------------------------------------===//

/// Rank r owns share r of the piece. First each rank sends every other rank the share that this one owns. Then it adds
/// all ranks' versions of its own share, in the order of ranks, and sends the sum to all. Each of the n ranks sends 2
/// (n-1)/n of the piece, which is the least possible.
void Collectives::reducePiece(Group group, char *piece, uint64_t count, txrt_dtype dtype, const char *what) {
  const uint64_t element = dtypeBytes(dtype);
  const auto ranks = static_cast<uint64_t>(group.ranks);
  auto begin = [&](int owner) { return piece + count * static_cast<uint64_t>(owner) / ranks * element; };
  auto bytes = [&](int owner) { return static_cast<uint64_t>(begin(owner + 1) - begin(owner)); };
  const int self = group.index;
  char *room = scratch.data();
  for (int i = 0; i < group.ranks; ++i) {
    operands[i] = i == self ? begin(self) : room;
    if (i == self)
      continue;
    receive(group.member(i), room, bytes(self));
    room += bytes(self);
    send(group.member(i), begin(i), bytes(i));
  }
  exchange(what);
  sumInOrder(operands.data(), static_cast<unsigned>(group.ranks), begin(self), bytes(self) / element, dtype);
  for (int i = 0; i < group.ranks; ++i) {
    if (i == self)
      continue;
    receive(group.member(i), begin(i), bytes(i));
    send(group.member(i), begin(self), bytes(self));
  }
  exchange(what);
}

/// Each rank sends all its values to every other rank, and adds all values itself.
void Collectives::reduceSmall(Group group, char *values, uint64_t count, txrt_dtype dtype, const char *what) {
  const uint64_t bytes = count * dtypeBytes(dtype);
  for (int i = 0; i < group.ranks; ++i) {
    char *room = scratch.data() + static_cast<uint64_t>(i) * bytes;
    operands[i] = i == group.index ? values : room;
    if (i == group.index)
      continue;
    receive(group.member(i), room, bytes);
    send(group.member(i), values, bytes);
  }
  exchange(what);
  sumInOrder(operands.data(), static_cast<unsigned>(group.ranks), values, count, dtype);
}

void Collectives::allReduce(Group group, const void *from, void *to, uint64_t count, txrt_dtype dtype,
                            const char *what) {
  const uint64_t element = dtypeBytes(dtype);
  if (from != to)
    memmove(to, from, count * element);
  if (group.ranks == 1)
    return;
  const uint64_t bytes = count * element;
  if (bytes <= smallBytes && bytes * static_cast<uint64_t>(group.ranks) <= scratch.size())
    return reduceSmall(group, static_cast<char *>(to), count, dtype, what);
  // The scratch must hold the operands that a rank receives for a piece.
  const uint64_t most = scratchBytes / element;
  for (uint64_t done = 0; done < count; done += most)
    reducePiece(group, at(to, done * element), std::min(most, count - done), dtype, what);
}

void Collectives::reduceScatter(Group group, const void *from, void *to, uint64_t outer, uint64_t count,
                                txrt_dtype dtype, const char *what) {
  const uint64_t element = dtypeBytes(dtype);
  const auto ranks = static_cast<uint64_t>(group.ranks);
  const uint64_t most = ranks == 1 ? count : scratchBytes / element / (ranks - 1);
  for (uint64_t o = 0; o < outer; ++o)
    for (uint64_t done = 0; done < count; done += most) {
      const uint64_t length = std::min(most, count - done);
      auto part = [&](int i) { return at(from, ((o * ranks + static_cast<uint64_t>(i)) * count + done) * element); };
      char *room = scratch.data();
      for (int i = 0; i < group.ranks; ++i) {
        operands[i] = i == group.index ? part(i) : room;
        if (i == group.index)
          continue;
        receive(group.member(i), room, length * element);
        send(group.member(i), part(i), length * element);
        room += length * element;
      }
      exchange(what);
      sumInOrder(operands.data(), static_cast<unsigned>(group.ranks), at(to, (o * count + done) * element), length,
                 dtype);
    }
}

void Collectives::reduce(Group group, const void *from, void *to, uint64_t count, txrt_dtype dtype, int root,
                         const char *what) {
  const uint64_t element = dtypeBytes(dtype);
  const auto ranks = static_cast<uint64_t>(group.ranks);
  const uint64_t most = ranks == 1 ? count : scratchBytes / element / (ranks - 1);
  for (uint64_t done = 0; done < count; done += most) {
    const uint64_t length = std::min(most, count - done);
    const char *own = at(from, done * element);
    if (group.index != root) {
      send(group.member(root), own, length * element);
      exchange(what);
      continue;
    }
    char *room = scratch.data();
    for (int i = 0; i < group.ranks; ++i) {
      operands[i] = i == root ? own : room;
      if (i == root)
        continue;
      receive(group.member(i), room, length * element);
      room += length * element;
    }
    exchange(what);
    sumInOrder(operands.data(), static_cast<unsigned>(group.ranks), at(to, done * element), length, dtype);
  }
  if (group.index != root)
    memset(to, 0, count * element);
}

//===--------------------------------------------------------------------------------------------------------------===//
// Collectives that only move bytes
//===--------------------------------------------------------------------------------------------------------------===//

void Collectives::allGather(Group group, const void *from, void *to, uint64_t outer, uint64_t bytes, const char *what) {
  const auto ranks = static_cast<uint64_t>(group.ranks);
  for (uint64_t o = 0; o < outer; ++o) {
    auto place = [&](int i) { return at(to, (o * ranks + static_cast<uint64_t>(i)) * bytes); };
    const char *own = at(from, o * bytes);
    memmove(place(group.index), own, bytes);
    for (int i = 0; i < group.ranks; ++i) {
      if (i == group.index)
        continue;
      receive(group.member(i), place(i), bytes);
      send(group.member(i), own, bytes);
    }
    exchange(what);
  }
}

void Collectives::allToAll(Group group, const void *from, void *to, uint64_t outer, uint64_t bytes, const char *what) {
  const auto ranks = static_cast<uint64_t>(group.ranks);
  for (uint64_t o = 0; o < outer; ++o) {
    auto offset = [&](int i) { return (o * ranks + static_cast<uint64_t>(i)) * bytes; };
    memcpy(at(to, offset(group.index)), at(from, offset(group.index)), bytes);
    for (int i = 0; i < group.ranks; ++i) {
      if (i == group.index)
        continue;
      receive(group.member(i), at(to, offset(i)), bytes);
      send(group.member(i), at(from, offset(i)), bytes);
    }
    exchange(what);
  }
}

void Collectives::broadcast(Group group, const void *from, void *to, uint64_t bytes, int root, const char *what) {
  if (group.index != root) {
    receive(group.member(root), to, bytes);
    return exchange(what);
  }
  for (int i = 0; i < group.ranks; ++i)
    if (i != root)
      send(group.member(i), from, bytes);
  exchange(what);
  if (from != to)
    memmove(to, from, bytes);
}

void Collectives::sendReceive(Group group, const void *from, void *to, uint64_t bytes, int shift, bool wraps,
                              const char *what) {
  const int target = neighbor(group, shift, wraps);
  const int source = neighbor(group, -int64_t(shift), wraps);
  if (source == group.index)
    memcpy(to, from, bytes);
  else if (source >= 0)
    receive(group.member(source), to, bytes);
  if (target >= 0 && target != group.index)
    send(group.member(target), from, bytes);
  exchange(what);
  if (source < 0)
    memset(to, 0, bytes);
}
