#include "backends/cuda/Driver.h"

#include <dlfcn.h>

using namespace txrt;
using namespace txrt::cuda;

void *cuda::symbol(void *library, const char *libraryName, const char *name) {
  void *address = dlsym(library, name);
  if (!address)
    fail(TXRT_DEVICE, "%s has no %s: it is too old", libraryName, name);
  return address;
}

void *cuda::openLibrary(std::initializer_list<const char *> names, const char *purpose) {
  std::string answers;
  for (const char *name : names) {
    if (void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL))
      return library;
    answers += (answers.empty() ? "" : "; ") + printable(dlerror(), 300);
  }
  fail(TXRT_DEVICE, "%s: %s", purpose, answers.c_str());
}

// The kernels' PTX and the libraries are those of CUDA 13, whose first driver was R580.
static constexpr int oldestDriver = 13000;
static constexpr const char *name = "libcuda.so.1";

/// Fails if the driver is too old. Call it first: an old driver lacks some of the functions that Tx looks up.
static void requireVersion(void *library) {
  using GetVersion = Result (*)(int *);
  int version = 0;
  const Result result = reinterpret_cast<GetVersion>(symbol(library, name, "cuDriverGetVersion"))(&version);
  if (result != Success)
    fail(TXRT_DEVICE, "%s does not tell its version: error %d", name, result);
  if (version < oldestDriver)
    fail(TXRT_DEVICE,
         "the NVIDIA driver here is for CUDA %d.%d; needed is CUDA %d.%d, that "
         "is driver R580 or newer",
         version / 1000, version / 10 % 100, oldestDriver / 1000, oldestDriver / 10 % 100);
}

static Driver load(void *library) {
  Driver driver;
#define TXRT_LOAD(member, function, ...)                                                                               \
  driver.member = reinterpret_cast<Result (*)(__VA_ARGS__)>(symbol(library, name, #function));
  TXRT_CUDA_DRIVER_FUNCTIONS(TXRT_LOAD)
#undef TXRT_LOAD
  driver.check(driver.init(0), "the NVIDIA driver can not be initialized");
  return driver;
}

const Driver &Driver::get() {
  static void *const library = openLibrary({name}, "no NVIDIA driver here (--backend dryrun prints the "
                                                   "launches without one)");
  requireVersion(library);
  static const Driver driver = load(library);
  return driver;
}

std::string Driver::describe(Result result) const {
  const char *name = nullptr, *text = nullptr;
  getErrorName(result, &name);
  getErrorString(result, &text);
  return std::string(name ? name : "unknown error") + ": " + (text ? text : std::to_string(result).c_str());
}
