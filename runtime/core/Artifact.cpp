#include "core/Artifact.h"
#include "core/ElfObject.h"

using namespace txrt;

static std::string textOf(Span span) {
  return std::string(reinterpret_cast<const char *>(span.data), span.size);
}

txrt_artifact::txrt_artifact(std::string name, std::vector<uint8_t> bytes)
    : container(std::move(name), std::move(bytes)),
      manifestText(textOf(container.section(TXRT_SECTION_MANIFEST))),
      manifest(readManifest(container.name(),
                            container.section(TXRT_SECTION_MANIFEST))),
      program(container, manifest) {
  // Read here only to be checked: whoever runs it maps it later.
  if (!container.has(TXRT_SECTION_HOST_ELF))
    return;
  ElfObject object(container.name(), container.section(TXRT_SECTION_HOST_ELF));
  const txrt_program &p = program.view();
  for (uint32_t i = 0; i < p.kernel_count; ++i) {
    const char *kernel = p.strings + p.kernels[i].name;
    if (!object.function(kernel))
      fail(TXRT_BAD_INPUT, "%s: host kernels: there is no function '%s'",
           container.name().c_str(), printable(kernel).c_str());
  }
}
