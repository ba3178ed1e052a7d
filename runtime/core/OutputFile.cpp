#include "core/OutputFile.h"
#include "core/Failure.h"
#include "core/File.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/un.h>
#include <unistd.h>

using namespace txrt;

bool txrt::writeAll(int descriptor, const void *from, size_t count) {
  const char *at = static_cast<const char *>(from);
  while (count > 0) {
    ssize_t put = ::write(descriptor, at, std::min(count, maxTransfer));
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0 && errno == EAGAIN) { // another program has set the pipe to O_NONBLOCK
      struct pollfd pipe = {descriptor, POLLOUT, 0};
      (void)::poll(&pipe, 1, -1);
      continue;
    }
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

static std::string nameOf(const std::string &path) {
  return path.substr(path.rfind('/') + 1); // npos + 1 is 0
}

/// The path at which a file of this name is or will be made. Follows symbolic links of the path's last part, also a
/// link to a file that does not exist.
static std::string followLinks(const std::string &path) {
  std::string result = path;
  for (int links = 0; links < 40; ++links) {
    char target[4096];
    const ssize_t length = ::readlink(result.c_str(), target, sizeof target - 1);
    if (length < 0)
      return result; // no link, or no such file
    const std::string next(target, static_cast<size_t>(length));
    result = next.compare(0, 1, "/") == 0 ? next : folderOf(result) + "/" + next;
  }
  fail(TXRT_IO, "%s: is a link that leads to itself", printable(path, 200).c_str());
}

[[noreturn]] static void failToWrite(const std::string &path, const char *reason) {
  fail(TXRT_IO, "%s: cannot be written: %s", printable(path, 200).c_str(), reason);
}

/// Throws unless `target` may be replaced. Somebody has marked a file without any write permission as read-only; rename
/// would replace it all the same, and root may write any file, so this function checks it.
static void requireReplaceable(const std::string &target, const std::string &asked) {
  struct stat info, folder;
  // stat follows `asked` in the kernel: only the kernel knows where a link in /proc leads.
  if (::stat(asked.c_str(), &info) && errno == ENOENT)
    return; // no such file: whether it can be made depends on its folder
  if (::stat(asked.c_str(), &info))
    failToWrite(asked, std::strerror(errno));
  if (!S_ISREG(info.st_mode))
    fail(TXRT_IO, "%s: is no regular file, so it cannot be replaced; name another file", printable(asked, 200).c_str());
  if (!(info.st_mode & 0222))
    failToWrite(asked, "it is read-only");
  const int descriptor = ::open(target.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (descriptor < 0)
    failToWrite(asked, std::strerror(errno));
  ::close(descriptor);
  const uid_t user = ::geteuid();
  if (user != 0 && ::stat(folderOf(target).c_str(), &folder) == 0 && (folder.st_mode & S_ISVTX) &&
      info.st_uid != user && folder.st_uid != user)
    failToWrite(asked, "it is another user's, in a folder where only its owner "
                       "may replace it");
}

/// A random name in the folder, so that no other file has it.
static std::string makeTemporaryName(const std::string &folder) {
  uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number)
    fail(TXRT_IO, "no random number: %s", std::strerror(errno));
  return folder + format("/.tx-%016llx.tmp", (unsigned long long)number);
}

static bool isTemporaryName(const std::string &name) {
  return name.size() == 24 && name.compare(0, 4, ".tx-") == 0 && name.compare(20, 4, ".tmp") == 0 &&
         name.find_first_not_of("0123456789abcdef", 4) == 20;
}

/// Tries random names until `make` creates a file under one that is new.
template <typename Make> static int makeUnique(const std::string &folder, std::string &name, Make make) {
  for (;;) {
    name = makeTemporaryName(folder);
    const int result = make(name.c_str());
    if (result >= 0 || errno != EEXIST)
      return result;
  }
}

/// Makes a new file in the folder: without a name if the file system can do that (O_TMPFILE; then a killed run leaves
/// nothing behind), else under a new name.
static int openTemporary(const std::string &folder, std::string &name) {
  const int descriptor = ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
  if (descriptor >= 0) {
    // The file gets its name through /proc, which a sandbox may lack.
    if (::access(format("/proc/self/fd/%d", descriptor).c_str(), F_OK) == 0)
      return descriptor;
    ::close(descriptor);
  }
  for (;;) {
    const int named = makeUnique(
        folder, name, [](const char *path) { return ::open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666); });
    if (named < 0)
      name.clear();
    // The lock tells removeAbandoned that somebody writes the file. It may have been faster: then take another name.
    if (named < 0 || ::flock(named, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
      return named;
    ::close(named);
  }
}

NewFile::NewFile(const std::string &folder, std::string shown) : folder(folder), shown(std::move(shown)) {
  descriptor = openTemporary(folder, temporary);
  if (descriptor < 0)
    failToWrite(this->shown, std::strerror(errno));
}

NewFile::~NewFile() {
  if (!temporary.empty())
    ::unlink(temporary.c_str());
  if (descriptor >= 0)
    ::close(descriptor);
}

void NewFile::failed(const char *what) const {
  fail(TXRT_IO, "%s: %s failed: %s; what was there is untouched", printable(shown, 200).c_str(), what,
       std::strerror(errno));
}

void NewFile::write(const void *from, size_t count) {
  if (!writeAll(descriptor, from, count))
    failed("writing");
}

void NewFile::rewrite(uint64_t offset, const void *from, size_t count) {
  if (::pwrite(descriptor, from, count, static_cast<off_t>(offset)) != static_cast<ssize_t>(count))
    failed("writing");
}

void NewFile::setPermissions(mode_t mode) { (void)::fchmod(descriptor, mode); }

void NewFile::flush() {
  if (::fsync(descriptor))
    failed("flushing");
  // On NFS and under quotas, close may be the first call that reports a full disk. A second descriptor keeps the file
  // and its lock.
  const int kept = ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  if (kept < 0)
    failed("flushing");
  const int closed = ::close(descriptor);
  descriptor = kept;
  if (closed)
    failed("flushing");
}

void NewFile::rename(const std::string &target) {
  if (temporary.empty()) {
    const std::string own = format("/proc/self/fd/%d", descriptor);
    auto link = [&](const char *name) { return ::linkat(AT_FDCWD, own.c_str(), AT_FDCWD, name, AT_SYMLINK_FOLLOW); };
    (void)::flock(descriptor, LOCK_EX | LOCK_NB); // for removeAbandoned, which may find the random name
    if (link(target.c_str()) == 0)
      return;
    if (errno != EEXIST || makeUnique(folder, temporary, link)) {
      temporary.clear();
      fail(TXRT_IO, "%s: cannot take its name: %s", printable(shown, 200).c_str(), std::strerror(errno));
    }
  }
  if (::rename(temporary.c_str(), target.c_str()))
    fail(TXRT_IO, "%s: cannot take its name: %s", printable(shown, 200).c_str(), std::strerror(errno));
  temporary.clear();
}

void txrt::flushFolder(const std::string &folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0)
    return;
  ::fsync(descriptor);
  ::close(descriptor);
}

void txrt::removeAbandoned(const std::string &folder) {
  DIR *list = ::opendir(folder.c_str());
  if (!list)
    return;
  while (const struct dirent *entry = ::readdir(list)) {
    const std::string name = entry->d_name;
    if (!isTemporaryName(name))
      continue;
    const int descriptor = ::openat(::dirfd(list), entry->d_name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    if (descriptor < 0)
      continue;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0)
      (void)::unlinkat(::dirfd(list), entry->d_name, 0);
    ::close(descriptor);
  }
  ::closedir(list);
}

AtomicFile::AtomicFile(const std::string &path) : target(followLinks(path)) {
  requireReplaceable(target, path);
  file.emplace(folderOf(target), path);
  struct stat old;
  if (::stat(target.c_str(), &old) == 0)
    file->setPermissions(old.st_mode & 0777); // the new file has the old one's permissions
}

void AtomicFile::commit() {
  file->flush();
  file->rename(target);
  flushFolder(folderOf(target)); // so that the new name survives a loss of power too
}

OutputLock::OutputLock(const std::string &path) {
  const std::string target = followLinks(path);
  // Make a file in the target's folder, which throws if the folder takes none.
  AtomicFile unused(path);
  struct stat folder;
  if (::stat(folderOf(target).c_str(), &folder))
    failToWrite(path, std::strerror(errno));
  const std::string name = format("tx-run %llx:%llx %016llx", (unsigned long long)folder.st_dev,
                                  (unsigned long long)folder.st_ino, (unsigned long long)hashOf(nameOf(target)));
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  // A first byte of 0 makes the name an abstract socket: it exists in the kernel alone and is no file.
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const auto length = static_cast<socklen_t>(offsetof(struct sockaddr_un, sun_path) + 1 + name.size());
  // In a sandbox without such sockets there is no lock; the files are written whole all the same.
  if (socket >= 0 && ::bind(socket, reinterpret_cast<struct sockaddr *>(&address), length) && errno == EADDRINUSE) {
    ::close(socket);
    fail(TXRT_IO,
         "%s: another run writes it; name another file or wait until that run "
         "has ended",
         printable(path, 200).c_str());
  }
}

OutputLock::~OutputLock() {
  if (socket >= 0)
    ::close(socket);
}

void txrt::requireRoom(const std::string &path, uint64_t bytes, uint64_t largest) {
  auto need = [&](uint64_t wanted, double there, const char *what) {
    fail(TXRT_IO, "%s: will take %s, and %s is %s", printable(path, 200).c_str(), readableBytes(double(wanted)).c_str(),
         what, readableBytes(there).c_str());
  };
  struct statvfs disk;
  const std::string folder = folderOf(followLinks(path));
  // Some network file systems report 0 blocks.
  if (::statvfs(folder.c_str(), &disk) == 0 && disk.f_blocks > 0) {
    const double there = double(disk.f_bavail) * double(disk.f_frsize);
    if (double(bytes) > there)
      need(bytes, there, "what is free on its disk");
  }
  struct rlimit limit;
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && largest > limit.rlim_cur)
    need(largest, double(limit.rlim_cur), "the limit of a file here (ulimit -f)");
}

std::optional<FileIdentity> txrt::identify(const std::string &path) {
  struct stat info;
  if (::stat(path.c_str(), &info) == 0) {
    if (!S_ISREG(info.st_mode))
      return std::nullopt;
    return FileIdentity{info.st_dev, info.st_ino, ""};
  }
  const std::string target = followLinks(path);
  if (nameOf(target).empty() || ::stat(folderOf(target).c_str(), &info))
    return std::nullopt;
  return FileIdentity{info.st_dev, info.st_ino, nameOf(target)};
}

void txrt::writeFileAtomically(const std::string &path, const std::string &text) {
  for (size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
    if (::mkdir(path.substr(0, at).c_str(), 0777) != 0 && errno != EEXIST)
      failToWrite(path.substr(0, at), std::strerror(errno));
  AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}
