//===- OutputFile.h - Writing that cannot tear ----------------------------------------------------------*- C++ -*-===//
//
// Output goes to a file without a name in the target's folder, is flushed to the disk, and then takes the target's
// name: at any moment, under any kill, the target is the old file or the new one. No other name is used that somebody
// could have given to a file of his own, and nothing is left behind (docs/Rationale/output-files.md).
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

/// Replaces a file by this text, and makes folders that are missing.
void writeFileAtomically(const std::string &path, const std::string &text);

} // namespace txrt

#endif // TXRT_CORE_OUTPUTFILE_H
