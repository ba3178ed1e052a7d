#include "backends/cuda/NcclLibrary.h"
#include "backends/cuda/Driver.h"

#include <dlfcn.h>

using namespace txrt;
using namespace txrt::cuda;
using namespace txrt::cuda::nccl;

// The first version with calls that do not block, so that a rank can look for lost ranks while it waits.
static constexpr int oldestVersion = 21400;

static std::string versionName(int v) {
  // Up to version 2.8 the number was 1000 * major + 100 * minor + patch.
  return v < 10000 ? format("NCCL %d.%d.%d", v / 1000, v / 100 % 10, v % 100)
                   : format("NCCL %d.%d.%d", v / 10000, v / 100 % 100, v % 100);
}

Library::Library() {
  void *library = openLibrary({"libnccl.so.2"}, "several ranks on GPUs need NCCL 2.14 or newer "
                                                "(Debian and Ubuntu: libnccl2; pip: nvidia-nccl-cu13)");
  getVersion = reinterpret_cast<Result (*)(int *)>(symbol(library, "libnccl.so.2", "ncclGetVersion"));
  int found = 0;
  if (getVersion(&found) != Success || found < oldestVersion)
    fail(TXRT_DEVICE, "found %s; several ranks on GPUs need NCCL 2.14 or newer", versionName(found).c_str());
#define TXRT_LOAD(member, type, function, ...)                                                                         \
  member = reinterpret_cast<type (*)(__VA_ARGS__)>(symbol(library, "libnccl.so.2", #function));
  TXRT_NCCL_FUNCTIONS(TXRT_LOAD)
#undef TXRT_LOAD
#define TXRT_LOAD(member, type, function, version, ...)                                                                \
  if (found >= version)                                                                                                \
    member = reinterpret_cast<type (*)(__VA_ARGS__)>(dlsym(library, #function));
  TXRT_NCCL_NEWER_FUNCTIONS(TXRT_LOAD)
#undef TXRT_LOAD
}

const Library &Library::get() {
  static const Library library;
  return library;
}

std::string Library::version() const {
  int found = 0;
  getVersion(&found);
  return versionName(found);
}

void Library::refuse(Result result, Comm comm, const std::string &what) const {
  const char *more = getLastError(comm);
  fail(result == SystemError || result == RemoteError ? TXRT_PEER : TXRT_DEVICE, "%s: NCCL: %s%s%s", what.c_str(),
       getErrorString(result), more && *more ? ": " : "", printable(more ? more : "", 300).c_str());
}
