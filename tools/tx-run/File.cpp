//===- File.cpp - Reading that cannot crash, writing that cannot tear -----===//

#include "File.h"
#include "Error.h"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace txrun {

// Linux moves at most 2 GiB in one call.
static constexpr size_t maxTransfer = size_t(1) << 30;

InputFile::InputFile(const std::string &path) : name(path) {
  // Without O_NONBLOCK the open of a FIFO waits for a writer.
  descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0)
    fail(ExitCode::Io, "%s: cannot be opened: %s",
         printable(path, 200).c_str(), std::strerror(errno));
  struct stat info;
  int failed = ::fstat(descriptor, &info);
  if (failed || !S_ISREG(info.st_mode)) {
    ::close(descriptor);
    fail(ExitCode::BadInput, "%s: is no regular file; %s",
         printable(path, 200).c_str(),
         !failed && S_ISDIR(info.st_mode)
             ? "it is a folder: name a file in it"
             : "pipes and devices cannot be read at any offset: copy it first");
  }
  bytes = static_cast<uint64_t>(info.st_size);
}

InputFile::~InputFile() { ::close(descriptor); }

void InputFile::readAt(uint64_t offset, void *to, size_t count) const {
  char *at = static_cast<char *>(to);
  while (count > 0) {
    ssize_t got = ::pread(descriptor, at, std::min(count, maxTransfer),
                          static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      fail(ExitCode::Io, "%s: reading at byte %llu failed: %s",
           printable(name, 200).c_str(),
           static_cast<unsigned long long>(offset), std::strerror(errno));
    if (got == 0)
      fail(ExitCode::Io,
           "%s: ends at byte %llu, it had %llu bytes when it was opened; does "
           "another program write it?",
           printable(name, 200).c_str(),
           static_cast<unsigned long long>(offset),
           static_cast<unsigned long long>(bytes));
    at += got;
    offset += static_cast<uint64_t>(got);
    count -= static_cast<size_t>(got);
  }
}

bool writeAll(int descriptor, const void *from, size_t count) {
  const char *at = static_cast<const char *>(from);
  while (count > 0) {
    ssize_t put = ::write(descriptor, at, std::min(count, maxTransfer));
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return false;
    at += put;
    count -= static_cast<size_t>(put);
  }
  return true;
}

static std::string folderOf(const std::string &path) {
  size_t slash = path.rfind('/');
  if (slash == std::string::npos)
    return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// The file that a link leads to; the path itself if it is no link.
static std::string followLink(const std::string &path) {
  struct stat info;
  if (::lstat(path.c_str(), &info) || !S_ISLNK(info.st_mode))
    return path;
  char *real = ::realpath(path.c_str(), nullptr);
  if (!real)
    fail(ExitCode::Io, "%s: is a link to nothing: %s",
         printable(path, 200).c_str(), std::strerror(errno));
  std::string result = real;
  std::free(real);
  return result;
}

static void refuseSpecialTarget(const std::string &path) {
  struct stat info;
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
    fail(ExitCode::Io,
         "%s: is no regular file, so it cannot be replaced; name another file",
         printable(path, 200).c_str());
}

bool isSameFile(const std::string &a, const std::string &b) {
  struct stat first, second;
  return ::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/// Opens or creates the file `name` and locks it; `asked` is for messages.
static int openLocked(const std::string &name, const std::string &asked) {
  for (;;) {
    int descriptor = ::open(
        name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
        0666);
    if (descriptor < 0)
      fail(ExitCode::Io, "%s: cannot be written: %s",
           printable(asked, 200).c_str(), std::strerror(errno));
    if (::flock(descriptor, LOCK_EX | LOCK_NB)) {
      int reason = errno;
      ::close(descriptor);
      fail(ExitCode::Io, "%s: %s", printable(asked, 200).c_str(),
           reason == EWOULDBLOCK ? "another run writes it; name another file or "
                                   "wait until that run has ended"
                                 : std::strerror(reason));
    }
    // The holder before us removes or renames the file when it leaves: what we
    // locked may have lost its name, then a third run would lock another file.
    struct stat ours, named;
    if (::fstat(descriptor, &ours) == 0 &&
        ::lstat(name.c_str(), &named) == 0 && ours.st_ino == named.st_ino)
      return descriptor;
    ::close(descriptor);
  }
}

AtomicFile::AtomicFile(const std::string &path) : target(followLink(path)) {
  refuseSpecialTarget(target);
  // One name for all processes: what a killed one left is written over, so
  // that kills do not fill the disk.
  refuseSpecialTarget(target + ".tx-tmp");
  lock = openLocked(target + ".tx-tmp", path);
  temporary = target + ".tx-tmp";
  descriptor = ::dup(lock);
  if (descriptor < 0 || ::ftruncate(descriptor, 0))
    fail(ExitCode::Io, "%s: cannot be written: %s",
         printable(path, 200).c_str(), std::strerror(errno));
}

AtomicFile::~AtomicFile() {
  if (descriptor >= 0)
    ::close(descriptor);
  if (!temporary.empty())
    ::unlink(temporary.c_str());
  if (lock >= 0)
    ::close(lock);
}

void AtomicFile::write(const void *from, size_t count) {
  if (!writeAll(descriptor, from, count))
    fail(ExitCode::Io, "%s: writing failed: %s; the old file is untouched",
         printable(target, 200).c_str(), std::strerror(errno));
}

void AtomicFile::commit() {
  int failed = ::fsync(descriptor);
  // An error of close can be the first news of a full disk (NFS, quotas).
  failed |= ::close(descriptor);
  descriptor = -1;
  if (failed)
    fail(ExitCode::Io, "%s: flushing failed: %s; the old file is untouched",
         printable(target, 200).c_str(), std::strerror(errno));
  if (::rename(temporary.c_str(), target.c_str()))
    fail(ExitCode::Io, "%s: cannot take its name: %s",
         printable(target, 200).c_str(), std::strerror(errno));
  temporary.clear();
  // The new name itself must survive a loss of power too.
  int folder =
      ::open(folderOf(target).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
}

OutputLock::OutputLock(const std::string &path)
    : lockPath(followLink(path) + ".lock") {
  refuseSpecialTarget(path);
  descriptor = openLocked(lockPath, path);
}

OutputLock::~OutputLock() {
  if (descriptor < 0)
    return;
  ::unlink(lockPath.c_str());
  ::close(descriptor);
}

} // namespace txrun
