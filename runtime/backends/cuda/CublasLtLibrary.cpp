#include "backends/cuda/CublasLtLibrary.h"
#include "backends/cuda/Driver.h"

using namespace txrt;
using namespace txrt::cuda;
using namespace txrt::cuda::lt;

// The first version that has all that Tx uses; the last addition is bias gradients beside f32 results.
static constexpr size_t oldestVersion = 120000;

Library::Library() {
  void *library = openLibrary({"libcublasLt.so.13", "libcublasLt.so.12"}, "the cuda backend needs cuBLASLt 12 or 13");
#define TXRT_LOAD(member, type, function, ...)                                                                         \
  member = reinterpret_cast<type (*)(__VA_ARGS__)>(symbol(library, "cuBLASLt", #function));
  TXRT_CUBLASLT_FUNCTIONS(TXRT_LOAD)
#undef TXRT_LOAD
  if (getVersion() < oldestVersion)
    fail(TXRT_DEVICE, "found %s; the cuda backend needs 12.0 or newer", version().c_str());
}

const Library &Library::get() {
  static const Library library;
  return library;
}

std::string Library::version() const {
  size_t v = getVersion();
  return format("cuBLASLt %zu.%zu.%zu", v / 10000, v / 100 % 100, v % 100);
}
