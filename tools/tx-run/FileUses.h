//===- FileUses.h - Which files a run reads and writes --------------------------------------------------*- C++ -*-===//
//
// One list of all files of a run, made from the command line: who reads what, who writes what. Before the run starts no
// file may have two uses that harm each other, by whatever names it is given, and every output is found writable and is
// locked:
//
//   std::vector<FileUse> uses = fileUses(options, ranks);
//   refuseSharedFiles(uses);
//   auto locks = lockOutputs(uses, rank);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_FILEUSES_H
#define TXRUN_FILEUSES_H

#include "Error.h"
#include "core/OutputFile.h"

#include <memory>
#include <string>
#include <vector>

namespace txrun {

struct Options;

struct FileUse {
  enum Kind {
    Read,
    Replace, // in one move
    Merge,   // replaced by what it was and what is new; runs share it
    Append,
    Stream, // standard output or error, where it is a file
  };
  std::string who; // for messages: "--load", "--output y"
  std::string path;
  Kind kind = Read;
  int rank = 0; // whose use it is
};

/// Of all ranks, who share a folder more often than not.
std::vector<FileUse> fileUses(const Options &options, int ranks);

/// Throws a usage error that names both when two uses of one file harm each other. Reading twice does not.
/// `--load X --save X` does not either, and is how a run is continued in place: it is read before it is replaced.
void refuseSharedFiles(const std::vector<FileUse> &uses);

/// Those that `rank` replaces. What it appends to is locked by the log itself.
std::vector<std::unique_ptr<OutputLock>> lockOutputs(const std::vector<FileUse> &uses, int rank);

/// The file of one rank: {rank} in a name is its number.
std::string fileOfRank(const std::string &name, int rank);

/// Whether each rank has a file of its own under this name.
bool isOfEachRank(const std::string &name);

} // namespace txrun

#endif // TXRUN_FILEUSES_H
