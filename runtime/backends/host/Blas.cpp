#include "backends/host/Blas.h"
#include "backends/host/CpuFeatures.h"
#include "core/Failure.h"

#include <cstdlib>
#include <dlfcn.h>

using namespace txrt;

static bool has(const char *feature) {
  return cpuFeature(feature) == Feature::Present;
}

/// OpenBLAS chooses kernels by the CPU's model, and falls back to very old ones
/// for a model that it does not know; a virtual CPU often has such a model. For
/// f32 GEMM three sets matter, and feature bits tell them apart.
static const char *coreType() {
  if (has("avx512f") && has("avx512bw") && has("avx512dq") && has("avx512vl"))
    return "SkylakeX";
  if (has("avx2") && has("fma"))
    return "Haswell";
  return nullptr;
}

static void *openLibrary() {
  const char *wish = getenv("TXRT_OPENBLAS");
  const char *const places[] = {wish ? wish : TXRT_OPENBLAS_PATH,
                                wish ? wish : "libopenblas.so.0"};
  std::string reason;
  for (const char *place : places) {
    if (void *library = dlopen(place, RTLD_LAZY | RTLD_LOCAL))
      return library;
    reason = dlerror();
  }
  fail(TXRT_USAGE,
       "the host backend needs OpenBLAS's serial variant (Debian: apt-get "
       "install libopenblas0-serial; elsewhere set TXRT_OPENBLAS to its path): "
       "%s",
       reason.c_str());
}

template <typename Function>
static Function symbol(void *library, const char *name) {
  void *address = dlsym(library, name);
  if (!address)
    fail(TXRT_USAGE, "the OpenBLAS that was found has no %s", name);
  return reinterpret_cast<Function>(address);
}

static Blas open() {
  // Read by the library's constructor, then of no more use.
  const char *variable = "OPENBLAS_CORETYPE";
  const char *core = coreType();
  bool ours = core && !getenv(variable);
  if (ours)
    setenv(variable, core, 1);
  void *library = openLibrary();
  if (ours)
    unsetenv(variable);

  // A variant with threads would fight ours for the cores, and its split of a
  // product depends on the number of threads.
  if (symbol<int (*)()>(library, "openblas_get_parallel")() != 0)
    fail(TXRT_USAGE,
         "the OpenBLAS that was found brings its own threads; install the "
         "serial variant (Debian: apt-get install libopenblas0-serial) or set "
         "TXRT_OPENBLAS to its path");
  Blas blas;
  blas.sgemm = symbol<Blas::Sgemm>(library, "cblas_sgemm");
  std::string config =
      symbol<char *(*)()>(library, "openblas_get_config")();
  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...": two words are enough.
  blas.description =
      config.substr(0, config.find(' ', config.find(' ') + 1)) + " " +
      symbol<char *(*)()>(library, "openblas_get_corename")();
  return blas;
}

const Blas &Blas::get() {
  static const Blas blas = open();
  return blas;
}
