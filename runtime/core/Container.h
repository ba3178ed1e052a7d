//===- Container.h - An artifact's sections -------------------------------------------------------------*- C++ -*-===//
//
// The outermost layer of a `step.txa`: header, section table, digest. Manifest.h and Program.h read the contents of the
// sections.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_CONTAINER_H
#define TXRT_CORE_CONTAINER_H

#include "core/Failure.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

namespace txrt {

struct Span {
  const uint8_t *data = nullptr;
  uint64_t size = 0;
};

constexpr uint32_t lastSectionKind = TXRT_SECTION_ATTENTIONS;

class Container {
public:
  /// Checks the whole container; throws if it is wrong. Messages call the artifact `name`.
  Container(std::string name, std::vector<uint8_t> bytes);

  Span section(txrt_section_kind kind) const { return sections[kind]; }
  bool has(txrt_section_kind kind) const { return sections[kind].data; }
  const std::string &digest() const { return digestText; }
  const std::string &name() const { return artifactName; }

  /// A section as an array of one of abi.h's structs.
  template <typename T> std::vector<T> table(txrt_section_kind kind) const {
    Span span = section(kind);
    if (span.size % sizeof(T) != 0)
      fail(TXRT_BAD_INPUT, "%s: section %s has %llu bytes, no multiple of its %zu-byte items", artifactName.c_str(),
           sectionName(kind), static_cast<unsigned long long>(span.size), sizeof(T));
    std::vector<T> items(span.size / sizeof(T));
    if (span.size)
      memcpy(items.data(), span.data, span.size);
    return items;
  }

  static const char *sectionName(uint32_t kind);

private:
  void checkHeader(const txrt_header &header) const;
  void checkDigest(const txrt_header &header);
  void readSections(const txrt_header &header);

  std::string artifactName;
  std::vector<uint8_t> bytes;
  std::array<Span, lastSectionKind + 1> sections = {};
  std::string digestText;
};

} // namespace txrt

#endif // TXRT_CORE_CONTAINER_H
