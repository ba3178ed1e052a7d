//===- OutputFiles.cpp - Can what is asked for be written ---------------------------------------------------------===//
//
// A compilation may take minutes, so faults of its output files are found before it begins: two outputs that are one
// file, an output that is the input file (through links too), a file that cannot be created or replaced.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "tx/Frontend/CompileOptions.h"
#include "tx/Frontend/Presets.h"
#include "tx/Pipeline/Pipelines.h"
#include "tx/Support/InputLimits.h"
#include "tx/Support/UserError.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <climits>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

using namespace tx;
using llvm::Error;
using llvm::SmallString;
using llvm::StringRef;
using llvm::Twine;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

namespace {

struct OutputFile {
  StringRef flag, name;
  std::string place; ///< what `name` stands for once links are followed
};

} // namespace

static Error cannotWrite(const OutputFile &file, const Twine &why) {
  return badFile(file.name + ": " + file.flag + " cannot write it: " + why);
}
static Error cannotWrite(const OutputFile &file) {
  return cannotWrite(file, std::error_code(errno, std::generic_category()).message());
}

/// Sets `place`: follows all links in `name`, also a last one whose target does not exist yet.
static Error findPlace(OutputFile &file) {
  SmallString<256> name(file.name);
  constexpr int kMostLinks = 40; // as many as Linux follows
  for (int links = 0;; ++links) {
    char target[PATH_MAX];
    ssize_t size = ::readlink(name.c_str(), target, sizeof(target));
    if (size < 0)
      break;
    if (links == kMostLinks)
      return cannotWrite(file, "it is a link to itself");
    SmallString<256> next(path::is_absolute(StringRef(target, size)) ? "" : path::parent_path(name));
    path::append(next, StringRef(target, size));
    name = next;
  }
  StringRef last = path::filename(name), folder = path::parent_path(name);
  if (last == "." || last == ".." || name.ends_with("/"))
    return cannotWrite(file, "it is a folder's name; give a file's");
  SmallString<256> place;
  if (std::error_code code = fs::real_path(folder.empty() ? "." : folder, place))
    return cannotWrite(file, "its folder " + (folder.empty() ? "." : folder) + ": " + code.message());
  path::append(place, last);
  file.place = place.str();
  return Error::success();
}

/// Checks that a file can be created or replaced at its place. The compiler writes a temporary file in the same folder
/// and renames it, so the folder must be writable. A file that is read-only is refused too, though a rename could
/// replace it.
static Error checkPlace(const OutputFile &file) {
  struct stat status;
  if (::lstat(file.place.c_str(), &status) == 0) {
    if (!S_ISREG(status.st_mode))
      return cannotWrite(file, "it is " + describeFileType(fs::get_file_type(file.place, /*Follow=*/false)) +
                                   ", no regular file");
    constexpr mode_t kAnyWrite = S_IWUSR | S_IWGRP | S_IWOTH; // access() lets root write read-only files
    if (!(status.st_mode & kAnyWrite) || ::access(file.place.c_str(), W_OK) != 0)
      return cannotWrite(file, "it is read-only; name another file, or remove it first");
  } else if (errno != ENOENT) {
    return cannotWrite(file);
  }
  std::string folder = path::parent_path(file.place).str();
  if (::access(folder.c_str(), W_OK | X_OK) != 0)
    return cannotWrite(file, "its folder " + folder + ": " + std::error_code(errno, std::generic_category()).message());
  // The temporary file has a longer name, which must not exceed the system's limit.
  constexpr long kSuffix = sizeof(".123456.tmp") - 1;
  long longest = ::pathconf(folder.c_str(), _PC_NAME_MAX), length = path::filename(file.place).size();
  if (longest > 0 && length + kSuffix > longest)
    return cannotWrite(file,
                       "its name has " + Twine(length) + " bytes; at most " + Twine(longest - kSuffix) + " would do");
  struct statvfs device;
  if (::statvfs(folder.c_str(), &device) == 0 &&
      (device.f_bavail == 0 || (device.f_files != 0 && device.f_favail == 0)))
    return cannotWrite(file, "its device is full");
  return Error::success();
}

/// The input file; empty if the input is a preset or flags.
static std::string getInputFile(const CompileOptions &options) {
  if (options.input.empty() || findPreset(options.input))
    return "";
  SmallString<128> input(options.input);
  if (fs::is_directory(input))
    path::append(input, "config.json");
  return input.str().str();
}

/// Whether the program's standard output is redirected into the file.
static bool isStandardOutput(const OutputFile &file) {
  struct stat out, other;
  return ::fstat(STDOUT_FILENO, &out) == 0 && S_ISREG(out.st_mode) && ::stat(file.place.c_str(), &other) == 0 &&
         out.st_dev == other.st_dev && out.st_ino == other.st_ino;
}

Error tx::checkOutputFiles(const CompileOptions &options) {
  const OutputOptions &output = options.output;
  llvm::SmallVector<OutputFile> files = {{"-o", output.artifactFile, {}},
                                         {"--report", output.reportFile, {}},
                                         {"--write-recompute-plan", output.planFile, {}},
                                         {"--verify-twin", output.verifyTwinFile, {}}};
  llvm::erase_if(files, [](const OutputFile &file) { return file.name.empty(); });
  for (const OutputFile &file : files)
    if (file.name == "-")
      return badUsage(file.flag + " -: standard output takes what --compile-to and --print-model-config print; name a "
                                  "file (./- for one of that name)");
  std::string input = getInputFile(options);
  bool prints = !output.compileTo.empty() || output.printModelConfig;
  for (auto [index, file] : llvm::enumerate(files)) {
    if (Error error = findPlace(file))
      return error;
    if (!input.empty() && fs::equivalent(file.place, input))
      return badUsage(file.name + ": " + file.flag + " would overwrite the input; name another file");
    if (!output.device.empty() && fs::equivalent(file.place, output.device))
      return badUsage(file.name + ": " + file.flag + " would overwrite the file of --device; name another file");
    if (options.recompute.planFile && fs::equivalent(file.place, *options.recompute.planFile))
      return badUsage(file.name + ": " + file.flag +
                      " would overwrite the file of --recompute-plan; name another file");
    for (const OutputFile &other : llvm::ArrayRef(files).take_front(index))
      if (file.place == other.place || fs::equivalent(file.place, other.place))
        return badUsage(other.flag + " and " + file.flag + " both write " + file.name + "; name two files");
    if (prints && isStandardOutput(file))
      return badUsage(file.name + ": " + file.flag +
                      " would replace what standard output writes there; name two files");
  }
  for (const OutputFile &file : files)
    if (Error error = checkPlace(file))
      return error;
  return Error::success();
}
