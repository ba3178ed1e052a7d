//===- FileUses.h - Which files a run reads and writes --------------------------------------------------*- C++ -*-===//
//
// Lists all files of a run from its command line: which flag reads or writes which file. Before a run starts, it
// refuses two uses of one file that harm each other (also if the file is given by two names), checks that each output
// can be written, and locks it:
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
    Replace, // written to a temporary file, then renamed
    Folder,  // made if it is missing; its files have uses of their own
    Merge,   // replaced by its old content with the new one added; several runs may share the file
    Append,
    Stream, // standard output or standard error, if redirected to a file
  };
  std::string who; // for messages: "--load", "--output y"
  std::string path;
  Kind kind = Read;
  int rank = 0; // the rank that uses the file
};

/// Lists the files of all ranks, not only of one: ranks mostly share a folder.
std::vector<FileUse> fileUses(const Options &options, int ranks);

/// Throws a usage error, which names both uses, if two uses of one file harm each other. Two reads do no harm. `--load
/// X --save X` does none either, since X is read before it is replaced; a run is continued in place in this way.
void refuseSharedFiles(const std::vector<FileUse> &uses);

/// Locks the files that `rank` replaces. The log locks its file itself.
std::vector<std::unique_ptr<OutputLock>> lockOutputs(const std::vector<FileUse> &uses, int rank);

/// The name of one rank's file: each {rank} in `name` is replaced by the rank's number.
std::string fileOfRank(const std::string &name, int rank);

/// Whether `name` gives each rank a file of its own: it has {rank} in it.
bool isOfEachRank(const std::string &name);

} // namespace txrun

#endif // TXRUN_FILEUSES_H
