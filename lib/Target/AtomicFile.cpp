//===- AtomicFile.cpp - A file whole or not at all ----------------------------------------------------------------===//

#include "tx/Target/Artifact.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

#include <fcntl.h>
#include <unistd.h>

using namespace tx;

static llvm::Error failed(llvm::StringRef path, const llvm::Twine &what, std::error_code code) {
  return llvm::createStringError(code, path + ": " + what + ": " + code.message());
}

/// The path at which a file of this name is, or will be, created: symbolic links of the last part are followed, even if
/// they lead to nothing. A link that leads to itself is returned, and is refused when it is opened.
static std::string followLinks(llvm::StringRef path) {
  std::string result = path.str();
  for (int links = 0; links < 40; ++links) {
    char target[4096];
    const ssize_t length = ::readlink(result.c_str(), target, sizeof target);
    if (length < 0)
      break;
    llvm::StringRef next(target, static_cast<size_t>(length));
    llvm::SmallString<256> whole;
    if (!llvm::sys::path::is_absolute(next))
      whole = llvm::sys::path::parent_path(result);
    llvm::sys::path::append(whole, next);
    result = whole.str().str();
  }
  return result;
}

/// Why an existing file may not be replaced; no error if it may. A file without any write permission was protected by
/// somebody, but rename would replace it all the same, and root may open it.
static std::error_code findWriteObstacle(const std::string &target, const llvm::sys::fs::file_status &status) {
  if (!(status.permissions() & llvm::sys::fs::all_write))
    return std::make_error_code(std::errc::permission_denied);
  const int fd = ::open(target.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (fd < 0)
    return std::error_code(errno, std::generic_category());
  ::close(fd);
  return {};
}

llvm::Error tx::writeFileAtomically(llvm::StringRef path, llvm::ArrayRef<char> bytes) {
  const std::string target = followLinks(path);
  llvm::sys::fs::file_status status;
  const std::error_code missing = llvm::sys::fs::status(target, status);
  if (missing && missing != std::errc::no_such_file_or_directory)
    return failed(path, "cannot be written", missing);
  const bool isThere = !missing;
  if (isThere && !llvm::sys::fs::is_regular_file(status))
    return llvm::createStringError(std::make_error_code(std::errc::invalid_argument),
                                   path + ": is no regular file; give a file name that may be replaced");
  if (isThere)
    if (std::error_code code = findWriteObstacle(target, status))
      return failed(path, "cannot be written", code);
  // The temporary file has a new name, so it is no file of anybody else's. Its name is not derived from the target's,
  // which may already have the greatest length.
  llvm::SmallString<256> model(llvm::sys::path::parent_path(target)), temporary;
  llvm::sys::path::append(model, ".tx-compile-%%%%%%%%%%%%.tmp");
  int fd = -1;
  if (std::error_code code = llvm::sys::fs::createUniqueFile(model, fd, temporary, llvm::sys::fs::OF_None, 0666))
    return failed(path, "cannot be written", code);
  llvm::sys::RemoveFileOnSignal(temporary);
  std::error_code code;
  if (isThere)
    code = llvm::sys::fs::setPermissions(fd, status.permissions()); // keeps who may read the file
  {
    llvm::raw_fd_ostream os(fd, /*shouldClose=*/false);
    os.write(bytes.data(), bytes.size());
    os.flush();
    if (!code)
      code = os.error();
    os.clear_error();
  }
  if (!code && ::fsync(fd) != 0)
    code = std::error_code(errno, std::generic_category());
  if (::close(fd) != 0 && !code)
    code = std::error_code(errno, std::generic_category());
  if (!code)
    code = llvm::sys::fs::rename(temporary, target);
  if (code)
    llvm::sys::fs::remove(temporary);
  llvm::sys::DontRemoveFileOnSignal(temporary);
  if (code)
    return failed(path, "cannot be written", code);
  // Sync the folder too: the new name is on disk only when the folder is.
  llvm::SmallString<256> folder(llvm::sys::path::parent_path(target));
  if (int folderFd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY); folderFd >= 0) {
    ::fsync(folderFd);
    ::close(folderFd);
  }
  return llvm::Error::success();
}
