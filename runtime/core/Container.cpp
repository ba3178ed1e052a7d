#include "core/Container.h"
#include "core/Sha256.h"

#include <algorithm>
#include <cstddef>

using namespace txrt;

using ull = unsigned long long;

// There are only a few kinds of section. A file that claims more sections than this is damaged, and the reader must not
// spend time on them.
static constexpr uint32_t maxSections = 64;

const char *Container::sectionName(uint32_t kind) {
  static const char *const names[] = {"?",       "manifest", "entries", "launches",  "buffers",
                                      "kernels", "strings",  "code",    "attentions"};
  return kind <= lastSectionKind ? names[kind] : names[0];
}

Container::Container(std::string name, std::vector<uint8_t> content)
    : artifactName(printable(name)), bytes(std::move(content)) {
  if (bytes.size() < sizeof(txrt_header))
    fail(TXRT_BAD_INPUT, "%s: %zu bytes long, shorter than an artifact's header (%zu)", artifactName.c_str(),
         bytes.size(), sizeof(txrt_header));
  txrt_header header;
  memcpy(&header, bytes.data(), sizeof header);
  checkHeader(header);
  checkDigest(header);
  readSections(header);
}

void Container::checkHeader(const txrt_header &header) const {
  const char *who = artifactName.c_str();
  if (memcmp(header.magic, TXRT_MAGIC, sizeof header.magic) != 0)
    fail(TXRT_BAD_INPUT, "%s: not a Tx artifact (wrong magic)", who);
  if (header.abi_version != TXRT_ABI_VERSION)
    fail(TXRT_BAD_INPUT, "%s: built for ABI version %u, this runtime has %u: compile it again", who, header.abi_version,
         TXRT_ABI_VERSION);
  if (header.file_bytes != bytes.size())
    fail(TXRT_BAD_INPUT, "%s: %s: %llu bytes were written, %zu are here", who,
         header.file_bytes > bytes.size() ? "truncated" : "has bytes added", static_cast<ull>(header.file_bytes),
         bytes.size());
}

void Container::checkDigest(const txrt_header &header) {
  const uint8_t zeros[sizeof header.digest] = {};
  constexpr size_t at = offsetof(txrt_header, digest);
  constexpr size_t after = at + sizeof header.digest;
  Sha256 sha;
  sha.update(bytes.data(), at);
  sha.update(zeros, sizeof zeros);
  sha.update(bytes.data() + after, bytes.size() - after);
  Sha256::Digest digest = sha.finish();
  if (memcmp(digest.data(), header.digest, digest.size()) != 0)
    fail(TXRT_BAD_INPUT, "%s: damaged: its content does not have the digest in its header", artifactName.c_str());
  for (uint8_t byte : digest)
    digestText += format("%02x", byte);
}

void Container::readSections(const txrt_header &header) {
  const char *who = artifactName.c_str();
  for (uint8_t byte : header.reserved)
    if (byte)
      fail(TXRT_BAD_INPUT, "%s: reserved bytes of the header are not zero", who);
  if (header.section_count == 0 || header.section_count > maxSections)
    fail(TXRT_BAD_INPUT, "%s: %u sections; expected 1 to %u", who, header.section_count, maxSections);
  uint64_t tableEnd = sizeof(txrt_header) + uint64_t(header.section_count) * sizeof(txrt_section);
  if (tableEnd > bytes.size())
    fail(TXRT_BAD_INPUT, "%s: the table of %u sections ends outside the file", who, header.section_count);
  std::vector<txrt_section> table(header.section_count);
  memcpy(table.data(), bytes.data() + sizeof(txrt_header), table.size() * sizeof(txrt_section));

  for (const txrt_section &section : table) {
    if (section.kind == 0 || section.kind > lastSectionKind)
      fail(TXRT_BAD_INPUT, "%s: unknown section kind %u", who, section.kind);
    const char *kind = sectionName(section.kind);
    if (section.reserved)
      fail(TXRT_BAD_INPUT, "%s: section %s: reserved field is not zero", who, kind);
    if (section.offset % TXRT_SECTION_ALIGNMENT != 0)
      fail(TXRT_BAD_INPUT, "%s: section %s: offset %llu is no multiple of %u", who, kind,
           static_cast<ull>(section.offset), TXRT_SECTION_ALIGNMENT);
    if (section.offset < tableEnd || section.offset > bytes.size() || section.bytes > bytes.size() - section.offset)
      fail(TXRT_BAD_INPUT, "%s: section %s: %llu bytes at %llu are not inside the file", who, kind,
           static_cast<ull>(section.bytes), static_cast<ull>(section.offset));
    if (sections[section.kind].data)
      fail(TXRT_BAD_INPUT, "%s: section %s is there twice", who, kind);
    sections[section.kind] = {bytes.data() + section.offset, section.bytes};
  }

  std::sort(table.begin(), table.end(), [](const auto &a, const auto &b) {
    return a.offset < b.offset || (a.offset == b.offset && a.bytes < b.bytes);
  });
  for (size_t i = 1; i < table.size(); ++i)
    if (table[i - 1].offset + table[i - 1].bytes > table[i].offset)
      fail(TXRT_BAD_INPUT, "%s: sections %s and %s overlap", who, sectionName(table[i - 1].kind),
           sectionName(table[i].kind));
  for (uint32_t kind = 1; kind < TXRT_SECTION_CODE; ++kind)
    if (!sections[kind].data)
      fail(TXRT_BAD_INPUT, "%s: section %s is missing", who, sectionName(kind));
}
