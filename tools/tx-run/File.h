//===- File.h - Reading that cannot crash, writing that cannot tear -*- C++ -*-===//
//
// Input is read with pread, so a file that shrinks while it is read is an error
// and not a SIGBUS. Output goes to a temporary file beside the target, is
// flushed to the disk, and then takes the target's name: at any moment, under
// any kill, the target is the old file or the new one.
//
//===----------------------------------------------------------------------===//

#ifndef TXRUN_FILE_H
#define TXRUN_FILE_H

#include <cstddef>
#include <cstdint>
#include <string>

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
  /// Creates `path.tx-tmp`, locked until the end; a second writer is an error. A
  /// target that exists and is no regular file is refused; a symbolic link is
  /// followed, so its target is replaced.
  explicit AtomicFile(const std::string &path);
  ~AtomicFile();
  AtomicFile(const AtomicFile &) = delete;
  AtomicFile &operator=(const AtomicFile &) = delete;

  void write(const void *from, size_t count);
  /// Flushes, renames and flushes the folder. Without it the file vanishes.
  void commit();

private:
  std::string target, temporary;
  /// Two of one open file: closing the first tells of errors, and the lock
  /// lasts until the second is closed.
  int descriptor = -1, lock = -1;
};

/// Keeps a second run out of the same output until it is destroyed: holds
/// `path.lock` locked. Made before the work starts, so that a folder that is
/// missing or read-only is found before hours of training.
class OutputLock {
public:
  explicit OutputLock(const std::string &path);
  ~OutputLock();
  OutputLock(const OutputLock &) = delete;
  OutputLock &operator=(const OutputLock &) = delete;

private:
  std::string lockPath;
  int descriptor = -1;
};

/// Whether both paths lead to one file that exists.
bool isSameFile(const std::string &a, const std::string &b);

/// Writes all of it, through EINTR and short writes; false with errno set.
bool writeAll(int descriptor, const void *from, size_t count);

} // namespace txrun

#endif // TXRUN_FILE_H
