#include "core/File.h"
#include "core/Failure.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace txrt;

namespace {
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0)
      close(fd);
  }
};
} // namespace

std::vector<uint8_t> txrt::readFile(const std::string &path, uint64_t limit) {
  const std::string name = printable(path);
  // Non-blocking, or opening a FIFO would wait for its writer.
  Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.fd < 0)
    fail(TXRT_IO, "%s: %s", name.c_str(), strerror(errno));
  struct stat info;
  if (fstat(file.fd, &info) != 0)
    fail(TXRT_IO, "%s: %s", name.c_str(), strerror(errno));
  if (!S_ISREG(info.st_mode))
    fail(TXRT_BAD_INPUT, "%s: not a regular file", name.c_str());
  uint64_t size = static_cast<uint64_t>(info.st_size);
  if (size > limit)
    fail(TXRT_BAD_INPUT, "%s: %s long; an artifact has at most %s",
         name.c_str(), readableBytes(size).c_str(),
         readableBytes(limit).c_str());
  std::vector<uint8_t> bytes(size);
  for (uint64_t done = 0; done < size;) {
    ssize_t got = pread(file.fd, bytes.data() + done, size - done,
                        static_cast<off_t>(done));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      fail(TXRT_IO, "%s: %s", name.c_str(), strerror(errno));
    if (got == 0)
      fail(TXRT_IO, "%s: became shorter while it was read", name.c_str());
    done += static_cast<uint64_t>(got);
  }
  return bytes;
}

std::string txrt::readSmallText(const char *path) {
  Descriptor file{open(path, O_RDONLY | O_CLOEXEC)};
  char text[16384];
  ssize_t got = file.fd < 0 ? -1 : read(file.fd, text, sizeof text);
  return got < 0 ? std::string() : std::string(text, static_cast<size_t>(got));
}
