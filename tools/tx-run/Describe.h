//===- Describe.h - What an artifact is, for people -----------------------------------------------------*- C++ -*-===//

#ifndef TXRUN_DESCRIBE_H
#define TXRUN_DESCRIBE_H

#include "Console.h"

#include <string>

namespace txrun {

/// Does --info: prints model, policy, memory and entries of an artifact. Checks the artifact, but opens no session.
void describe(const std::string &path, Console &console);

/// Does --backend dryrun: prints the launches of an entry, or of all entries if `entry` is empty.
void dryRun(const std::string &path, const std::string &entry);

/// Does --memory-map: prints which tensors lie where in the arena. `what` is `all`, the name of an entry, or the number
/// of a launch.
void printMemoryMap(const std::string &path, const std::string &what);

} // namespace txrun

#endif // TXRUN_DESCRIBE_H
