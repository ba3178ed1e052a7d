#include "core/ElfImage.h"

#include <cerrno>
#include <sys/mman.h>
#include <unistd.h>

using namespace txrt;

static uint64_t roundUp(uint64_t value, uint64_t to) {
  return (value + to - 1) / to * to;
}

ElfImage::ElfImage(const std::string &artifact, const ElfObject &object) {
  layOut(object);
  void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    fail(TXRT_OUT_OF_MEMORY, "%s: no memory for %s of kernels: %s",
         artifact.c_str(), readableBytes(size).c_str(), strerror(errno));
  base = static_cast<uint8_t *>(memory);
  try {
    for (size_t i = 0; i < object.sections().size(); ++i) {
      Span content = object.sections()[i].content;
      if (content.size)
        memcpy(base + bases[i], content.data, content.size);
    }
    relocate(artifact, object);
    protect();
  } catch (...) {
    munmap(base, size);
    throw;
  }
}

ElfImage::~ElfImage() { munmap(base, size); }

void ElfImage::layOut(const ElfObject &object) {
  const uint64_t page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  bases.resize(object.sections().size());
  const std::pair<ElfAccess, int> kinds[] = {
      {ElfAccess::Execute, PROT_READ | PROT_EXEC},
      {ElfAccess::ReadOnly, PROT_READ},
      {ElfAccess::Write, PROT_READ | PROT_WRITE}};
  for (auto [access, protection] : kinds) {
    uint64_t begin = size;
    for (size_t i = 0; i < bases.size(); ++i) {
      const ElfSection &section = object.sections()[i];
      if (section.access != access)
        continue;
      bases[i] = roundUp(size, section.alignment);
      size = bases[i] + section.size;
    }
    size = roundUp(size, page);
    if (size != begin)
      regions.push_back({protection, begin, size});
  }
  if (size == 0) // an object without content: keep one page, for a base
    size = page;
}

void ElfImage::relocate(const std::string &artifact, const ElfObject &object) {
  for (const ElfRelocation &relocation : object.relocations()) {
    auto place = reinterpret_cast<uintptr_t>(address(relocation.place));
    auto target = reinterpret_cast<uintptr_t>(address(relocation.target));
    // Modulo 2^64, as the ELF ABI defines it.
    uint64_t value = target + static_cast<uint64_t>(relocation.addend) - place;
    auto narrow = static_cast<int32_t>(value);
    if (relocation.bytes == 4 &&
        static_cast<uint64_t>(static_cast<int64_t>(narrow)) != value)
      fail(TXRT_BAD_INPUT, "%s: host kernels: a relocation does not fit",
           artifact.c_str());
    memcpy(address(relocation.place), &value, relocation.bytes);
  }
}

void ElfImage::protect() {
  for (const Region &region : regions)
    if (mprotect(base + region.begin, region.end - region.begin,
                 region.protection) != 0)
      fail(TXRT_USAGE, "the system refuses to make kernels executable: %s",
           strerror(errno));
}
