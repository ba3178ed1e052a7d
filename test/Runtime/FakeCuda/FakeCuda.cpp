//===- FakeCuda.cpp - A GPU in host memory ----------------------*- C++ -*-===//
//
// What the cuda backend uses of libcuda and libcublasLt, well enough to check
// the backend's own work where no GPU is: which launches it queues, with which
// operands, how a graph replays them, what it does when something is refused.
// It says nothing about kernels, libraries or speed.
//
// Device memory is the host's; a stream runs at once, or records while it
// captures; a "cubin" has the kernels of TestKernels.c, whatever its bytes are.
//
//   FAKE_CUDA_CAPABILITY=90   compute capability
//   FAKE_CUDA_FREE=1048576    bytes of free memory
//   FAKE_CUDA_FAULT=weigh     this kernel faults when it runs
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/CublasLtApi.h"
#include "txrt/abi.h"

#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

using namespace txrt::cuda;
using txrt::cuda::lt::Status;

extern "C" {
void weigh(void *const *, const uint32_t *, int64_t, int64_t);
void bump(void *const *, const uint32_t *, int64_t, int64_t);
}

namespace txrt::cuda {
struct CUgraph_st {
  std::vector<std::function<void()>> nodes;
};
struct CUgraphExec_st {
  CUgraph_st graph;
};
struct CUstream_st {
  CUgraph_st *captured = nullptr;
};
struct CUfunc_st {
  const char *name;
  txrt_host_kernel kernel;
  int buffers, immediates;
};
struct CUmod_st {};
struct CUctx_st {};
} // namespace txrt::cuda

namespace {

enum : Result { InvalidValue = 1, LaunchFailed = 719, NotFound = 500 };

CUctx_st onlyContext;
CUmod_st onlyModule;
thread_local Context current = nullptr;
Result sticky = Success; // what a fault leaves, until a synchronization

long setting(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text ? atol(text) : otherwise;
}

/// Now, or when the graph that is being captured is replayed.
void run(Stream stream, std::function<void()> work) {
  if (stream->captured)
    stream->captured->nodes.push_back(std::move(work));
  else
    work();
}

CUfunc_st functions[] = {{"weigh", weigh, 2, 1}, {"bump", bump, 1, 2}};

} // namespace

extern "C" {

Result cuInit(unsigned) { return Success; }
Result cuDriverGetVersion(int *version) {
  *version = 13000;
  return Success;
}
Result cuGetErrorName(Result result, const char **name) {
  *name = result == LaunchFailed ? "CUDA_ERROR_LAUNCH_FAILED" : "CUDA_ERROR";
  return Success;
}
Result cuGetErrorString(Result, const char **text) {
  *text = "said by the fake";
  return Success;
}
Result cuDeviceGetCount(int *count) {
  *count = static_cast<int>(setting("FAKE_CUDA_DEVICES", 1));
  return Success;
}
Result cuDeviceGet(Device *device, int index) {
  *device = index;
  return Success;
}
Result cuDeviceGetName(char *name, int size, Device) {
  strncpy(name, "Fake GPU", static_cast<size_t>(size));
  return Success;
}
Result cuDeviceGetAttribute(int *value, DeviceAttribute attribute, Device) {
  long capability = setting("FAKE_CUDA_CAPABILITY", 90);
  *value = static_cast<int>(attribute == ComputeCapabilityMajor
                                ? capability / 10
                                : capability % 10);
  return Success;
}
Result cuDevicePrimaryCtxRetain(Context *context, Device) {
  *context = &onlyContext;
  return Success;
}
Result cuDevicePrimaryCtxRelease_v2(Device) { return Success; }
Result cuCtxSetCurrent(Context context) {
  current = context;
  return Success;
}
Result cuMemGetInfo_v2(size_t *available, size_t *total) {
  *total = size_t(1) << 30;
  *available = static_cast<size_t>(setting("FAKE_CUDA_FREE", 1 << 30));
  return current ? Success : InvalidValue;
}
Result cuMemAlloc_v2(DevicePointer *address, size_t bytes) {
  // Not zero, as a device's memory is not.
  void *memory = aligned_alloc(256, (bytes + 255) / 256 * 256);
  memset(memory, 0xff, bytes);
  *address = reinterpret_cast<DevicePointer>(memory);
  return Success;
}
Result cuMemFree_v2(DevicePointer address) {
  free(reinterpret_cast<void *>(address));
  return Success;
}
Result cuMemsetD8_v2(DevicePointer address, unsigned char value, size_t size) {
  memset(reinterpret_cast<void *>(address), value, size);
  return Success;
}
Result cuMemcpyHtoD_v2(DevicePointer to, const void *from, size_t size) {
  memcpy(reinterpret_cast<void *>(to), from, size);
  return current ? Success : InvalidValue;
}
Result cuMemcpyDtoH_v2(void *to, DevicePointer from, size_t size) {
  memcpy(to, reinterpret_cast<void *>(from), size);
  return current ? Success : InvalidValue;
}
Result cuModuleLoadData(Module *module, const void *) {
  *module = &onlyModule;
  return Success;
}
Result cuModuleUnload(Module) { return Success; }
Result cuModuleGetFunction(Function *function, Module, const char *name) {
  for (CUfunc_st &candidate : functions)
    if (strcmp(candidate.name, name) == 0)
      return *function = &candidate, Success;
  return NotFound;
}
Result cuFuncSetAttribute(Function, FunctionAttribute, int) { return Success; }

Result cuLaunchKernel(Function function, unsigned blocks, unsigned, unsigned,
                      unsigned threads, unsigned, unsigned, unsigned,
                      Stream stream, void **parameters, void **) {
  // Parameters are copied when a launch is queued.
  std::vector<void *> buffers;
  std::vector<uint32_t> immediates;
  for (int i = 0; i < function->buffers; ++i)
    buffers.push_back(*static_cast<void **>(*parameters++));
  for (int i = 0; i < function->immediates; ++i)
    immediates.push_back(*static_cast<uint32_t *>(*parameters++));
  uint64_t units = *static_cast<uint64_t *>(*parameters);
  // One unit a thread, as the test's artifact says.
  if (uint64_t(blocks) * threads < units)
    return InvalidValue;
  run(stream, [=] {
    const char *fault = getenv("FAKE_CUDA_FAULT");
    if (fault && strcmp(fault, function->name) == 0)
      sticky = LaunchFailed;
    else
      function->kernel(buffers.data(), immediates.data(), 0,
                       static_cast<int64_t>(units));
  });
  return Success;
}

Result cuStreamCreate(Stream *stream, unsigned) {
  *stream = new CUstream_st;
  return Success;
}
Result cuStreamDestroy_v2(Stream stream) {
  delete stream;
  return Success;
}
Result cuStreamSynchronize(Stream stream) {
  if (stream->captured)
    return InvalidValue;
  Result result = sticky;
  sticky = Success;
  return result;
}
Result cuStreamBeginCapture_v2(Stream stream, CaptureMode) {
  if (stream->captured)
    return InvalidValue;
  stream->captured = new CUgraph_st;
  return Success;
}
Result cuStreamEndCapture(Stream stream, Graph *graph) {
  *graph = stream->captured;
  stream->captured = nullptr;
  return *graph ? Success : InvalidValue;
}
Result cuGraphInstantiateWithFlags(GraphExec *exec, Graph graph,
                                   unsigned long long) {
  *exec = new CUgraphExec_st{*graph};
  return Success;
}
Result cuGraphLaunch(GraphExec exec, Stream stream) {
  for (const auto &node : exec->graph.nodes)
    node();
  return stream->captured ? InvalidValue : Success;
}
Result cuGraphDestroy(Graph graph) {
  delete graph;
  return Success;
}
Result cuGraphExecDestroy(GraphExec exec) {
  delete exec;
  return Success;
}

} // extern "C"

//===----------------------------------------------------------------------===//
// cuBLASLt, column-major
//===----------------------------------------------------------------------===//

namespace txrt::cuda::lt {
struct MatmulDescOpaque {
  Operation a = Plain, b = Plain;
};
struct MatrixLayoutOpaque {
  DataType type;
  uint64_t rows, columns;
  int64_t leading;
  int32_t count = 1;
  int64_t stride = 0;
};
struct PreferenceOpaque {};
} // namespace txrt::cuda::lt

namespace {

float element(const void *matrix, const lt::MatrixLayout layout, int64_t batch,
              uint64_t row, uint64_t column) {
  const size_t at = static_cast<size_t>(batch * layout->stride) +
                    column * static_cast<size_t>(layout->leading) + row;
  if (layout->type == lt::F32)
    return static_cast<const float *>(matrix)[at];
  uint32_t bits = uint32_t(static_cast<const uint16_t *>(matrix)[at]) << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

bool fits(const lt::MatmulDesc desc, const lt::MatrixLayout a,
          const lt::MatrixLayout b, const lt::MatrixLayout c) {
  const bool ta = desc->a == lt::Transposed, tb = desc->b == lt::Transposed;
  for (const lt::MatrixLayout layout : {a, b, c})
    if (layout->leading < static_cast<int64_t>(layout->rows) ||
        layout->count != c->count)
      return false;
  return (ta ? a->columns : a->rows) == c->rows &&
         (tb ? b->rows : b->columns) == c->columns &&
         (ta ? a->rows : a->columns) == (tb ? b->columns : b->rows);
}

} // namespace

extern "C" {

size_t cublasLtGetVersion() { return 130100; }
const char *cublasLtGetStatusString(Status) { return "said by the fake"; }
Status cublasLtCreate(lt::Handle *) { return current ? 0 : 1; }
Status cublasLtDestroy(lt::Handle) { return 0; }
Status cublasLtMatmulDescCreate(lt::MatmulDesc *desc, lt::ComputeType,
                                lt::DataType) {
  *desc = new lt::MatmulDescOpaque;
  return 0;
}
Status cublasLtMatmulDescSetAttribute(lt::MatmulDesc desc,
                                      lt::DescAttribute attribute,
                                      const void *value, size_t) {
  auto operation = *static_cast<const lt::Operation *>(value);
  (attribute == lt::TransA ? desc->a : desc->b) = operation;
  return 0;
}
Status cublasLtMatmulDescDestroy(lt::MatmulDesc desc) {
  delete desc;
  return 0;
}
Status cublasLtMatrixLayoutCreate(lt::MatrixLayout *layout, lt::DataType type,
                                  uint64_t rows, uint64_t columns,
                                  int64_t leading) {
  *layout = new lt::MatrixLayoutOpaque{type, rows, columns, leading};
  return 0;
}
Status cublasLtMatrixLayoutSetAttribute(lt::MatrixLayout layout,
                                        lt::LayoutAttribute attribute,
                                        const void *value, size_t) {
  if (attribute == lt::BatchCount)
    layout->count = *static_cast<const int32_t *>(value);
  else
    layout->stride = *static_cast<const int64_t *>(value);
  return 0;
}
Status cublasLtMatrixLayoutDestroy(lt::MatrixLayout layout) {
  delete layout;
  return 0;
}
Status cublasLtMatmulPreferenceCreate(lt::Preference *preference) {
  *preference = new lt::PreferenceOpaque;
  return 0;
}
Status cublasLtMatmulPreferenceSetAttribute(lt::Preference,
                                            lt::PreferenceAttribute,
                                            const void *, size_t) {
  return 0;
}
Status cublasLtMatmulPreferenceDestroy(lt::Preference preference) {
  delete preference;
  return 0;
}
Status cublasLtMatmulAlgoGetHeuristic(lt::Handle, lt::MatmulDesc desc,
                                      lt::MatrixLayout a, lt::MatrixLayout b,
                                      lt::MatrixLayout c, lt::MatrixLayout,
                                      lt::Preference, int,
                                      lt::HeuristicResult *result,
                                      int *count) {
  *result = {};
  *count = fits(desc, a, b, c);
  return 0;
}

Status cublasLtMatmul(lt::Handle, lt::MatmulDesc desc, const void *alphaAt,
                      const void *a, lt::MatrixLayout la, const void *b,
                      lt::MatrixLayout lb, const void *betaAt, const void *,
                      lt::MatrixLayout, void *c, lt::MatrixLayout lc,
                      const lt::Algorithm *, void *, size_t, Stream stream) {
  if (!fits(desc, la, lb, lc) || lc->type != lt::F32)
    return 7;
  const float alpha = *static_cast<const float *>(alphaAt);
  const float beta = *static_cast<const float *>(betaAt);
  run(stream, [=] {
    const bool ta = desc->a == lt::Transposed, tb = desc->b == lt::Transposed;
    const uint64_t k = ta ? la->rows : la->columns;
    for (int64_t batch = 0; batch < lc->count; ++batch)
      for (uint64_t j = 0; j < lc->columns; ++j)
        for (uint64_t i = 0; i < lc->rows; ++i) {
          float sum = 0;
          for (uint64_t p = 0; p < k; ++p)
            sum += (ta ? element(a, la, batch, p, i)
                       : element(a, la, batch, i, p)) *
                   (tb ? element(b, lb, batch, j, p)
                       : element(b, lb, batch, p, j));
          float &to = static_cast<float *>(
              c)[static_cast<size_t>(batch * lc->stride) +
                 j * static_cast<size_t>(lc->leading) + i];
          to = alpha * sum + (beta == 0 ? 0 : beta * to);
        }
  });
  return 0;
}

} // extern "C"
