#include "core/Artifact.h"

using namespace txrt;

static std::string textOf(Span span) { return std::string(reinterpret_cast<const char *>(span.data), span.size); }

txrt_artifact::txrt_artifact(std::string name, std::vector<uint8_t> bytes)
    : container(std::move(name), std::move(bytes)), manifestText(textOf(container.section(TXRT_SECTION_MANIFEST))),
      manifest(readManifest(container.name(), manifestText)), program(container, manifest) {}

const Manifest &txrt::manifestOf(const txrt_artifact *artifact) { return artifact->manifest; }
