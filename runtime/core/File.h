//===- File.h - Reading that cannot crash ---------------------------------------------------------------*- C++ -*-===//
//
// Input is read with pread, never through a mapping: a file that shrinks while it is read is an error and not a SIGBUS.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRT_CORE_FILE_H
#define TXRT_CORE_FILE_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace txrt {

/// Linux moves at most 2 GiB in one call.
constexpr size_t maxTransfer = size_t(1) << 30;

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

/// The whole of a file of at most `limit` bytes.
std::vector<uint8_t> readFile(const std::string &path, uint64_t limit);

/// The start of a small text file such as those in /proc; empty when it cannot be read.
std::string readSmallText(const char *path);

} // namespace txrt

#endif // TXRT_CORE_FILE_H
