//===- OutputFile.h - Writing that cannot tear ----------------------------------------------------------*- C++ -*-===//
//
// A NewFile is a file that gets its name when it is complete and on the disk. An AtomicFile writes to a file without a
// name in the target's folder, flushes it to the disk, and then gives it the target's name: at any moment, whatever
// kills the process, the target is the old file or the new one. It uses no other name that a person could have given to
// a file, and leaves nothing behind (docs/Rationale/output-files.md).
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_OUTPUTFILE_H
#define TXRT_CORE_OUTPUTFILE_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>

namespace txrt {

/// A file in a folder that has no name yet; without one it is gone when the process ends. Where a file system knows no
/// such files it has a random name, `.tx-….tmp`, which removeAbandoned finds.
class NewFile {
public:
  /// `shown` is the output's path for messages.
  NewFile(const std::string &folder, std::string shown);
  ~NewFile();
  NewFile(const NewFile &) = delete;
  NewFile &operator=(const NewFile &) = delete;

  void write(const void *from, size_t count);
  /// Replaces bytes that were written before.
  void rewrite(uint64_t offset, const void *from, size_t count);
  void setPermissions(mode_t mode);
  /// Brings the bytes to the disk. The file can have a name then, and can no longer be written.
  void flush();
  /// Gives the flushed file a name in its folder, in place of a file that has this name. The folder itself is not
  /// flushed (flushFolder).
  void rename(const std::string &target);

private:
  [[noreturn]] void failed(const char *what) const;

  std::string folder, shown;
  std::string temporary; // empty while the file has no name
  int descriptor = -1;
};

/// Brings names that were given, changed or removed in a folder to the disk.
void flushFolder(const std::string &folder);

/// Removes the random names of new files whose process has ended before it could give them another.
void removeAbandoned(const std::string &folder);

class AtomicFile {
public:
  /// Throws if the target exists and is no regular file, or is read-only. Follows a symbolic link: the file that the
  /// link leads to is replaced or created.
  explicit AtomicFile(const std::string &path);

  void write(const void *from, size_t count) { file->write(from, count); }
  /// Flushes the file, gives it the target's name and flushes the folder. Until then the target is unchanged.
  void commit();

private:
  std::string target;
  std::optional<NewFile> file;
};

/// Keeps a second run on this machine from writing the same output, until it is destroyed. A run makes it before the
/// work starts, so that an output that cannot be written fails before hours of training. The lock is the name of an
/// abstract socket in the kernel and no file: no stale lock file can stay behind, and the lock ends with the process.
class OutputLock {
public:
  explicit OutputLock(const std::string &path);
  ~OutputLock();
  OutputLock(const OutputLock &) = delete;
  OutputLock &operator=(const OutputLock &) = delete;

private:
  int socket = -1;
};

/// Throws if there is no room for a file of `bytes` bytes beside the file that it will replace: on the disk, or under
/// this process's limit for file sizes (RLIMIT_FSIZE). Of several files, `bytes` is their sum and `largest` the most
/// that one of them has.
void requireRoom(const std::string &path, uint64_t bytes, uint64_t largest);

/// Tells whether two paths name one file. It is the file's device and inode or, for a file that does not exist yet, its
/// folder's device and inode and the file's name in it.
struct FileIdentity {
  dev_t device;
  ino_t inode;
  std::string name; // only for a file that does not exist yet
  bool operator==(const FileIdentity &other) const {
    return device == other.device && inode == other.inode && name == other.name;
  }
};

/// The identity of the file at `path`; nothing if it is no regular file and cannot become one.
std::optional<FileIdentity> identify(const std::string &path);

/// Writes all `count` bytes, and goes on after EINTR, short writes and while a pipe is full. Returns false, with errno
/// set, on any other error.
bool writeAll(int descriptor, const void *from, size_t count);

/// Replaces a file atomically by one with this text; makes the folders that are missing.
void writeFileAtomically(const std::string &path, const std::string &text);

} // namespace txrt

#endif // TXRT_CORE_OUTPUTFILE_H
