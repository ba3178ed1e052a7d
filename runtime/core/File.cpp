#include "core/File.h"
#include "core/Failure.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <random>
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
    fail(TXRT_BAD_INPUT, "%s: %s long; an artifact has at most %s", name.c_str(), readableBytes(size).c_str(),
         readableBytes(limit).c_str());
  std::vector<uint8_t> bytes(size);
  for (uint64_t done = 0; done < size;) {
    ssize_t got = pread(file.fd, bytes.data() + done, size - done, static_cast<off_t>(done));
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

static void writeWhole(int fd, const std::string &text, const std::string &name) {
  for (size_t done = 0; done < text.size();) {
    ssize_t written = write(fd, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      fail(TXRT_IO, "%s: %s", name.c_str(), strerror(errno));
    done += static_cast<size_t>(written);
  }
  if (fsync(fd) != 0)
    fail(TXRT_IO, "%s: %s", name.c_str(), strerror(errno));
}

void txrt::writeFileAtomically(const std::string &path, const std::string &text) {
  const std::string name = printable(path);
  for (size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
    if (mkdir(path.substr(0, at).c_str(), 0777) != 0 && errno != EEXIST)
      fail(TXRT_IO, "%s: %s", printable(path.substr(0, at)).c_str(), strerror(errno));
  // A link's target is replaced and not the link.
  char *real = realpath(path.c_str(), nullptr);
  const std::string target = real ? real : path;
  free(real);
  struct stat old;
  if (stat(target.c_str(), &old) == 0 &&
      (!S_ISREG(old.st_mode) || !(old.st_mode & 0222) || access(target.c_str(), W_OK) != 0))
    fail(TXRT_IO, "%s: %s", name.c_str(), S_ISREG(old.st_mode) ? "it is read-only" : "not a regular file");
  std::string temporary;
  Descriptor file{-1};
  std::random_device random;
  do {
    temporary = target + format(".%08x.tmp", random());
    file.fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                   0666); // new, so nobody's
  } while (file.fd < 0 && errno == EEXIST);
  if (file.fd < 0)
    fail(TXRT_IO, "%s: %s", name.c_str(), strerror(errno));
  try {
    writeWhole(file.fd, text, name);
    if (rename(temporary.c_str(), target.c_str()) != 0)
      fail(TXRT_IO, "%s: %s", name.c_str(), strerror(errno));
  } catch (...) {
    unlink(temporary.c_str());
    throw;
  }
}

std::string txrt::readSmallText(const char *path) {
  Descriptor file{open(path, O_RDONLY | O_CLOEXEC)};
  char text[16384];
  ssize_t got = file.fd < 0 ? -1 : read(file.fd, text, sizeof text);
  return got < 0 ? std::string() : std::string(text, static_cast<size_t>(got));
}
