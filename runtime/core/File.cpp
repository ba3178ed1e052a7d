#include "core/File.h"
#include "core/Failure.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace txrt;

InputFile::InputFile(const std::string &path) : name(path) {
  // Without O_NONBLOCK the open of a FIFO waits for a writer.
  descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    fail(TXRT_IO, "%s: cannot be opened: %s", printable(path, 200).c_str(), std::strerror(errno));
  struct stat info;
  int failed = ::fstat(descriptor, &info);
  if (failed || !S_ISREG(info.st_mode)) {
    ::close(descriptor);
    fail(TXRT_BAD_INPUT, "%s: is no regular file; %s", printable(path, 200).c_str(),
         !failed && S_ISDIR(info.st_mode) ? "it is a folder: name a file in it"
                                          : "pipes and devices cannot be read at any offset: copy it first");
  }
  bytes = static_cast<uint64_t>(info.st_size);
}

InputFile::~InputFile() { ::close(descriptor); }

void InputFile::readAt(uint64_t offset, void *to, size_t count) const {
  char *at = static_cast<char *>(to);
  while (count > 0) {
    ssize_t got = ::pread(descriptor, at, std::min(count, maxTransfer), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      fail(TXRT_IO, "%s: reading at byte %llu failed: %s", printable(name, 200).c_str(),
           static_cast<unsigned long long>(offset), std::strerror(errno));
    if (got == 0)
      fail(TXRT_IO,
           "%s: ends at byte %llu, it had %llu bytes when it was opened; does "
           "another program write it?",
           printable(name, 200).c_str(), static_cast<unsigned long long>(offset),
           static_cast<unsigned long long>(bytes));
    at += got;
    offset += static_cast<uint64_t>(got);
    count -= static_cast<size_t>(got);
  }
}

std::vector<uint8_t> txrt::readFile(const std::string &path, uint64_t limit) {
  const InputFile file(path);
  if (file.size() > limit)
    fail(TXRT_BAD_INPUT, "%s: %s long; at most %s are read", printable(path, 200).c_str(),
         readableBytes(double(file.size())).c_str(), readableBytes(double(limit)).c_str());
  std::vector<uint8_t> bytes(file.size());
  file.readAt(0, bytes.data(), bytes.size());
  return bytes;
}

std::string txrt::readSmallText(const char *path) {
  const int descriptor = ::open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return "";
  char text[16384];
  const ssize_t got = ::read(descriptor, text, sizeof text);
  ::close(descriptor);
  return got < 0 ? std::string() : std::string(text, static_cast<size_t>(got));
}
