#include "core/Backends.h"
#include "core/Failure.h"

#include <cstring>
#include <iterator>

extern "C" {
extern const txrt_backend txrt_host_backend;
extern const txrt_backend txrt_cuda_backend;
extern const txrt_backend txrt_dryrun_backend;
}

using namespace txrt;

/// The one place that knows every backend.
static const txrt_backend *const backends[] = {
    &txrt_host_backend,
    &txrt_cuda_backend,
    &txrt_dryrun_backend,
};

const txrt_backend &txrt::findBackend(const char *name) {
  std::string known;
  for (const txrt_backend *backend : backends) {
    if (strcmp(backend->name, name) == 0)
      return *backend;
    known += (known.empty() ? "" : ", ") + std::string(backend->name);
  }
  fail(TXRT_USAGE, "unknown backend '%s'; present: %s", printable(name).c_str(), known.c_str());
}

const char *txrt_backend_name(int index) {
  const bool exists = index >= 0 && size_t(index) < std::size(backends);
  return exists ? backends[index]->name : nullptr;
}
