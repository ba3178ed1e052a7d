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

void *cuda::openLibrary(std::initializer_list<const char *> names,
                        const char *purpose) {
  std::string answers;
  for (const char *name : names) {
    if (void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL))
      return library;
    answers += (answers.empty() ? "" : "; ") + printable(dlerror(), 300);
  }
  fail(TXRT_DEVICE, "%s: %s", purpose, answers.c_str());
}

static Driver open() {
  const char *name = "libcuda.so.1";
  void *library =
      openLibrary({name}, "no NVIDIA driver here (--backend dryrun prints the "
                          "launches without one)");
  Driver driver;
#define TXRT_LOAD(member, function, ...)                                      \
  driver.member = reinterpret_cast<Result (*)(__VA_ARGS__)>(                  \
      symbol(library, name, #function));
  TXRT_CUDA_DRIVER_FUNCTIONS(TXRT_LOAD)
#undef TXRT_LOAD
  driver.check(driver.init(0), "the NVIDIA driver can not be initialized");
  return driver;
}

const Driver &Driver::get() {
  static const Driver driver = open();
  return driver;
}

std::string Driver::describe(Result result) const {
  const char *name = nullptr, *text = nullptr;
  getErrorName(result, &name);
  getErrorString(result, &text);
  return std::string(name ? name : "unknown error") + ": " +
         (text ? text : std::to_string(result).c_str());
}
