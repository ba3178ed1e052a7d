//===- Lifetimes.h - Who lies where, and from which launch to which ------------------------------------*- C++ -*-===//
//
// What the launch table says of the arena, for people: names of state and arguments, and of everything else who wrote
// it and until when it is read. Nothing is planned here; the compiler has placed what the table says.
//
//   for (const Lifetime &value : findLifetimes(program, entry))
//     if (value.first <= launch && launch <= value.last) ...
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_LIFETIMES_H
#define TXRT_CORE_LIFETIMES_H

#include "txrt/backend.h"

#include <cstdio>
#include <string>
#include <vector>

namespace txrt {

/// A value of an entry: bytes [begin, end) of the arena, from the launch that writes it to the last one that reads it.
/// Launches have their numbers, the indices in the program's table.
struct Lifetime {
  uint64_t begin, end;
  uint32_t first, last;
  /// The buffer in whose place it is written; null for what is there when the entry begins: an argument.
  const txrt_buffer *buffer;
  /// What the manifest calls it; empty where it has no name.
  std::string name;
  bool isResult; // there until the next entry runs
};

/// The values of an entry in the arena behind the state, by address and then by launch. A value whose bytes are written
/// again, by an in-place update for example, is a new one from there on.
std::vector<Lifetime> findLifetimes(const txrt_program &program, uint32_t entry);

/// What state or which argument of the entry lies at a buffer: "w", or "first .. last" of several; else empty.
std::string nameOfPlace(const txrt_program &program, uint32_t entry, const txrt_buffer &buffer);

/// "transient+0x4c0": how an address is written everywhere.
std::string describeAddress(const txrt_program &program, uint64_t placeInArena);

/// Prints who lies where: of `what` = "all" entries, of the entry of this name, or at the launch of this number.
void printMemoryMap(const txrt_program &program, const std::string &what, FILE *output);

} // namespace txrt

#endif // TXRT_CORE_LIFETIMES_H
