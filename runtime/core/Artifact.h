//===- Artifact.h - A checked artifact ------------------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_CORE_ARTIFACT_H
#define TXRT_CORE_ARTIFACT_H

#include "core/Container.h"
#include "core/Manifest.h"
#include "core/Program.h"

/// The artifact that the C interface hands out. Its constructor throws unless the file passes every check.
struct txrt_artifact {
  txrt_artifact(std::string name, std::vector<uint8_t> bytes);

  txrt::Container container;
  std::string manifestText;
  txrt::Manifest manifest;
  txrt::Program program;
};

namespace txrt {
/// The largest artifact that the runtime opens, in bytes. Kernels take some MiB and a launch 200 bytes, so any real
/// artifact is far smaller.
constexpr uint64_t maxArtifactBytes = uint64_t(1) << 30;
} // namespace txrt

#endif // TXRT_CORE_ARTIFACT_H
