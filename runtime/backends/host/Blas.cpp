#include "backends/host/Blas.h"
#include "backends/host/CpuFeatures.h"
#include "core/Failure.h"
#include "core/Memory.h"

#include <cstdlib>
#include <dlfcn.h>
#include <vector>

using namespace txrt;

static bool has(const char *feature) { return cpuFeature(feature) == Feature::Present; }

/// The set of kernels that OpenBLAS shall use. By itself it chooses by the CPU's model, and falls back to very old
/// kernels for a model that it does not know, as virtual CPUs often have. For f32 GEMM three sets matter, and feature
/// bits tell which one this CPU can run.
static const char *coreType() {
  if (has("avx512f") && has("avx512bw") && has("avx512dq") && has("avx512vl"))
    return "SkylakeX";
  if (has("avx2") && has("fma"))
    return "Haswell";
  return nullptr;
}

/// Sets an environment variable while the library's constructor runs, which reads it.
class Setting {
public:
  Setting(const char *name, const char *value) : name(name) {
    const char *before = getenv(name);
    had = before != nullptr;
    old = had ? before : "";
    if (value)
      setenv(name, value, 1);
  }
  ~Setting() {
    if (had)
      setenv(name, old.c_str(), 1);
    else
      unsetenv(name);
  }

private:
  const char *name;
  bool had;
  std::string old;
};

template <typename Function> static Function symbol(void *library, const char *name) {
  void *address = dlsym(library, name);
  if (!address)
    fail(TXRT_USAGE, "the OpenBLAS that was found has no %s", name);
  return reinterpret_cast<Function>(address);
}

/// The answers of openblas_get_parallel. In the serial variant two threads that call it at the same time race for its
/// scratch memory; the OpenMP variant brings a second thread runtime.
enum { Serial = 0, Pthread = 1, OpenMP = 2 };

static void *openLibrary() {
  const char *wish = getenv("TXRT_OPENBLAS");
  // The path found at build time, then the names of Debian and of Fedora.
  std::vector<const char *> places = {TXRT_OPENBLAS_PATH, "libopenblas.so.0", "libopenblasp.so.0"};
  if (wish)
    places = {wish};
  std::string found;
  for (const char *place : places) {
    void *library = dlopen(place, RTLD_LAZY | RTLD_LOCAL);
    if (!library) {
      found += "; " + printable(dlerror());
      continue;
    }
    int variant = symbol<int (*)()>(library, "openblas_get_parallel")();
    if (variant == Pthread)
      return library;
    found += "; " + std::string(place) + " is the " + (variant == Serial ? "serial" : "OpenMP") + " variant";
    dlclose(library);
  }
  fail(TXRT_USAGE,
       "the host backend needs OpenBLAS's pthread variant (Debian: apt-get "
       "install libopenblas0-pthread; elsewhere set TXRT_OPENBLAS to its "
       "path)%s",
       found.c_str());
}

static Blas open() {
  const char *coreVariable = "OPENBLAS_CORETYPE";
  Setting threads("OPENBLAS_NUM_THREADS", "1");
  Setting core(coreVariable, getenv(coreVariable) ? nullptr : coreType());
  void *library = openLibrary();
  symbol<void (*)(int)>(library, "openblas_set_num_threads")(1);

  Blas blas;
  blas.sgemm = symbol<Blas::Sgemm>(library, "cblas_sgemm");
  blas.takeScratch = symbol<void *(*)(int)>(library, "blas_memory_alloc");
  blas.returnScratch = symbol<void (*)(void *)>(library, "blas_memory_free");
  std::string config = symbol<char *(*)()>(library, "openblas_get_config")();
  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...": two words are enough.
  blas.description = config.substr(0, config.find(' ', config.find(' ') + 1)) + " " +
                     symbol<char *(*)()>(library, "openblas_get_corename")();
  return blas;
}

const Blas &Blas::get() {
  static const Blas blas = open();
  return blas;
}

void Blas::reserveScratch(unsigned count) const {
  MemoryNeed need;
  need.add("OpenBLAS's buffers", count * scratchBytes, count * touchedBytes);
  requireMemory(need, 1);
  std::vector<void *> buffers(count);
  for (void *&buffer : buffers)
    buffer = takeScratch(0);
  for (void *buffer : buffers)
    returnScratch(buffer);
}
