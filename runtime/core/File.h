//===- File.h - Read a file whole -----------------------------------------------------------------------*- C++ -*-===//

#ifndef TXRT_CORE_FILE_H
#define TXRT_CORE_FILE_H

#include <cstdint>
#include <string>
#include <vector>

namespace txrt {

/// Reads a regular file with pread, never through a mapping: a file that shrinks meanwhile is an error here, not a
/// SIGBUS later.
std::vector<uint8_t> readFile(const std::string &path, uint64_t limit);

/// Writes a file whole: to a new one beside it, which then takes its name, so that at any moment there is the old file
/// or the new one. Makes folders that are missing; replaces what a link leads to, nothing that is read-only.
void writeFileAtomically(const std::string &path, const std::string &text);

/// The start of a small text file such as those in /proc; empty when it cannot be read.
std::string readSmallText(const char *path);

} // namespace txrt

#endif // TXRT_CORE_FILE_H
