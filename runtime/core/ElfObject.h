//===- ElfObject.h - A relocatable x86-64 object, checked ------*- C++ -*-===//
//
// Reads the ELF object with an artifact's host kernels, out of bytes that are
// not trusted, and refuses everything that such an object does not need: other
// machines, undefined symbols, constructors, thread-local data, relocations
// that are not relative to the place they patch. Nothing is mapped here; what
// is left for ElfImage can not fail for a reason in the file.
//
//===----------------------------------------------------------------------===//

#ifndef TXRT_CORE_ELFOBJECT_H
#define TXRT_CORE_ELFOBJECT_H

#include "core/Container.h"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace txrt {

enum class ElfAccess { ReadOnly, Execute, Write };

/// A section that occupies memory. `content` is empty for zero-filled ones.
struct ElfSection {
  ElfAccess access;
  uint64_t size, alignment;
  Span content;
};

/// A place inside a section of `ElfObject::sections`.
struct ElfPlace {
  uint32_t section;
  uint64_t offset;
};

/// Store (target + addend - place) at `place` in `bytes` bytes (4 or 8).
struct ElfRelocation {
  ElfPlace place, target;
  int64_t addend;
  uint8_t bytes;
};

class ElfObject {
public:
  /// Checks the object whole, or fails. The bytes must outlive it.
  ElfObject(const std::string &artifact, Span bytes);

  const std::vector<ElfSection> &sections() const { return loaded; }
  const std::vector<ElfRelocation> &relocations() const { return relocs; }

  /// The place of a global function, or nullptr.
  const ElfPlace *function(const std::string &name) const;

private:
  friend class ElfReader;
  std::vector<ElfSection> loaded;
  std::vector<ElfRelocation> relocs;
  std::unordered_map<std::string, ElfPlace> functions;
};

} // namespace txrt

#endif // TXRT_CORE_ELFOBJECT_H
