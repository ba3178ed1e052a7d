#include "core/CodeImage.h"

#include <algorithm>
#include <cerrno>
#include <sys/mman.h>

using namespace txrt;

CodeImage::CodeImage(const std::string &artifact, Span instructions) : size(std::max<uint64_t>(instructions.size, 1)) {
  void *memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    fail(TXRT_OUT_OF_MEMORY, "%s: no memory for %s of kernels: %s", artifact.c_str(), readableBytes(size).c_str(),
         strerror(errno));
  base = static_cast<uint8_t *>(memory);
  if (instructions.size)
    memcpy(base, instructions.data, instructions.size);
  if (mprotect(base, size, PROT_READ | PROT_EXEC) != 0) {
    const int error = errno;
    munmap(base, size);
    fail(TXRT_USAGE, "the system refuses to make kernels executable: %s", strerror(error));
  }
}

CodeImage::~CodeImage() { munmap(base, size); }
