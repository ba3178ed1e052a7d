//===- File.h - Read a file whole ------------------------------*- C++ -*-===//

#ifndef TXRT_CORE_FILE_H
#define TXRT_CORE_FILE_H

#include <cstdint>
#include <string>
#include <vector>

namespace txrt {

/// Reads a regular file with pread, never through a mapping: a file that
/// shrinks meanwhile is an error here, not a SIGBUS later.
std::vector<uint8_t> readFile(const std::string &path, uint64_t limit);

/// The start of a small text file such as those in /proc; empty when it cannot
/// be read.
std::string readSmallText(const char *path);

} // namespace txrt

#endif // TXRT_CORE_FILE_H
