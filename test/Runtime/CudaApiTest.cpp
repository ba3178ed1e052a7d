// The runtime's own declarations of CUDA's interfaces against the toolkit's headers, where there is a toolkit.

#include "SameCall.h"
#include <gtest/gtest.h>

#ifdef TX_HAVE_CUDA_HEADERS

#include "backends/cuda/CublasLtApi.h"
#include "backends/cuda/Driver.h"

#include <cublasLt.h>
#include <cuda.h>

#include <type_traits>

using namespace txrt::cuda;

namespace {

#define TXRT_CHECK(member, symbol, ...)                                                                                \
  static_assert(SameCall<decltype(Driver::member), decltype(&::symbol)>::value, #symbol);
TXRT_CUDA_DRIVER_FUNCTIONS(TXRT_CHECK)
#undef TXRT_CHECK

static_assert(int(Success) == CUDA_SUCCESS);
static_assert(int(OutOfMemory) == CUDA_ERROR_OUT_OF_MEMORY);
static_assert(int(NotReady) == CUDA_ERROR_NOT_READY);
static_assert(int(EventDisableTiming) == CU_EVENT_DISABLE_TIMING);
static_assert(int(HostAllocDeviceMap) == CU_MEMHOSTALLOC_DEVICEMAP);
static_assert(sizeof(DeviceId) == sizeof(CUuuid));
static_assert(int(ComputeCapabilityMajor) == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
static_assert(int(ComputeCapabilityMinor) == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
static_assert(int(MaxDynamicSharedSizeBytes) == CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
static_assert(int(JitErrorLog) == CU_JIT_ERROR_LOG_BUFFER);
static_assert(int(JitErrorLogBytes) == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
static_assert(int(InstantiateUseNodePriority) == CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY);
static_assert(int(StreamNonBlocking) == CU_STREAM_NON_BLOCKING);
static_assert(int(CaptureThreadLocal) == CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
static_assert(sizeof(DevicePointer) == sizeof(CUdeviceptr));

using namespace txrt::cuda::lt;
#define TXRT_CHECK(member, type, symbol, ...)                                                                          \
  static_assert(SameCall<type (*)(__VA_ARGS__), decltype(&::symbol)>::value, #symbol);
TXRT_CUBLASLT_FUNCTIONS(TXRT_CHECK)
#undef TXRT_CHECK

static_assert(int(lt::Success) == CUBLAS_STATUS_SUCCESS);
static_assert(int(AllocationFailed) == CUBLAS_STATUS_ALLOC_FAILED);
static_assert(int(F32) == CUDA_R_32F && int(BF16) == CUDA_R_16BF);
static_assert(int(Compute32F) == CUBLAS_COMPUTE_32F);
static_assert(int(Plain) == CUBLAS_OP_N && int(Transposed) == CUBLAS_OP_T);
static_assert(int(TransA) == CUBLASLT_MATMUL_DESC_TRANSA);
static_assert(int(TransB) == CUBLASLT_MATMUL_DESC_TRANSB);
static_assert(int(BatchCount) == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT);
static_assert(int(StridedBatchOffset) == CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET);
static_assert(int(Epilogue) == CUBLASLT_MATMUL_DESC_EPILOGUE);
static_assert(int(BiasPointer) == CUBLASLT_MATMUL_DESC_BIAS_POINTER);
static_assert(int(BiasDataType) == CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE);
static_assert(int(Bias) == CUBLASLT_EPILOGUE_BIAS);
static_assert(int(BiasGradientA) == CUBLASLT_EPILOGUE_BGRADA);
static_assert(int(BiasGradientB) == CUBLASLT_EPILOGUE_BGRADB);
static_assert(int(ReductionSchemeMask) == CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK);
static_assert(int(SumInComputeType) == CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE);
static_assert(int(MaxWorkspaceBytes) == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
static_assert(int(MinAlignmentA) == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES);
static_assert(int(MinAlignmentB) == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES);
static_assert(int(MinAlignmentC) == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES);
static_assert(int(MinAlignmentD) == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);
static_assert(sizeof(Algorithm) == sizeof(cublasLtMatmulAlgo_t));
static_assert(sizeof(HeuristicResult) == sizeof(cublasLtMatmulHeuristicResult_t));
static_assert(offsetof(HeuristicResult, state) == offsetof(cublasLtMatmulHeuristicResult_t, state));

} // namespace

// The checks are static: that this file was compiled is the result.
TEST(CudaApi, DeclarationsAreTheToolkits) {}

#else

TEST(CudaApi, DeclarationsAreTheToolkits) { GTEST_SKIP() << "no CUDA toolkit with cublasLt.h was found"; }

#endif
