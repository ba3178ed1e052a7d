//===- Memory.cpp - What the system says about our memory ---------------------------------------------------------===//

#include "Memory.h"

#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace txrun {

/// The bytes in a line "Name: 123 kB" of /proc/self/status. Allocates nothing, since tx-run asks after every step.
static uint64_t statusBytes(const char *name) {
  char text[4096];
  int descriptor = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return 0;
  ssize_t count = ::read(descriptor, text, sizeof text - 1);
  ::close(descriptor);
  if (count <= 0)
    return 0;
  text[count] = '\0';
  const char *line = std::strstr(text, name);
  return line ? std::strtoull(line + std::strlen(name), nullptr, 10) * 1024 : 0;
}

uint64_t residentBytes() { return statusBytes("VmRSS:"); }
uint64_t peakResidentBytes() { return statusBytes("VmHWM:"); }

} // namespace txrun
