#include "core/AllocationCounter.h"

#ifdef TXRT_SANITIZED

// A sanitizer replaces malloc by its own allocator, and this file must not replace that: it counts nothing.
extern "C" int64_t txrt_allocation_counter(void) { return -1; }

#else

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <sys/syscall.h>
#include <unistd.h>

static std::atomic<int64_t> allocationsSoFar{0};

static void countOne() { allocationsSoFar.fetch_add(1, std::memory_order_relaxed); }

// glibc's allocation functions under their internal names. free() allocates nothing and is not counted.
extern "C" {
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

int64_t txrt_allocation_counter(void) { return allocationsSoFar.load(std::memory_order_relaxed); }

void *malloc(size_t size) {
  countOne();
  return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
  countOne();
  return __libc_calloc(count, size);
}
void *realloc(void *memory, size_t size) {
  countOne();
  return __libc_realloc(memory, size);
}
void *memalign(size_t alignment, size_t size) {
  countOne();
  return __libc_memalign(alignment, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  countOne();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void **result, size_t alignment, size_t size) {
  countOne();
  if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0)
    return EINVAL;
  void *memory = __libc_memalign(alignment, size);
  if (!memory)
    return ENOMEM;
  *result = memory;
  return 0;
}
void *mmap(void *address, size_t length, int protection, int flags, int fd, long offset) {
  countOne();
  return reinterpret_cast<void *>(syscall(SYS_mmap, address, length, protection, flags, fd, offset));
}
} // extern "C"

#endif
