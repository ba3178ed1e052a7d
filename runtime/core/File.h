//===- File.h - Reading that cannot crash ---------------------------------------------------------------*- C++ -*-===//
//
// The runtime reads input files with pread and never maps them: if a file shrinks while it is read, the read fails with
// an error, where a mapping would end the process with SIGBUS.
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
  /// The file's size in bytes when it was opened.
  uint64_t size() const { return bytes; }
  /// Fills `to` with bytes [offset, offset + count) of the file, or throws.
  void readAt(uint64_t offset, void *to, size_t count) const;

private:
  std::string name;
  int descriptor = -1;
  uint64_t bytes = 0;
};

/// All bytes of a file; throws if it has more than `limit`.
std::vector<uint8_t> readFile(const std::string &path, uint64_t limit);

/// The start of a small text file such as those in /proc; empty when it cannot be read.
std::string readSmallText(const char *path);

} // namespace txrt

#endif // TXRT_CORE_FILE_H
