//===- Artifact.h - A checked artifact ------------------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_CORE_ARTIFACT_H
#define TXRT_CORE_ARTIFACT_H

#include "core/Container.h"
#include "core/Manifest.h"
#include "core/Program.h"

/// What the C interface hands out. Exists only if every check passed.
struct txrt_artifact {
  txrt_artifact(std::string name, std::vector<uint8_t> bytes);

  txrt::Container container;
  std::string manifestText;
  txrt::Manifest manifest;
  txrt::Program program;
};

namespace txrt {
/// Kernels are some MiB and a launch 200 bytes: far above any real artifact.
constexpr uint64_t maxArtifactBytes = uint64_t(1) << 30;
} // namespace txrt

#endif // TXRT_CORE_ARTIFACT_H
