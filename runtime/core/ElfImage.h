//===- ElfImage.h - Kernels in memory --------------------------*- C++ -*-===//
//
// Maps a checked ElfObject: code read+execute, constants read-only, never both
// writable and executable at any time.
//
//===----------------------------------------------------------------------===//

#ifndef TXRT_CORE_ELFIMAGE_H
#define TXRT_CORE_ELFIMAGE_H

#include "core/ElfObject.h"

namespace txrt {

class ElfImage {
public:
  /// Lays out, relocates and protects, or fails.
  ElfImage(const std::string &artifact, const ElfObject &object);
  ~ElfImage();
  ElfImage(const ElfImage &) = delete;
  ElfImage &operator=(const ElfImage &) = delete;

  void *address(const ElfPlace &place) const {
    return base + bases[place.section] + place.offset;
  }
  uint64_t bytes() const { return size; }

private:
  void layOut(const ElfObject &object);
  void relocate(const std::string &artifact, const ElfObject &object);
  void protect();

  struct Region {
    int protection;
    uint64_t begin, end;
  };
  uint8_t *base = nullptr;
  uint64_t size = 0;
  std::vector<uint64_t> bases; // of each section, from `base`
  std::vector<Region> regions;
};

} // namespace txrt

#endif // TXRT_CORE_ELFIMAGE_H
