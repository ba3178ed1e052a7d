//===- File.h - Reading that cannot crash, writing that cannot tear -------------------------------------*- C++ -*-===//
//
// Input is read with pread, so a file that shrinks while it is read is an error and not a SIGBUS. Output goes to a file
// without a name in the target's folder, is flushed to the disk, and then takes the target's name: at any moment, under
// any kill, the target is the old file or the new one. No other name is used that somebody could have given to a file
// of his own, and nothing is left behind.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_FILE_H
#define TXRUN_FILE_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>

namespace txrun {

class InputFile {
public:
  /// Opens a regular file; a folder, a FIFO or a device is refused.
  explicit InputFile(const std::string &path);
  ~InputFile();
  InputFile(const InputFile &) = delete;
  InputFile &operator=(const InputFile &) = delete;

  const std::string &path() const { return name; }
  /// The size when it was opened.
  uint64_t size() const { return bytes; }
  /// Fills `to` with [offset, offset + count), or throws.
  void readAt(uint64_t offset, void *to, size_t count) const;

private:
  std::string name;
  int descriptor = -1;
  uint64_t bytes = 0;
};

class AtomicFile {
public:
  /// A target that exists and is no regular file, or is read-only, is refused. A symbolic link is followed, so its
  /// target is replaced, or made.
  explicit AtomicFile(const std::string &path);
  ~AtomicFile();
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;

  void write(const void *from, size_t count);
  /// Flushes, takes the target's name and flushes the folder. Without it nothing has happened.
  void commit();

private:
  std::string target;
  std::string temporary; // empty while the file has no name
  int descriptor = -1;
};

/// Keeps a second run on this machine out of the same output until it is destroyed. Made before the work starts: an
/// output that cannot be written is found before hours of training. The lock is a name in the kernel and no file, so
/// there is none to be mistaken for ours; it ends with the process.
class OutputLock {
public:
  explicit OutputLock(const std::string &path);
  ~OutputLock();
  OutputLock(const OutputLock &) = delete;
  OutputLock &operator=(const OutputLock &) = delete;

private:
  int socket = -1;
};

/// Throws when a file of so many bytes has no room beside the one that it will replace: on the disk, or under this
/// process's limit for files.
void requireRoom(const std::string &path, uint64_t bytes);

/// What all names of one file have in common: the inode, or, of a file that does not exist yet, that of its folder and
/// the name there.
struct FileIdentity {
  dev_t device;
  ino_t inode;
  std::string name; // of a file that does not exist yet
  bool operator==(const FileIdentity &other) const {
    return device == other.device && inode == other.inode && name == other.name;
  }
};

/// Nothing for what is or will be no regular file.
std::optional<FileIdentity> identify(const std::string &path);

/// Writes all of it, through EINTR, short writes and a pipe that is full for now; false with errno set.
bool writeAll(int descriptor, const void *from, size_t count);

} // namespace txrun

#endif // TXRUN_FILE_H
