//===- Describe.h - What an artifact is, for people -----------------------------------------------------*- C++ -*-===//

#ifndef TXRUN_DESCRIBE_H
#define TXRUN_DESCRIBE_H

#include "Console.h"

#include <string>

namespace txrun {

/// --info: model, policy, memory, entries. Checks the artifact, makes no session.
void describe(const std::string &path, Console &console);

/// --backend dryrun: prints the launches of an entry, or of all when `entry` is empty.
void dryRun(const std::string &path, const std::string &entry);

/// --memory-map: who lies where, of `all` entries, of one, or at the launch of a number.
void printMemoryMap(const std::string &path, const std::string &what);

} // namespace txrun

#endif // TXRUN_DESCRIBE_H
