//===- AtomicFile.cpp - A file whole or not at all ------------------------===//

#include "tx/Target/Artifact.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <fcntl.h>
#include <unistd.h>

using namespace tx;

static llvm::Error failed(llvm::StringRef path, const llvm::Twine &what, std::error_code code) {
  return llvm::createStringError(code, path + ": " + what + ": " + code.message());
}

llvm::Error tx::writeFileAtomically(llvm::StringRef path, llvm::ArrayRef<char> bytes) {
  llvm::sys::fs::file_status status;
  if (!llvm::sys::fs::status(path, status) && !llvm::sys::fs::is_regular_file(status))
    return llvm::createStringError(std::make_error_code(std::errc::invalid_argument),
                                   path + ": is no regular file; give a file name that may be replaced");
  llvm::SmallString<256> temporary;
  int fd = -1;
  if (std::error_code code = llvm::sys::fs::createUniqueFile(path + ".%%%%%%.tmp", fd, temporary, llvm::sys::fs::OF_None,
                                                             0644))
    return failed(path, "cannot be written", code);
  std::error_code code;
  {
    llvm::raw_fd_ostream os(fd, /*shouldClose=*/false);
    os.write(bytes.data(), bytes.size());
    os.flush();
    code = os.error();
    os.clear_error();
  }
  if (!code && ::fsync(fd) != 0)
    code = std::error_code(errno, std::generic_category());
  if (::close(fd) != 0 && !code)
    code = std::error_code(errno, std::generic_category());
  if (!code)
    code = llvm::sys::fs::rename(temporary, path);
  if (code) {
    llvm::sys::fs::remove(temporary);
    return failed(path, "cannot be written", code);
  }
  // The new name is on disk only when its folder is.
  llvm::SmallString<256> folder(llvm::sys::path::parent_path(path));
  if (int folderFd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY); folderFd >= 0) {
    ::fsync(folderFd);
    ::close(folderFd);
  }
  return llvm::Error::success();
}
