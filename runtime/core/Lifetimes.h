//===- Lifetimes.h - Which value lies where, and from which launch to which -----------------------------*- C++ -*-===//
//
// Reads the values in the arena back from the launch table, for memory maps and dry runs: for state and arguments their
// names, for every other value the launch that writes it and the last launch that reads it. Nothing is planned here:
// the compiler has placed the values.
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

/// A value of an entry: bytes [begin, end) of the arena, from the launch `first` that writes it to the launch `last`
/// that reads it last. Both are indices in the program's launch table.
struct Lifetime {
  uint64_t begin, end;
  uint32_t first, last;
  /// The buffer through which `first` writes the value; null for an argument, which is there when the entry begins.
  const txrt_buffer *buffer;
  /// The value's name in the manifest; empty if the manifest does not name it.
  std::string name;
  bool isResult; // a result of the entry: it is kept until the next entry runs
};

/// The values of an entry in the arena after the persistent segment, sorted by address and then by launch. When a
/// launch writes a value's bytes again, for example in place, a new value begins there.
std::vector<Lifetime> findLifetimes(const txrt_program &program, uint32_t entry);

/// The name of the state or of the entry's argument that lies in a buffer: "w", or "first .. last" if several do. Empty
/// if there is none.
std::string nameOfPlace(const txrt_program &program, uint32_t entry, const txrt_buffer &buffer);

/// An address as all reports write it: "transient+0x4c0".
std::string describeAddress(const txrt_program &program, uint64_t placeInArena);

/// Prints which value lies where, for txrt_artifact_print_memory_map: the values of all entries (`what` is "all"), of
/// the entry with the name `what`, or those live at the launch with the number `what`.
void printMemoryMap(const txrt_program &program, const std::string &what, FILE *output);

} // namespace txrt

#endif // TXRT_CORE_LIFETIMES_H
