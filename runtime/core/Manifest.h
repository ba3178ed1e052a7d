//===- Manifest.h - What an artifact says of itself -----------------------------------------------------*- C++ -*-===//
//
// The part of the manifest (docs/Artifact.md) that the runtime must believe:
// target, sizes of the segments, places of globals, arguments and results. The
// rest is for the tools, which read the text.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_MANIFEST_H
#define TXRT_CORE_MANIFEST_H

#include "core/Container.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace txrt {

struct Manifest {
  std::string backend, triple;
  std::vector<std::string> features;
  std::array<uint64_t, TXRT_SEGMENT_COUNT> segmentBytes = {};
  std::vector<std::string> entries;
  struct Axis {
    std::string name;
    uint64_t size;
  };
  std::vector<Axis> mesh; // the last axis is the fastest
};

/// Reads and checks the manifest, or fails. Size and depth are bounded and duplicate keys refused, since a JSON library
/// does neither by itself.
Manifest readManifest(const std::string &artifact, Span text);

/// Bytes of one element; 0 for an unknown dtype.
uint64_t dtypeBytes(uint32_t dtype);
const char *dtypeName(uint32_t dtype);
/// "?" for an unknown one.
const char *collectiveName(uint32_t collective);
const char *segmentName(uint32_t segment);

} // namespace txrt

#endif // TXRT_CORE_MANIFEST_H
